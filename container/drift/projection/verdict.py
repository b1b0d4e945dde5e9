"""Whether a projected accuracy dropped: by enough to matter, and by more than chance."""

from dataclasses import replace

from contract.accuracy import ProjectedAccuracy
from contract.records import Verdict
from drift.statistics.proportion import ONE_SIDED_QUANTILE


def with_verdict(projected: ProjectedAccuracy, deviation: float) -> ProjectedAccuracy:
    """Return the estimate with its verdict.

    Drift when the drop is `tolerance` or more and above 1.645 standard deviations: when the upper end of a one-sided 95
    % interval is below the reference.

    Parameters
    ----------
    deviation
        Standard deviation of the realised accuracy about the estimate.
    """
    drop, tolerance = projected.drop or 0.0, projected.tolerance or 0.0
    numbers = (
        f"expected {100 * (projected.reference or 0) - 100 * drop:.1f} %, {100 * (projected.reference or 0):.1f} %"
    )
    chance = ONE_SIDED_QUANTILE * deviation
    if drop >= tolerance and drop > chance:
        why, verdict = f"{100 * drop:.1f} points lower, more than chance makes it ({100 * chance:.1f})", Verdict.DRIFT
    elif drop >= tolerance:
        why, verdict = f"{100 * drop:.1f} points lower, which chance reaches ({100 * chance:.1f})", Verdict.NO_DRIFT
    else:
        why, verdict = f"no lower by {100 * tolerance:g} points", Verdict.NO_DRIFT
    return replace(projected, verdict=verdict, verdict_reason=f"{numbers} on the labelled test set: {why}")
