"""Exceedance test: more of the window in the reference's tails, or beyond them, than chance puts there."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.declaration import Evidence

TAIL_FRACTIONS = (0.0, 0.001, 0.01, 0.05)
"""Tails that are tested on each side, as fractions of the reference; 0 is what lies beyond all of it."""


def exceedance(reference: NumericCounts, window: NumericCounts) -> Evidence | None:
    """Test whether the window has more values in a tail than the reference.

    Null: both are drawn from one distribution. The number of the window's n values beyond the k-th outermost of the
    reference's N is then beta-binomial with parameters n, k and N - k + 1, whatever the distribution; beyond either
    end, n, 2 and N - 1. One-sided: a heavier tail counts, a lighter one does not. Of the tails tested the smallest
    p-value is taken, times their number (Bonferroni). Equal values make it larger than exact, never smaller. The
    statistic is the fraction of the window's values in that tail, 0 to 1. Missing values are left out.

    None where a side has no present value.

    References
    ----------
    E. Gumbel, H. von Schelling, "The distribution of the number of exceedances" (1950); S. Wilks, "Determination of
    sample sizes for setting tolerance limits" (1941).

    Examples
    --------
    One value beyond the largest and the smallest of 99: two of a hundred places.

    >>> found = exceedance(NumericCounts.of(np.arange(99.0)), NumericCounts.of(np.array([200.0])))
    >>> round(found.p_value / 7, 4)
    0.01
    """
    n_reference, n_window = reference.n_present, window.n_present
    if not (n_reference and n_window):
        return None
    ranks = sorted({max(math.ceil(fraction * n_reference), 1) for fraction in TAIL_FRACTIONS})
    upto_reference, upto_window = np.cumsum(reference.counts), np.cumsum(window.counts)
    tails = []
    for rank in ranks:
        low = reference.values[np.searchsorted(upto_reference, rank - 1, side="right")]
        high = reference.values[np.searchsorted(upto_reference, n_reference - rank, side="right")]
        below = _counted(upto_window, int(np.searchsorted(window.values, low, side="left")))
        above = n_window - _counted(upto_window, int(np.searchsorted(window.values, high, side="right")))
        tails += [(below, rank), (above, rank)]
        if rank == 1:
            tails.append((below + above, 2))
    log_p, n_beyond = min((_log_tail(count, n_window, rank, n_reference), -count) for count, rank in tails)
    return Evidence.of_log(HypothesisTest.EXCEEDANCE, -n_beyond / n_window, log_p + math.log(len(tails)))


def _counted(upto: NDArray[np.int64], n_values: int) -> int:
    return int(upto[n_values - 1]) if n_values else 0


def _log_tail(count: int, n_window: int, rank: int, n_reference: int) -> float:
    """Return the logarithm of the chance that `count` or more values lie beyond `rank` of the reference's.

    They do where at most `rank - 1` of the outermost ``count + rank - 1`` values of both sides are the reference's: the
    lower tail of a hypergeometric distribution.
    """
    if not count:
        return 0.0
    outermost = count + rank - 1
    ours = np.arange(max(outermost - n_window, 0), min(rank, n_reference + 1))
    terms = _log_choose(n_reference, ours) + _log_choose(n_window, outermost - ours)
    return min(float(special.logsumexp(terms)) - float(_log_choose(n_reference + n_window, np.array(outermost))), 0.0)


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))
