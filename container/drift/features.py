"""One feature, or the captured probability, compared with the reference: every number, no judgement."""

from dataclasses import dataclass, replace

from contract.records import FeatureType, Part, Violation
from contract.training import finite_number
from drift.counts import OTHER_LABELS, NumericCounts, ValueCounts, unknown
from drift.sketch import bucketed
from drift.statistics.cells import Cells, largest_moves
from drift.statistics.chi_square import chi_square, missing_chi_square
from drift.statistics.drift_score import drift_score
from drift.statistics.evidence import Evidence
from drift.statistics.jensen_shannon import jensen_shannon_distance, null_quantile
from drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from drift.statistics.power import Sought, min_sample_size
from drift.statistics.wasserstein import wasserstein

_BOUNDED = "the reference has more labels than are told apart: which of the window's are new is not known"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What can be said about one column of a window.

    `evidence` is None where the distributions cannot be compared, and `reason` says why. `missing_evidence` is None
    where a change of the missing fraction is not to be judged. Units are those of `contract.records.FeatureReport`.
    """

    name: str
    type: FeatureType
    evidence: Evidence | None = None
    drift_score: float | None = None
    wasserstein_distance: float | None = None
    jensen_shannon_distance: float | None = None
    null_q99_distance: float = 0.0
    """Jensen-Shannon distance that samples of these sizes reach by chance in one window of a hundred."""
    missing_fraction: float | None = None
    missing_fraction_reference: float | None = None
    missing_evidence: Evidence | None = None
    unseen_fraction: float | None = None
    out_of_range_fraction: float | None = None
    min_sample_size: int | None = None
    """Present values from which the effect that was asked for is found; None: not asked, or no number is enough."""
    relative_error: float | None = None
    """Of the values, where one side came in buckets; None: exact."""
    parts: tuple[Part, ...] = ()
    """The cells that moved most, whatever the verdict will be."""
    reason: str = ""


def compare(
    name: str, reference: ValueCounts, window: ValueCounts, *, sought: Sought | None = None, seed: int = 0
) -> Comparison:
    """Compare one column of the window with the reference's.

    Parameters
    ----------
    sought
        The effect that `min_sample_size` is about.
    seed
        Of the random divisions where counts are small, 0 or more.
    """
    comparison = Comparison(
        name=name,
        type=FeatureType.NUMERIC if isinstance(reference, NumericCounts) else FeatureType.CATEGORICAL,
        missing_fraction=window.missing_fraction,
        missing_fraction_reference=reference.missing_fraction,
    )
    if not window.n_rows:
        return replace(comparison, reason="the window has no rows")
    if reference.n_rows:
        comparison = replace(comparison, missing_evidence=missing_chi_square(reference, window, seed))
    for side, counts in (("reference", reference), ("window", window)):
        if not counts.n_present:
            return replace(comparison, reason=_no_value(side, counts))
    return _with_distances(comparison, *comparable(reference, window), sought, seed)


def comparable(reference: ValueCounts, window: ValueCounts) -> tuple[ValueCounts, ValueCounts]:
    """Return both sides in the same buckets, where either came in buckets."""
    if not (isinstance(reference, NumericCounts) and isinstance(window, NumericCounts)):
        return reference, window
    if (reference.relative_error is None) == (window.relative_error is None):
        return reference, window
    if reference.relative_error is None:
        return bucketed(reference), window
    return reference, bucketed(window)


def _no_value(side: str, counts: ValueCounts) -> str:
    if not counts.n_rows:
        return f"the {side} has no rows"
    return f"every value is {'unreadable or missing' if counts.n_unreadable else 'missing'} in the {side}"


def _with_distances(
    comparison: Comparison, reference: ValueCounts, window: ValueCounts, sought: Sought | None, seed: int
) -> Comparison:
    cells = Cells.between(reference, window)
    comparison = replace(
        comparison,
        drift_score=drift_score(cells),
        jensen_shannon_distance=jensen_shannon_distance(cells),
        null_q99_distance=null_quantile(cells, seed),
        min_sample_size=min_sample_size(cells, sought) if sought else None,
        parts=largest_moves(cells),
    )
    unknown_fraction = int(window.counts[unknown(reference, window.values)].sum()) / window.n_present
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        distance = wasserstein(reference, window)
        return replace(
            comparison,
            evidence=kolmogorov_smirnov(reference, window),
            wasserstein_distance=distance,
            out_of_range_fraction=unknown_fraction,
            relative_error=window.relative_error,
            reason="; ".join(_numeric_notes(reference, window, distance)),
        )
    comparison = replace(comparison, evidence=chi_square(cells, seed))
    if OTHER_LABELS in reference.values:
        return replace(comparison, reason=_BOUNDED)
    return replace(comparison, unseen_fraction=unknown_fraction)


def _numeric_notes(reference: NumericCounts, window: NumericCounts, distance: float | None) -> list[str]:
    notes = []
    if distance is None:
        notes.append("no Wasserstein distance: the reference is constant or a value is infinite")
    if window.relative_error is not None:
        # Within a bucket the distribution functions move apart by its larger share at most.
        largest = max(int(side.counts.max()) / side.n_present for side in (reference, window))
        notes.append(
            f"values counted in buckets of {window.relative_error:.1%}: the Kolmogorov-Smirnov statistic of the values "
            f"themselves is larger by {largest:.3g} at most"
        )
    return notes


MIN_LABELS = 20
"""Fewer labels that all read as numbers say nothing: some labels of an ordinary column may."""


@dataclass(frozen=True)
class SchemaFinding:
    """A broken column: which check it fails, and why."""

    violation: Violation
    reason: str


def schema_finding(reference: ValueCounts, window: ValueCounts | None) -> SchemaFinding | None:
    """Return what is wrong with a column of the window, or None.

    It is missing when no row names it. Its type changed when more of its cells are unreadable than can be read, or
    when all labels (20 at least) are numbers and fewer than half of the reference's are.
    """
    if window is None or (window.n_rows and window.n_absent == window.n_rows):
        return SchemaFinding(Violation.MISSING_COLUMN, "no row of the window names it")
    if window.n_unreadable > window.n_present:
        share = window.n_unreadable / (window.n_unreadable + window.n_present)
        return SchemaFinding(Violation.DATA_TYPE, f"{100 * share:.0f} % of its values cannot be read")
    if isinstance(reference, NumericCounts) or window.n_present < MIN_LABELS or not reference.n_present:
        return None
    if _numeric_cells(window) < window.n_present or 2 * _numeric_cells(reference) >= reference.n_present:
        return None
    return SchemaFinding(Violation.DATA_TYPE, "all of its labels are numbers, and most of the reference's are not")


def _numeric_cells(labels: ValueCounts) -> int:
    """Return how many cells hold a label that reads as a number."""
    return sum(
        number
        for label, number in zip(labels.values.tolist(), labels.counts.tolist(), strict=True)
        if finite_number(label) is not None
    )
