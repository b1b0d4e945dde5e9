"""What counts as drift: thresholds, apart from the statistics they are applied to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.records import EffectMeasure, FeatureType
from drift.errors import ConfigError

DEFAULT_THRESHOLDS: Mapping[EffectMeasure, float] = {
    measure: measure.declaration.default_threshold for measure in EffectMeasure
}
MINIMUM_COVERAGE = 0.5
"""Share of labelled rows from which on labels judge a window, if nobody says it: fewer are seldom a fair sample."""


@dataclass(frozen=True, kw_only=True)
class FeaturePolicy:
    """What one feature has of its own; None: as the policy says for all.

    A `critical` feature makes the window drift by itself. One to `ignore` is described and never judged.
    """

    alpha: float | None = None
    effect_measure: EffectMeasure | None = None
    effect_threshold: float | None = None
    critical: bool = False
    ignore: bool = False


@dataclass(frozen=True, kw_only=True)
class FeatureRule:
    """What holds for one feature, everything resolved."""

    alpha: float
    effect_measure: EffectMeasure
    effect_threshold: float
    critical: bool
    ignore: bool


@dataclass(frozen=True)
class Policy:
    """Thresholds of one run.

    A feature drifts when its Benjamini-Hochberg-adjusted p-value is below `alpha` and its effect, by
    `effect_measure`, reaches `effect_threshold` (for the Jensen-Shannon distance raised to the null's own 99 % quantile
    where the sample is small); or when its missing fraction moved by `missing_threshold` or more, significantly.
    A window of fewer than `minimum_rows` rows is not judged. It drifts when a critical feature or the prediction
    drifts, or when at least `drifted_share` of the judged features do; None: any one. `features` has the features
    that are judged by rules of their own. An accuracy, projected or realised, dropped when it lost `accuracy_tolerance`
    or more, and a group is treated otherwise when a bias metric moved by `bias_tolerance` or more; both beyond chance.
    """

    alpha: float = 0.05
    effect_threshold: float = 0.1
    missing_threshold: float = 0.05
    minimum_rows: int = 200
    effect_measure: EffectMeasure = EffectMeasure.JENSEN_SHANNON_DISTANCE
    drifted_share: float | None = None
    accuracy_tolerance: float = 0.02
    bias_tolerance: float = 0.05
    features: Mapping[str, FeaturePolicy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse thresholds outside their range."""
        for name in ("alpha", "missing_threshold", "accuracy_tolerance", "bias_tolerance"):
            _require_fraction(name, getattr(self, name))
        if self.drifted_share is not None and not 0 < self.drifted_share <= 1:
            raise ConfigError(
                f"drifted_share must lie above 0 and be at most 1, got {self.drifted_share!r}; correct that threshold"
            )
        if self.minimum_rows < 2:
            raise ConfigError(f"minimum_rows must be 2 or more, got {self.minimum_rows!r}; correct that threshold")
        _require_effect("effect_threshold", self.effect_measure, self.effect_threshold)
        for name, own in self.features.items():
            if own.alpha is not None:
                _require_fraction(f"alpha of {name!r}", own.alpha)
            if own.effect_threshold is not None:
                measure = own.effect_measure or self.effect_measure
                _require_effect(f"effect_threshold of {name!r}", measure, own.effect_threshold)

    @property
    def ignored(self) -> frozenset[str]:
        """The features that are never judged."""
        return frozenset(name for name, own in self.features.items() if own.ignore)

    def rule(self, name: str | None, kind: FeatureType) -> FeatureRule:
        """Return what holds for one feature; None: for the prediction, which has no rules of its own.

        Another effect measure than the policy's brings its own threshold. Categories have no Wasserstein distance:
        where the policy asks for it, they are judged by the Jensen-Shannon distance.
        """
        own = FeaturePolicy() if name is None else self.features.get(name, FeaturePolicy())
        measure = own.effect_measure or self.effect_measure
        threshold = self.effect_threshold if measure is self.effect_measure else DEFAULT_THRESHOLDS[measure]
        threshold = threshold if own.effect_threshold is None else own.effect_threshold
        if kind not in measure.types:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold = DEFAULT_THRESHOLDS[measure]
        return FeatureRule(
            alpha=self.alpha if own.alpha is None else own.alpha,
            effect_measure=measure,
            effect_threshold=threshold,
            critical=own.critical,
            ignore=own.ignore,
        )

    def require_features(self, known: Mapping[str, FeatureType]) -> None:
        """Refuse rules for features that do not exist, or that do not suit the feature's type.

        Raises
        ------
        ConfigError
            If a name in `features` is none of those `known`, or a categorical one asks for a Wasserstein distance.
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


def _require_fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, got {value!r}; correct that threshold")


def _require_effect(name: str, measure: EffectMeasure, value: float) -> None:
    if not 0 < value < measure.declaration.upper_end:
        raise ConfigError(
            f"{name} must lie between 0 and {measure.declaration.upper_end:g} for the {measure}, got {value!r}; "
            "correct that threshold"
        )
