"""Pearson's chi-square test of homogeneity."""

import math

import numpy as np
from numpy.typing import NDArray

from drift.counts import ValueCounts
from drift.statistics.cells import Cells, can_deal, deals
from drift.statistics.evidence import Evidence
from drift.statistics.log_tails import log_chi_square_tail

ASYMPTOTIC = "chi2_homogeneity"
MONTE_CARLO = "chi2_homogeneity_monte_carlo"
POOLED = "chi2_homogeneity_pooled"

_MAX_CELLS = 1000
_N_PERMUTATIONS = 9999
_MAX_NUMBERS = 4_000_000
"""Bound of deals times cells: half a second."""
_ENOUGH = 100
"""Deals as extreme as the window after which the p-value is known to a tenth of itself."""


def chi_square(cells: Cells, seed: int = 0) -> Evidence:
    """Test whether reference and window have the same relative frequencies.

    Null: both are drawn from one distribution over the union of labels. Both sides are samples: the reference is not
    taken as free of noise. The statistic is 0 or more, larger is worse. A single common label gives 0 and p = 1.
    Missing values are left out; unseen labels count in full, the rarest beyond 999 labels as one. The result names how
    the p-value came about:

    - asymptotic, where every expected count is 5 or more: the chi-square distribution, no continuity correction;
    - Monte Carlo, where one is not: the share of up to 9,999 random divisions of the pooled rows, seeded, whose
      statistic is as large; fewer where 100 of them are, or beyond 400 labels. Exact in level: never too small,
      whatever the counts, and nothing is pooled that could hide a new label. At least 0.0001;
    - pooled, where no division was as large and this p-value is smaller: the chi-square distribution on the table
      whose rarest labels count as one, so that every expected count is 5 or more. Dealing tells that a change is real,
      this how far beyond doubt.

    References
    ----------
    K. Pearson, "On the probability that two independent distributions of frequency are really samples from the same
    population" (1911); A. Hope, "A simplified Monte Carlo significance test procedure" (1968); J. Besag, P. Clifford,
    "Sequential Monte Carlo p-values" (1991).

    Examples
    --------
    >>> round(chi_square(Cells(np.array([10, 20]), np.array([20, 10]))).statistic, 4)
    6.6667
    """
    cells = _without_rarest(cells)
    freedom = len(cells.pooled) - 1
    if not freedom:
        return Evidence(ASYMPTOTIC, 0.0, 1.0)
    statistic = float(_statistics(cells, cells.window))
    if cells.sparse and can_deal(cells):
        return _dealt(cells, statistic, seed)
    return Evidence.of_log(ASYMPTOTIC, statistic, log_chi_square_tail(statistic, freedom))


def missing_chi_square(reference: ValueCounts, window: ValueCounts, seed: int = 0) -> Evidence:
    """Test whether a cell is missing as often in the window as in the reference; the same test on a 2 x 2 table.

    Raises
    ------
    ValueError
        If a side has no rows.
    """
    if not (reference.n_rows and window.n_rows):
        raise ValueError("both sides must have rows, got none on one of them")
    return chi_square(Cells.of_missing(reference, window), seed)


def _without_rarest(cells: Cells) -> Cells:
    # Which labels are rare is read off the pooled counts, which a random division leaves as they are.
    if len(cells.pooled) <= _MAX_CELLS:
        return cells
    rarest_last = np.argsort(-cells.pooled, kind="stable")
    starts = np.arange(_MAX_CELLS)
    return Cells(*(np.add.reduceat(side[rarest_last], starts) for side in (cells.reference, cells.window)))


def _statistics(cells: Cells, window: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the statistic of window counts of shape (..., n_cells), the pooled counts being those of `cells`."""
    n, n_pooled = cells.n_window, cells.n_reference + cells.n_window
    expected = cells.pooled * (n / n_pooled)
    # What the reference has too much the window has too little: one side's deviations tell both.
    return np.asarray(((window - expected) ** 2 / expected).sum(axis=-1) * (n_pooled / cells.n_reference))


def _dealt(cells: Cells, statistic: float, seed: int) -> Evidence:
    n_extreme, n_dealt = _extreme_deals(cells, seed)
    share = (n_extreme + (n_extreme < _ENOUGH)) / (n_dealt + 1)
    pooled = cells.without_sparse()
    # Only below what dealing can tell apart: there the level of either is kept whichever is taken.
    if not n_extreme and len(pooled.pooled) > 1:
        log_p = log_chi_square_tail(float(_statistics(pooled, pooled.window)), len(pooled.pooled) - 1)
        if log_p < math.log(share):
            return Evidence.of_log(POOLED, statistic, log_p)
    return Evidence(MONTE_CARLO, statistic, share)


def _extreme_deals(cells: Cells, seed: int) -> tuple[int, int]:
    """Return how many divisions were as extreme as the window, and of how many; the former is at most `_ENOUGH`."""
    # Equal divisions may differ in the last digit.
    observed = float(_statistics(cells, cells.window)) * (1 - 1e-12)
    n_extreme, n_dealt = 0, 0
    for batch in deals(cells, min(_N_PERMUTATIONS, _MAX_NUMBERS // len(cells.pooled)), seed):
        extreme = n_extreme + np.cumsum(_statistics(cells, batch) >= observed)
        if extreme[-1] >= _ENOUGH:
            return _ENOUGH, n_dealt + int(np.argmax(extreme >= _ENOUGH))
        n_extreme, n_dealt = int(extreme[-1]), n_dealt + len(batch)
    return n_extreme, n_dealt
