"""Pearson's chi-square test of homogeneity."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from drift.counts import ValueCounts
from drift.statistics.cells import Cells
from drift.statistics.evidence import Evidence

TEST = "chi2_homogeneity"


def chi_square(cells: Cells) -> Evidence:
    """Test whether reference and window have the same relative frequencies.

    Null: both are drawn from one distribution over the union of labels. Both sides are samples: the reference is not
    taken as free of noise. The p-value is asymptotic (no continuity correction); the statistic is 0 or more, larger
    is worse. A single common label gives 0 and p = 1. Missing values are left out; unseen labels count in full.

    References
    ----------
    K. Pearson, "On the probability that two independent distributions of frequency are really samples from the same
    population" (1911).

    Examples
    --------
    >>> round(chi_square(Cells(np.array([10, 20]), np.array([20, 10]))).statistic, 4)
    6.6667
    """
    return _homogeneity(np.stack([cells.reference, cells.window]))


def missing_chi_square(reference: ValueCounts, window: ValueCounts) -> Evidence:
    """Test whether a cell is missing as often in the window as in the reference; the same test on a 2 x 2 table.

    Raises
    ------
    ValueError
        If a side has no rows.
    """
    if not (reference.n_rows and window.n_rows):
        raise ValueError("both sides must have rows, got none on one of them")
    table = np.array([[side.n_present, side.n_missing] for side in (reference, window)], dtype=np.int64)
    return _homogeneity(table[:, table.sum(axis=0) > 0])


def _homogeneity(table: NDArray[np.int64]) -> Evidence:
    result = chi2_contingency(table, correction=False)
    return Evidence(TEST, float(result.statistic), float(result.pvalue))
