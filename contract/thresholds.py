"""Every threshold of the monitor, declared once: a field of `Thresholds` is a row of the table.

The environment file's keys, the job's environment variables, the options of ``plumbline monitor``, the policy file, the
container's range checks and docs/configuration.md read `THRESHOLDS`; a new threshold is a field here and its use.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.enums import StrEnum
from plumbline.contract.statistics import EffectMeasure

DEFAULT_EFFECT_THRESHOLDS: Mapping[EffectMeasure, float] = {
    measure: measure.declaration.default_threshold for measure in EffectMeasure
}


@dataclass(frozen=True, kw_only=True)
class Range:
    """Allowed numbers of a threshold: `above` and `below` exclude the bound, `minimum` and `maximum` include it."""

    above: float | None = None
    minimum: float | None = None
    below: float | None = None
    maximum: float | None = None

    def holds(self, number: float) -> bool:
        """Return whether `number` lies in the range."""
        return (
            (self.above is None or number > self.above)
            and (self.minimum is None or number >= self.minimum)
            and (self.below is None or number < self.below)
            and (self.maximum is None or number <= self.maximum)
        )

    def __str__(self) -> str:
        """Return the range as the documentation and error messages write it, for example ``above 0, below 1``."""
        if self.minimum is not None:
            return f"{self.minimum:g} or more" if self.maximum is None else f"{self.minimum:g} to {self.maximum:g}"
        bounds = {"above": self.above, "below": self.below, "at most": self.maximum}
        return ", ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)


FRACTION = Range(above=0, below=1)
WHOLE_FRACTION = Range(above=0, maximum=1)


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """One row of the table.

    `name` is the field of `Thresholds` and the key of the policy file; `section` and `key` are where the environment
    file has it. `kind` is float, int or the enumeration of its values, and `allowed` a number's range. `default` is
    None where absence has a meaning of its own; `absent` describes it.
    """

    name: str
    section: str
    key: str
    kind: type
    allowed: Range | None
    unit: str
    default: Any
    absent: str
    text: str
    per_feature: bool

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of an enumeration; empty: the kind is a number."""
        return tuple(map(str, self.kind)) if issubclass(self.kind, StrEnum) else ()

    @property
    def variable(self) -> str:
        """The environment variable of the monitoring job, for example ``PLUMBLINE_ALPHA``."""
        return variable_of(self.name)

    @property
    def option(self) -> str:
        """The option of ``plumbline monitor``, for example ``--minimum-rows``."""
        return f"--{self.name.replace('_', '-')}"


def variable_of(name: str) -> str:
    """Return the environment variable of the threshold `name`."""
    return f"PLUMBLINE_{name.upper()}"


def _row(  # noqa: PLR0913 - the columns of the table
    kind: type,
    text: str,
    *,
    default: Any = None,
    absent: str | None = None,
    allowed: Range | None = None,
    unit: str,
    config_key: str | None = None,
    per_feature: bool = False,
) -> Any:
    """Return the field of one row; `config_key` is ``section.key`` where it is not ``thresholds.<name>``."""
    columns = {
        "kind": kind,
        "text": text,
        "absent": str(default) if absent is None else absent,
        "allowed": allowed,
        "unit": unit,
        "per_feature": per_feature,
        "config_key": config_key,
    }
    return dataclasses.field(default=default, metadata=columns)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The values of the thresholds in one run, with their defaults; ranges are not checked here."""

    alpha: float = _row(
        float,
        "A feature drifts only when its adjusted p-value is below this",
        default=0.05,
        allowed=FRACTION,
        unit="p",
        per_feature=True,
    )
    effect_measure: EffectMeasure = _row(
        EffectMeasure,
        "Measure of a feature's effect, the size of its change",
        default=EffectMeasure.JENSEN_SHANNON_DISTANCE,
        unit="name",
        per_feature=True,
    )
    effect_threshold: float = _row(
        float,
        "and when its effect is at least this",
        absent="that of the measure",
        allowed=Range(above=0),
        unit="effect",
        per_feature=True,
    )
    missing_values_threshold: float = _row(
        float,
        "It drifts also when its missing fraction moved by at least this, significantly",
        default=0.05,
        allowed=FRACTION,
        unit="fraction",
    )
    out_of_range_threshold: float = _row(
        float,
        "It drifts also when at least this fraction of its numbers lies beyond all of the reference's, significantly",
        default=0.005,
        allowed=FRACTION,
        unit="fraction",
    )
    unreadable_values_threshold: float = _row(
        float,
        "A feature violates the schema when at least this fraction of its values cannot be read",
        default=0.05,
        allowed=FRACTION,
        unit="fraction",
    )
    separability_threshold: float = _row(
        float,
        "Whole rows drift when a classifier separates them from the reference's with at least this area under the "
        "curve, significantly",
        default=0.6,
        allowed=Range(above=0.5, below=1),
        unit="area",
    )
    over_time_alpha: float = _row(
        float,
        "Largest probability of a false alarm over time in a month, of all features together",
        default=0.05,
        allowed=FRACTION,
        unit="p",
    )
    minimum_rows: int = _row(
        int, "A window with fewer rows is not judged", default=200, allowed=Range(minimum=2), unit="rows"
    )
    maximum_rejected_fraction: float = _row(
        float,
        "Largest fraction of a window's records, or of its answers, that may be unreadable for a verdict",
        default=0.2,
        allowed=WHOLE_FRACTION,
        unit="fraction",
    )
    accuracy_drop_threshold: float = _row(
        float,
        "An accuracy, projected or realised, dropped when it lost at least this, beyond chance",
        default=0.02,
        allowed=FRACTION,
        unit="fraction",
    )
    drifted_fraction: float | None = _row(
        float,
        "A window drifts when at least this fraction of its judged features does",
        absent="any one feature",
        allowed=WHOLE_FRACTION,
        unit="fraction",
    )
    minimum_labelled_fraction: float = _row(
        float,
        "Fraction of a window's rows that must have a label for labels to judge it; below it, when the time is over, "
        "the labels count as missing",
        default=0.5,
        allowed=WHOLE_FRACTION,
        unit="fraction",
        config_key="labels.minimum_labelled_fraction",
    )
    bias_threshold: float = _row(
        float,
        "A segment of the facet is treated otherwise when a bias metric moved by at least this, beyond chance",
        default=0.05,
        allowed=FRACTION,
        unit="fraction",
        config_key="bias.threshold",
    )


def _threshold(field: "dataclasses.Field[Any]") -> Threshold:
    columns = dict(field.metadata)
    section, key = (columns.pop("config_key") or f"thresholds.{field.name}").split(".")
    return Threshold(name=field.name, section=section, key=key, default=field.default, **columns)


THRESHOLDS: tuple[Threshold, ...] = tuple(map(_threshold, dataclasses.fields(Thresholds)))

RENAMED_KEYS: Mapping[str, str] = {
    # Of an environment file.
    "thresholds.missing_threshold": "thresholds.missing_values_threshold",
    "thresholds.accuracy_tolerance": "thresholds.accuracy_drop_threshold",
    "thresholds.drifted_share": "thresholds.drifted_fraction",
    "labels.minimum_coverage": "labels.minimum_labelled_fraction",
    "bias.tolerance": "bias.threshold",
    "retraining.margin": "retraining.holdout_margin",
    "retraining.slice_bound": "retraining.slice_margin",
    "retraining.fresh_share": "retraining.fresh_weight_fraction",
    "promotion.wait_minutes": "promotion.bake_minutes",
    "alarms.missing_hours": "alarms.monitor_silence_hours",
    # Of a policy file of version 1; environment variables and options of `plumbline monitor` follow them.
    "missing_threshold": "missing_values_threshold",
    "accuracy_tolerance": "accuracy_drop_threshold",
    "drifted_share": "drifted_fraction",
    "bias_tolerance": "bias_threshold",
    "minimum_label_coverage": "minimum_labelled_fraction",
}
"""Old name -> new name (docs/upgrading.md); errors about an old one name the new one."""

REMOVED_KEYS: Mapping[str, str] = {
    "monitor.recent_windows": "change over time is always judged, by thresholds.over_time_alpha",
}
"""Key of an environment file that is gone -> what is in its place."""
