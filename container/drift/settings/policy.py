"""The policy: the thresholds of one run, apart from the statistics that they are applied to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from plumbline.contract.statistics import ColumnType, EffectMeasure, FeatureType
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS, FRACTION, THRESHOLDS, Range, Thresholds
from plumbline.drift.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class FeaturePolicy:
    """Thresholds of one feature; None: the policy's.

    A `critical` feature makes the window drift by itself. One to `ignore` is described and never judged, and so is one
    whose `type` is no feature's: an identifier, or a time. None: as the baseline has it.
    """

    alpha: float | None = None
    effect_measure: EffectMeasure | None = None
    effect_threshold: float | None = None
    critical: bool = False
    ignore: bool = False
    type: ColumnType | None = None

    @property
    def unjudged(self) -> ColumnType | None:
        """What the column is where it is not judged; None: a feature."""
        if self.ignore:
            return ColumnType.IGNORE
        return None if self.type is None or self.type.is_judged else self.type


@dataclass(frozen=True, kw_only=True)
class FeatureRule:
    """The thresholds that hold for one feature, everything resolved; `unjudged` is what it is if it is not judged."""

    alpha: float
    effect_measure: EffectMeasure
    effect_threshold: float
    critical: bool
    unjudged: ColumnType | None
    unreadable_values_threshold: float


@dataclass(frozen=True, kw_only=True)
class Policy(Thresholds):
    """Thresholds of one run, checked, and the features that are judged by thresholds of their own.

    A feature drifts when its Benjamini-Hochberg-adjusted p-value is below `alpha` and its effect, by
    `effect_measure`, reaches `effect_threshold` (for the Jensen-Shannon distance raised to the null's own 99 % quantile
    where the sample is small); or when its missing fraction moved by `missing_values_threshold` or more, significantly.
    A window of fewer than `minimum_rows` rows is not judged, nor one of whose records more than
    `maximum_rejected_fraction` were rejected. It drifts when a critical feature or the prediction
    drifts, or when at least `drifted_fraction` of the judged features do; None: any one. An accuracy, projected or
    realised, dropped when it lost `accuracy_drop_threshold` or more, and a segment of the facet is treated otherwise
    when a bias metric moved by `bias_threshold` or more; both beyond chance. A feature at least
    `unreadable_values_threshold` of whose values cannot be read violates the schema. An `effect_threshold` that is not
    given is the effect measure's own default.

    Raises
    ------
    ConfigError
        If a threshold lies outside its range.
    """

    features: Mapping[str, FeaturePolicy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Resolve the effect threshold, and refuse thresholds outside their range."""
        if self.effect_threshold is None:
            object.__setattr__(self, "effect_threshold", DEFAULT_EFFECT_THRESHOLDS[self.effect_measure])
        for row in THRESHOLDS:
            value = getattr(self, row.name)
            if value is not None and row.allowed is not None and row.name != "effect_threshold":
                _require(row.name, row.allowed, value)
        _require_effect("effect_threshold", self.effect_measure, self.effect_threshold)
        for name, own in self.features.items():
            if own.alpha is not None:
                _require(f"alpha of {name!r}", FRACTION, own.alpha)
            if own.effect_threshold is not None:
                measure = own.effect_measure or self.effect_measure
                _require_effect(f"effect_threshold of {name!r}", measure, own.effect_threshold)

    @property
    def ignored(self) -> frozenset[str]:
        """The features that are never judged."""
        return frozenset(name for name, own in self.features.items() if own.unjudged)

    def of_columns(self, columns: Mapping[str, ColumnType]) -> Self:
        """Return the policy under which the columns that the baseline holds to be no features are not judged either.

        Raises
        ------
        ConfigError
            If a column is declared to be a feature of another type than the baseline has learned.
        """
        features = dict(self.features)
        for name, learned in columns.items():
            own = features.get(name, FeaturePolicy())
            if own.type is not None and own.type.is_judged and own.type is not learned:
                raise ConfigError(
                    f"type of {name!r} must be as the baseline was learned, {learned}, got {own.type}; "
                    f"learn the baseline again with --feature-type {name}={own.type}"
                )
            if not learned.is_judged and own.unjudged is None:
                features[name] = replace(own, type=learned)
        return replace(self, features=features)

    def rule(self, name: str | None, kind: FeatureType) -> FeatureRule:
        """Return the thresholds of one feature; None: of the prediction, which has none of its own.

        Another effect measure than the policy's brings its own threshold. Categories have no Wasserstein distance:
        where the policy names it, they are judged by the Jensen-Shannon distance.
        """
        own = FeaturePolicy() if name is None else self.features.get(name, FeaturePolicy())
        measure = own.effect_measure or self.effect_measure
        threshold = self.effect_threshold if measure is self.effect_measure else DEFAULT_EFFECT_THRESHOLDS[measure]
        threshold = threshold if own.effect_threshold is None else own.effect_threshold
        if kind not in measure.types:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold = DEFAULT_EFFECT_THRESHOLDS[measure]
        return FeatureRule(
            alpha=self.alpha if own.alpha is None else own.alpha,
            effect_measure=measure,
            effect_threshold=threshold,
            critical=own.critical,
            unjudged=own.unjudged,
            unreadable_values_threshold=self.unreadable_values_threshold,
        )

    def require_features(self, known: Mapping[str, FeatureType]) -> None:
        """Refuse thresholds of features that do not exist, or that do not suit the feature's type.

        Raises
        ------
        ConfigError
            If a name in `features` is none of those `known`, or a categorical one has a Wasserstein distance.
        """
        unknown = sorted(set(self.features) - set(known))
        if unknown:
            raise ConfigError(
                f"the policy's features must be the baseline's, got {', '.join(map(repr, unknown))}; "
                f"allowed there: {', '.join(known)}"
            )
        for name, own in self.features.items():
            if own.effect_measure is EffectMeasure.WASSERSTEIN_DISTANCE and known[name] is FeatureType.CATEGORICAL:
                raise ConfigError(
                    f"effect_measure of {name!r} must suit a categorical feature, got {own.effect_measure}; "
                    f"take {EffectMeasure.JENSEN_SHANNON_DISTANCE} or {EffectMeasure.DRIFT_SCORE}"
                )


def _require(name: str, allowed: Range, value: float) -> None:
    if not allowed.holds(value):
        raise ConfigError(f"{name} must be {allowed}, got {value!r}; correct that threshold")


def _require_effect(name: str, measure: EffectMeasure, value: float) -> None:
    allowed = Range(above=0, below=measure.declaration.upper_end)
    if not allowed.holds(value):
        raise ConfigError(f"{name} must be {allowed} for the {measure}, got {value!r}; correct that threshold")
