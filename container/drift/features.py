"""One feature, or the captured probability, compared with the reference: every number, no judgement."""

from dataclasses import dataclass, replace

from contract.records import FeatureType, Part
from drift.counts import NumericCounts, ValueCounts, unknown
from drift.statistics.cells import Cells
from drift.statistics.chi_square import chi_square, missing_chi_square
from drift.statistics.drift_score import drift_score
from drift.statistics.evidence import Evidence
from drift.statistics.jensen_shannon import jensen_shannon_distance, null_quantile
from drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from drift.statistics.wasserstein import wasserstein


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
    chance_distance: float = 0.0
    """Jensen-Shannon distance that samples of these sizes reach by chance in one window of a hundred."""
    missing_fraction: float | None = None
    missing_fraction_reference: float | None = None
    missing_evidence: Evidence | None = None
    unseen_fraction: float | None = None
    out_of_range_fraction: float | None = None
    rows_needed: int | None = None
    relative_error: float | None = None
    parts: tuple[Part, ...] = ()
    reason: str = ""


def compare(name: str, reference: ValueCounts, window: ValueCounts) -> Comparison:
    """Compare one column of the window with the reference's."""
    comparison = Comparison(
        name=name,
        type=FeatureType.NUMERIC if isinstance(reference, NumericCounts) else FeatureType.CATEGORICAL,
        missing_fraction=window.missing_fraction,
        missing_fraction_reference=reference.missing_fraction,
    )
    if not window.n_rows:
        return replace(comparison, reason="the window has no rows")
    comparison = replace(comparison, missing_evidence=missing_chi_square(reference, window))
    for side, counts in (("reference", reference), ("window", window)):
        if not counts.n_present:
            return replace(comparison, reason=f"every value is missing in the {side}")
    return _with_distances(comparison, reference, window)


def _with_distances(comparison: Comparison, reference: ValueCounts, window: ValueCounts) -> Comparison:
    cells = Cells.between(reference, window)
    comparison = replace(
        comparison,
        drift_score=drift_score(cells),
        jensen_shannon_distance=jensen_shannon_distance(cells),
        chance_distance=null_quantile(cells),
    )
    unknown_fraction = int(window.counts[unknown(reference, window.values)].sum()) / window.n_present
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        distance = wasserstein(reference, window)
        return replace(
            comparison,
            evidence=kolmogorov_smirnov(reference, window),
            wasserstein_distance=distance,
            out_of_range_fraction=unknown_fraction,
            reason=""
            if distance is not None
            else "no Wasserstein distance: the reference is constant or a value is infinite",
        )
    return replace(comparison, evidence=chi_square(cells), unseen_fraction=unknown_fraction)
