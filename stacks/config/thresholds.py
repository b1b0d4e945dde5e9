"""Thresholds in an environment file: of all features, of one, of labels and of bias.

Their keys, ranges and defaults are the rows of `plumbline.contract.thresholds.THRESHOLDS`.
"""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field, StrictBool, StrictInt, create_model, model_validator

from plumbline.contract.records import EffectMeasure
from plumbline.contract.statistics import ColumnType
from plumbline.contract.thresholds import THRESHOLDS, Threshold
from plumbline.stacks.config.values import ConfigSection, FeatureName

HOURS_A_DAY = 24
MAX_LAG_HOURS = 168
"""A week: each run reads the captures and labels of all of these hours again."""


class TableSection(ConfigSection):
    """A section of the environment file with keys from the table of thresholds."""

    rows: ClassVar[tuple[Threshold, ...]] = ()

    def variables(self) -> dict[str, str]:
        """Return the job's environment variables: those of the keys that the file sets; the container has defaults."""
        return {row.variable: str(getattr(self, row.key)) for row in self.rows if row.key in self.model_fields_set}


_S = TypeVar("_S", bound=TableSection)
_FROM_TABLE: Any = None
"""Stands for the default of a key that `_with_rows` adds, where mypy has to know the key."""


def _with_rows(rows: Iterable[Threshold], *, own: bool = False) -> Callable[[type[_S]], type[_S]]:
    """Add a key to a section for each of the `rows`; `own` values of one feature have no defaults."""

    def add(section: type[_S]) -> type[_S]:
        fields: dict[str, Any] = {row.key: _field(row, default=None if own else row.default) for row in rows}
        made = create_model(section.__name__, __base__=section, __doc__=section.__doc__, **fields)
        made.__module__, made.rows = section.__module__, tuple(rows)
        return made

    return add


def _field(row: Threshold, *, default: Any) -> tuple[Any, Any]:
    """Return a row as a pydantic field: the type with its range, and the default."""
    kind: Any = row.kind
    if row.allowed is not None:
        bounds = {
            "gt": row.allowed.above,
            "ge": row.allowed.minimum,
            "lt": row.allowed.below,
            "le": row.allowed.maximum,
        }
        given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
        number: Any = Annotated[float, Field(strict=True, allow_inf_nan=False)] if row.kind is float else StrictInt
        kind = Annotated[number, Field(**given)]
    return (kind | None if default is None else kind), default


def _rows_of(section: str) -> list[Threshold]:
    return [row for row in THRESHOLDS if row.section == section]


@_with_rows(_rows_of("thresholds"))
class ThresholdsSection(TableSection):
    """Thresholds of all features and of the accuracy; an absent key keeps the default."""

    if TYPE_CHECKING:
        effect_measure: EffectMeasure = _FROM_TABLE
        effect_threshold: float | None = _FROM_TABLE

    @model_validator(mode="after")
    def _effect_threshold_lies_in_the_measures_range(self) -> Self:
        if self.effect_threshold is not None:
            check_effect("effect_threshold", self.effect_measure, self.effect_threshold)
        return self


@_with_rows([row for row in THRESHOLDS if row.per_feature], own=True)
class FeatureSection(TableSection):
    """Settings of one feature; an absent threshold is that of all features.

    An effect measure without a threshold brings the measure's default.
    """

    critical: StrictBool = False
    """The window drifts when this feature does."""
    ignore: StrictBool = False
    """The feature is described and never judged."""
    type: ColumnType | None = None
    """What the column is; absent: as the baseline has recognised it."""

    if TYPE_CHECKING:
        effect_measure: EffectMeasure | None = _FROM_TABLE
        effect_threshold: float | None = _FROM_TABLE

    @model_validator(mode="after")
    def _judged_or_not(self) -> Self:
        if self.critical and self.ignore:
            raise ValueError("must be critical or ignored, got both")
        if self.critical and self.type is not None and not self.type.is_judged:
            raise ValueError(f"must be judged to be critical, got type {self.type.value!r}")
        if not self.model_fields_set:
            raise ValueError("must have at least one key, got none")
        return self


@_with_rows(_rows_of("labels"))
class LabelsSection(TableSection):
    """Labels that come after their predictions; absent section: none are awaited."""

    lag_hours: Annotated[StrictInt, Field(ge=1, le=MAX_LAG_HOURS)]
    """How long a window waits for its labels; each run joins the captures of so many hours with labels."""

    if TYPE_CHECKING:
        minimum_labelled_fraction: float = _FROM_TABLE


@_with_rows(_rows_of("bias"))
class BiasSection(TableSection):
    """The segments that the model is to treat as it did on the test set; absent section: bias is not measured."""

    facet: FeatureName
    """Categorical feature whose values are the segments."""


def check_effect(key: str, measure: EffectMeasure, threshold: float) -> None:
    """Refuse a threshold that its measure never reaches.

    Raises
    ------
    ValueError
        If it does not; the text is a rule of the section that holds `key`.
    """
    if not threshold < measure.declaration.upper_end:
        raise ValueError(f"must have {key} below {measure.declaration.upper_end:g} for the {measure}, got {threshold}")


def check_lag(labels: LabelsSection, *, interval_hours: int, capture_days: int) -> None:
    """Refuse a lag shorter than a window, or whose captures are deleted before their labels may come.

    The container rounds the lag up to whole windows. The oldest of them began so long before the newest, which is
    `interval_hours` long itself, and a run takes a part of another hour.

    Raises
    ------
    ValueError
        If it is refused; the text is a rule of the whole file.
    """
    if labels.lag_hours < interval_hours:
        raise ValueError(f"must have labels.lag_hours of at least one window, {interval_hours}, got {labels.lag_hours}")
    waited_hours = math.ceil(labels.lag_hours / interval_hours) * interval_hours
    least_days = (waited_hours + interval_hours) // HOURS_A_DAY + 1
    if capture_days < least_days:
        raise ValueError(
            f"must have retention.capture_days of at least {least_days} for labels.lag_hours {labels.lag_hours}, "
            f"got {capture_days}"
        )
