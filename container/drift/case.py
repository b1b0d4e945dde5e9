"""One feature before the judge, and what the judge says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.records import EffectMeasure, Verdict, Violation
from contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from drift.features import Comparison
from drift.policy import FeatureRule


@dataclass(frozen=True)
class Outcome:
    """A verdict, and why."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Effect:
    """The size of a change, and the size from which on it counts.

    `distance` is the Jensen-Shannon distance, which must also exceed what chance reaches, whatever the measure.
    """

    measure: EffectMeasure
    threshold: float
    value: float | None
    distance: float | None
    chance: float

    @property
    def sought(self) -> str:
        """The smallest change that counts, in words."""
        return f"a {self.measure.words} of {self.threshold:g}"

    @property
    def is_small(self) -> bool:
        """Whether the change stays below its threshold, whatever chance reaches."""
        return self.value is None or self.value < self.threshold

    @property
    def why(self) -> str:
        """The comparison that decides, in words."""
        if self.value is None or self.distance is None:
            return "there is no effect"
        if self.distance < self.chance and not self.is_small:
            return f"the Jensen-Shannon distance {self.distance:.3g} is below {self.chance:.3g}, which chance reaches"
        relation = "is below" if self.is_small else "reaches"
        return f"the {self.measure.words} {self.value:.3g} {relation} {self.threshold:.3g}"

    @property
    def counts(self) -> bool:
        """Whether the change is large enough."""
        return not self.is_small and self.distance is not None and self.distance >= self.chance


@dataclass(frozen=True, kw_only=True)
class Case:
    """One feature's numbers, the rule that holds for it, and what is broken about it.

    `n_present` is the number of the window's cells with a value, `n_rows` of all; `unreadable` counts those that hold
    no value of the feature's type, by reason. With `needs_power` a quiet feature must have the rows that
    its comparison says are needed; where it says no number, none is enough.
    """

    comparison: Comparison
    rule: FeatureRule
    n_present: int = 0
    n_rows: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    violation: Violation | None = None
    needs_power: bool = False

    @property
    def is_tested(self) -> bool:
        """Whether its p-values are among those that are adjusted for each other."""
        return self.violation is None and not self.rule.ignore

    @property
    def effect(self) -> Effect:
        """The effect in the rule's measure; in the Jensen-Shannon distance where that one cannot be computed."""
        comparison, measure, threshold = self.comparison, self.rule.effect_measure, self.rule.effect_threshold
        distance = comparison.jensen_shannon_distance
        value = _value(comparison, measure)
        if value is None and measure is not EffectMeasure.JENSEN_SHANNON_DISTANCE:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold, value = DEFAULT_EFFECT_THRESHOLDS[measure], distance
        return Effect(measure, threshold, value, distance, comparison.null_q99_distance)


def _value(comparison: Comparison, measure: EffectMeasure) -> float | None:
    if measure is EffectMeasure.DRIFT_SCORE:
        return comparison.drift_score
    if measure is EffectMeasure.WASSERSTEIN_DISTANCE:
        return comparison.wasserstein_distance
    return comparison.jensen_shannon_distance
