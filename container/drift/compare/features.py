"""One column of a window compared with the reference: every number, no judgement; and whether its schema holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import Contributor, Violation
from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.contract.training import finite_number
from plumbline.drift.data.counts import OTHER_LABELS, NumericCounts, ValueCounts, unknown
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.statistics.cells import Cells, top_contributors
from plumbline.drift.statistics.chi_square import missing_chi_square
from plumbline.drift.statistics.clumps import INDEPENDENT, DesignEffects, scaled, weakened
from plumbline.drift.statistics.common_shift import shifted_back, small_common_shift
from plumbline.drift.statistics.declaration import Evidence
from plumbline.drift.statistics.exceedance import exceedance
from plumbline.drift.statistics.power import Sought, min_sample_size
from plumbline.drift.statistics.registry import distribution_test, effect_statistic, effects


@dataclass(frozen=True, kw_only=True)
class ColumnComparison:
    """Everything computed of one column of a window.

    `evidence` is None where the distributions cannot be compared, and `not_compared` says why. `missing_evidence` is
    None where a change of the missing fraction is not to be judged. `notes` limit the comparison without preventing it.
    `effects` and other units are those of `plumbline.contract.records.FeatureReport`.
    """

    name: str
    type: FeatureType
    evidence: Evidence | None = None
    effects: Mapping[str, float] = field(default_factory=dict)
    null_q99: Mapping[str, float] = field(default_factory=dict)
    """By effect measure: what samples of these sizes reach by chance in one window of a hundred. Of the measures that
    may decide, the Jensen-Shannon distance always."""
    small_shift: float | None = None
    """By how much all values moved together, in the column's unit, where that is little; None: they did not, or it does
    not matter."""
    effect_without_shift: float | None = None
    """The sought effect once that is taken off."""
    tail_evidence: Evidence | None = None
    missing_fraction: float | None = None
    missing_fraction_reference: float | None = None
    missing_evidence: Evidence | None = None
    unseen_fraction: float | None = None
    out_of_range_fraction: float | None = None
    min_sample_size: int | None = None
    """Present values from which the sought effect is found; None: none was sought, or no number is enough."""
    relative_error: float | None = None
    """Of the values, where one side came in buckets; None: exact."""
    top_contributors: tuple[Contributor, ...] = ()
    """The cells that moved most, whatever the verdict will be."""
    not_compared: Reason | None = None
    notes: tuple[Reason, ...] = ()

    def effect(self, measure: EffectMeasure) -> float | None:
        """Return the effect by one measure, or None."""
        return self.effects.get(measure)

    @property
    def null_q99_distance(self) -> float:
        """Jensen-Shannon distance that samples of these sizes reach by chance in one window of a hundred."""
        return self.null_q99.get(EffectMeasure.JENSEN_SHANNON_DISTANCE, 0.0)


def compare(
    name: str,
    reference: ValueCounts,
    window: ValueCounts,
    *,
    sought: Sought | None = None,
    seed: int = 0,
    clumps: DesignEffects = INDEPENDENT,
) -> ColumnComparison:
    """Compare one column of the window with the reference's.

    Parameters
    ----------
    sought
        The effect that `min_sample_size` is about.
    seed
        Of the random divisions where counts are small, 0 or more.
    clumps
        How much less than independent rows those of either side tell.
    """
    comparison = ColumnComparison(
        name=name,
        type=FeatureType.NUMERIC if isinstance(reference, NumericCounts) else FeatureType.CATEGORICAL,
        missing_fraction=window.missing_fraction,
        missing_fraction_reference=reference.missing_fraction,
    )
    if not window.n_rows:
        return replace(comparison, not_compared=ReasonCode.WINDOW_WITHOUT_ROWS.reason())
    if None not in (reference.missing_fraction, window.missing_fraction):
        comparison = replace(comparison, missing_evidence=missing_chi_square(reference, window, seed))
        if clumps != INDEPENDENT:
            retained = clumps.retained(reference, window)
            comparison = replace(comparison, missing_evidence=scaled(comparison.missing_evidence, retained))
    for side, counts in (("reference", reference), ("window", window)):
        if not counts.n_present:
            return replace(comparison, not_compared=_no_value(side, counts))
    sides = comparable(reference, window)
    return _of_clumps(_with_distances(comparison, *sides, sought, seed), *sides, clumps)


def _of_clumps(
    comparison: ColumnComparison, reference: ValueCounts, window: ValueCounts, clumps: DesignEffects
) -> ColumnComparison:
    """Return the comparison as rows that come in blocks leave it: what chance reaches is more."""
    if clumps == INDEPENDENT or comparison.evidence is None:
        return comparison
    retained = clumps.retained(reference, window)
    size = comparison.min_sample_size
    return replace(
        comparison,
        evidence=weakened(comparison.evidence, reference, window, Cells.between(reference, window), retained),
        tail_evidence=scaled(comparison.tail_evidence, retained),
        null_q99={measure: value / math.sqrt(retained) for measure, value in comparison.null_q99.items()},
        min_sample_size=None if size is None else math.ceil(size * clumps.window),
    )


def comparable(reference: ValueCounts, window: ValueCounts) -> tuple[ValueCounts, ValueCounts]:
    """Return both sides in the same buckets, where either came in buckets."""
    if not (isinstance(reference, NumericCounts) and isinstance(window, NumericCounts)):
        return reference, window
    if (reference.relative_error is None) == (window.relative_error is None):
        return reference, window
    if reference.relative_error is None:
        return bucketed(reference), window
    return reference, bucketed(window)


def _no_value(side: str, counts: ValueCounts) -> Reason:
    if not counts.n_rows:
        return ReasonCode.SIDE_WITHOUT_ROWS.reason(side=side)
    condition = "unreadable or missing" if counts.n_unreadable else "missing"
    return ReasonCode.SIDE_WITHOUT_VALUES.reason(condition=condition, side=side)


def _with_distances(
    comparison: ColumnComparison, reference: ValueCounts, window: ValueCounts, sought: Sought | None, seed: int
) -> ColumnComparison:
    cells = Cells.between(reference, window)
    found = effects(comparison.type, reference, window, cells)
    large = [measure for measure, size in _sizes(sought).items() if found.get(measure, 0.0) >= size]
    comparison = replace(
        comparison,
        effects=found,
        evidence=distribution_test(reference, window, cells, seed),
        null_q99={
            measure: effect_statistic(measure).null_quantile(reference, window, cells, seed)
            # The Jensen-Shannon distance's costs nothing in most windows; others matter where they may decide.
            for measure in dict.fromkeys([EffectMeasure.JENSEN_SHANNON_DISTANCE, *large])
        },
        min_sample_size=min_sample_size(cells, sought) if sought else None,
        top_contributors=top_contributors(cells),
    )
    unknown_fraction = int(window.counts[unknown(reference, window.values)].sum()) / window.n_present
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        if sought and sought.measure in large:
            comparison = _without_small_shift(comparison, reference, window, sought)
        return replace(
            comparison,
            out_of_range_fraction=unknown_fraction,
            tail_evidence=exceedance(reference, window),
            relative_error=window.relative_error,
            notes=_numeric_notes(reference, window, comparison),
        )
    if OTHER_LABELS in reference.values:
        return replace(comparison, notes=(ReasonCode.BOUNDED_LABELS.reason(),))
    return replace(comparison, unseen_fraction=unknown_fraction)


def _sizes(sought: Sought | None) -> dict[EffectMeasure, float]:
    """Return the effects that may decide, with the size from which each does."""
    measure = EffectMeasure.WASSERSTEIN_DISTANCE
    tail = {measure: measure.declaration.default_threshold}
    return {**tail, sought.measure: sought.size} if sought else tail


def _without_small_shift(
    comparison: ColumnComparison, reference: NumericCounts, window: NumericCounts, sought: Sought
) -> ColumnComparison:
    """Measure the effect once more without a small shift of all values, which bins may exaggerate.

    Where an edge of a bin lies next to an atom, a shift of 0.08 standard deviations has been seen to have a
    Jensen-Shannon distance of 0.6.
    """
    shift = small_common_shift(reference, window)
    if shift is None or sought.measure is EffectMeasure.WASSERSTEIN_DISTANCE:
        return comparison
    moved = shifted_back(window, shift, reference)
    rest = effect_statistic(sought.measure).compute(reference, moved, Cells.between(reference, moved))
    return replace(comparison, small_shift=shift, effect_without_shift=rest)


def _numeric_notes(reference: NumericCounts, window: NumericCounts, comparison: ColumnComparison) -> tuple[Reason, ...]:
    notes = []
    if comparison.effect(EffectMeasure.WASSERSTEIN_DISTANCE) is None:
        notes.append(ReasonCode.NO_WASSERSTEIN_DISTANCE.reason())
    if window.relative_error is not None:
        # Within a bucket the distribution functions move apart by its larger share at most.
        bound = max(int(side.counts.max()) / side.n_present for side in (reference, window))
        notes.append(ReasonCode.BUCKETED_VALUES.reason(relative_error=window.relative_error, bound=bound))
    return tuple(notes)


MIN_UNREADABLE = 10
"""Unreadable cells from which on their fraction counts, where they are not the most."""
MIN_LABELS = 20
"""Labels from which on a column of nothing but numbers counts as numeric: a few labels may look so by chance."""


@dataclass(frozen=True)
class SchemaFinding:
    """A broken column: which check it fails, and why."""

    violation: Violation
    reason: Reason

    @property
    def is_drift(self) -> bool:
        """Whether the finding is a verdict by itself: the values came, and too many of them are none."""
        return has_code(self.reason, ReasonCode.UNREADABLE_COLUMN)


def schema_finding(
    reference: ValueCounts, window: ValueCounts | None, unreadable_threshold: float = 0.5
) -> SchemaFinding | None:
    """Return what is wrong with a column of the window, or None.

    It is missing when no row names it. It is of another type when at least the fraction `unreadable_threshold` of the
    cells that hold anything are unreadable (10 of them, or more than can be read), or when all labels (20 at least) are
    numbers and fewer than half of the reference's are.
    """
    if window is None or (window.n_rows and window.n_absent == window.n_rows):
        return SchemaFinding(Violation.MISSING_COLUMN, ReasonCode.MISSING_COLUMN.reason())
    n_unreadable, n_values = window.n_unreadable, window.n_unreadable + window.n_present
    are_many = n_unreadable >= MIN_UNREADABLE and n_unreadable >= unreadable_threshold * n_values
    if are_many or n_unreadable > window.n_present:
        fraction = n_unreadable / n_values
        return SchemaFinding(Violation.DATA_TYPE, ReasonCode.UNREADABLE_COLUMN.reason(percent=100 * fraction))
    if isinstance(reference, NumericCounts) or window.n_present < MIN_LABELS or not reference.n_present:
        return None
    if _numeric_cells(window) < window.n_present or 2 * _numeric_cells(reference) >= reference.n_present:
        return None
    return SchemaFinding(Violation.DATA_TYPE, ReasonCode.LABELS_ARE_NUMBERS.reason())


def _numeric_cells(labels: ValueCounts) -> int:
    """Return how many cells hold a label that reads as a number."""
    return sum(
        number
        for label, number in zip(labels.values.tolist(), labels.counts.tolist(), strict=True)
        if finite_number(label) is not None
    )
