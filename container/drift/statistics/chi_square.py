"""Pearson's chi-square test of homogeneity."""

import math

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.statistics.cells import Cells, can_permute, permutations
from plumbline.drift.statistics.declaration import Evidence
from plumbline.drift.statistics.log_tails import log_chi_square_tail

_MAX_CELLS = 1000
_N_PERMUTATIONS = 9999
_MAX_NUMBERS = 4_000_000
"""Bound of permutations times cells: half a second."""
_ENOUGH = 100
"""Permutations as extreme as the window after which the p-value is known to a tenth of itself."""


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
      whose rarest labels count as one, so that every expected count is 5 or more. The permutations show that a
      change is real, this p-value how far beyond doubt.

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
        return Evidence(HypothesisTest.CHI_SQUARE, 0.0, 1.0)
    statistic = float(_statistics(cells, cells.window))
    if cells.sparse and can_permute(cells):
        return _by_permutation(cells, statistic, seed)
    return Evidence.of_log(HypothesisTest.CHI_SQUARE, statistic, log_chi_square_tail(statistic, freedom))


def missing_chi_square(reference: ValueCounts, window: ValueCounts, seed: int = 0) -> Evidence:
    """Test whether a cell is missing as often in the window as in the reference; the same test on a 2 x 2 table.

    Raises
    ------
    ValueError
        If a side has no readable cell.
    """
    if None in (reference.missing_fraction, window.missing_fraction):
        raise ValueError("both sides must have readable cells, got none on one of them")
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
    # The deviations of the sides are opposite: one side's give the whole statistic.
    return np.asarray(((window - expected) ** 2 / expected).sum(axis=-1) * (n_pooled / cells.n_reference))


def _by_permutation(cells: Cells, statistic: float, seed: int) -> Evidence:
    n_extreme, n_drawn = _extreme_permutations(cells, seed)
    share = (n_extreme + (n_extreme < _ENOUGH)) / (n_drawn + 1)
    pooled = cells.without_sparse()
    # Only below what permutations can resolve: there the level of either is kept whichever is taken.
    if not n_extreme and len(pooled.pooled) > 1:
        log_p = log_chi_square_tail(float(_statistics(pooled, pooled.window)), len(pooled.pooled) - 1)
        if log_p < math.log(share):
            return Evidence.of_log(HypothesisTest.CHI_SQUARE_POOLED, statistic, log_p)
    return Evidence(HypothesisTest.CHI_SQUARE_MONTE_CARLO, statistic, share)


def _extreme_permutations(cells: Cells, seed: int) -> tuple[int, int]:
    """Return how many divisions were as extreme as the window, and of how many; the former is at most `_ENOUGH`."""
    # Equal divisions may differ in the last digit.
    observed = float(_statistics(cells, cells.window)) * (1 - 1e-12)
    n_extreme, n_drawn = 0, 0
    for batch in permutations(cells, min(_N_PERMUTATIONS, _MAX_NUMBERS // len(cells.pooled)), seed):
        extreme = n_extreme + np.cumsum(_statistics(cells, batch) >= observed)
        if extreme[-1] >= _ENOUGH:
            return _ENOUGH, n_drawn + int(np.argmax(extreme >= _ENOUGH))
        n_extreme, n_drawn = int(extreme[-1]), n_drawn + len(batch)
    return n_extreme, n_drawn
