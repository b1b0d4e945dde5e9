"""One feature before its verdict: its numbers, the rule that holds for it, and its effect."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contract.reasons import Reason, ReasonCode
from contract.records import EffectMeasure
from contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from drift.features import ColumnComparison, SchemaFinding
from drift.policy import FeatureRule


@dataclass(frozen=True)
class Effect:
    """The magnitude of a change, and the threshold from which it counts.

    `distance` is the Jensen-Shannon distance, which must also reach `null_q99_distance`, whatever the measure.
    """

    measure: EffectMeasure
    threshold: float
    value: float | None
    distance: float | None
    null_q99_distance: float

    @property
    def sought(self) -> str:
        """The smallest change that counts, in words."""
        return f"a {self.measure.words} of {self.threshold:g}"

    @property
    def is_small(self) -> bool:
        """Whether the change stays below its threshold, whatever chance reaches."""
        return self.value is None or self.value < self.threshold

    @property
    def counts(self) -> bool:
        """Whether the change is large enough."""
        return not self.is_small and self.distance is not None and self.distance >= self.null_q99_distance

    @property
    def reason(self) -> Reason:
        """The comparison that decides whether the change counts."""
        if self.value is None or self.distance is None:
            return ReasonCode.NO_EFFECT.reason()
        if self.distance < self.null_q99_distance and not self.is_small:
            return ReasonCode.EFFECT_WITHIN_CHANCE.reason(distance=self.distance, null_q99=self.null_q99_distance)
        code = ReasonCode.EFFECT_BELOW_THRESHOLD if self.is_small else ReasonCode.EFFECT_REACHES_THRESHOLD
        return code.reason(measure=self.measure.words, value=self.value, threshold=self.threshold)


@dataclass(frozen=True, kw_only=True)
class FeatureCase:
    """One feature's numbers, the rule that holds for it, and the schema check that it fails, if any.

    `n_present` is the number of the window's cells with a value, `n_rows` of all; `unreadable` counts those that hold
    no value of the feature's type, by reason. With `needs_power`, no drift is only found in at least
    `ColumnComparison.min_sample_size` values; where that is None, no number is enough.
    """

    comparison: ColumnComparison
    rule: FeatureRule
    n_present: int = 0
    n_rows: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    finding: SchemaFinding | None = None
    needs_power: bool = False

    @property
    def is_tested(self) -> bool:
        """Whether its p-values are among those that are adjusted for each other."""
        return self.finding is None and not self.rule.ignore

    @property
    def notes(self) -> tuple[Reason, ...]:
        """What limits the comparison without preventing it."""
        n_unreadable = sum(self.unreadable.values())
        if not n_unreadable:
            return self.comparison.notes
        unreadable = ReasonCode.UNREADABLE_CELLS.reason(n_unreadable=n_unreadable, n_cells=self.n_rows)
        return (*self.comparison.notes, unreadable)

    @property
    def effect(self) -> Effect:
        """The effect in the rule's measure; in the Jensen-Shannon distance where that one cannot be computed."""
        comparison, measure, threshold = self.comparison, self.rule.effect_measure, self.rule.effect_threshold
        distance = comparison.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE)
        value = comparison.effect(measure)
        if value is None and measure is not EffectMeasure.JENSEN_SHANNON_DISTANCE:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold, value = DEFAULT_EFFECT_THRESHOLDS[measure], distance
        return Effect(measure, threshold, value, distance, comparison.null_q99_distance)
