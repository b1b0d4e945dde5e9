"""Two-sample Kolmogorov-Smirnov test."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from drift.counts import NumericCounts
from drift.statistics.evidence import Evidence
from drift.statistics.ks_exact import Walk
from drift.statistics.ks_limit import log_kolmogorov_tail

EXACT = "ks_2samp_exact"
ASYMPTOTIC = "ks_2samp_asymptotic"


def kolmogorov_smirnov(reference: NumericCounts, window: NumericCounts) -> Evidence:
    """Test whether the window has the reference's distribution function.

    Null: both are drawn from one distribution. The statistic is the largest distance of the two empirical distribution
    functions: 0 (equal) to 1 (disjoint), larger is worse; it depends on ranks only. Missing values are left out. Time
    and memory are those of the distinct values, not of the rows. The result names how the p-value came about:

    - exact: the share of all divisions of the pooled rows that are as far apart as observed, with the ties as they are;
      wherever the smaller side has 10,000 values or fewer, or the distinct values are few;
    - asymptotic: beyond, where it takes more than about a second, and where the p-value is below 1e-30. With many ties
      it is too large.

    Raises
    ------
    ValueError
        If a side has no present value.

    References
    ----------
    J. Hodges, "The significance probability of the Smirnov two-sample test" (1958).

    Examples
    --------
    >>> import numpy as np
    >>> kolmogorov_smirnov(NumericCounts.of(np.arange(4.0)), NumericCounts.of(np.arange(4.0, 8.0))).statistic
    1.0
    """
    if not (reference.n_present and window.n_present):
        raise ValueError("both sides must have a present value, got none on one of them")
    walk = Walk.between(*_aligned(reference, window))
    if walk.feasible:
        return Evidence(EXACT, walk.distance, walk.probability())
    return Evidence.of_log(ASYMPTOTIC, walk.distance, _log_limit(walk))


def _aligned(reference: NumericCounts, window: NumericCounts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    union = np.union1d(reference.values, window.values)
    sides = np.zeros((2, len(union)), dtype=np.int64)
    for counts, side in zip(sides, (reference, window), strict=True):
        counts[np.searchsorted(union, side.values)] = side.counts
    return sides[0], sides[1]


def _log_limit(walk: Walk) -> float:
    if walk.distance == 1:
        # At most two divisions of all are disjoint; the limit's tail has come to an end here.
        n, k = walk.n_pooled, walk.n_smaller
        return math.log(2) + float(special.gammaln(k + 1) + special.gammaln(n - k + 1) - special.gammaln(n + 1))
    return log_kolmogorov_tail(round(walk.n_effective), walk.distance)
