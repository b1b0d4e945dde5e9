"""Jensen-Shannon distance, and how far it strays from zero by chance."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from drift.statistics.cells import Cells


def jensen_shannon_distance(cells: Cells) -> float:
    """Return the square root of the Jensen-Shannon divergence, base 2.

    No null; see `null_quantile` for its chance level. Range 0 (equal) to 1 (nothing in common); larger is worse.
    Symmetric. Missing values are left out; unseen labels count in full.

    References
    ----------
    J. Lin, "Divergence measures based on the Shannon entropy" (1991); D. Endres, J. Schindelin, "A new metric for
    probability distributions" (2003).

    Examples
    --------
    >>> jensen_shannon_distance(Cells(np.array([5, 0]), np.array([0, 9])))
    1.0
    """
    p, q = cells.shares
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    held = p > 0
    return float(np.sum(p[held] * np.log2(p[held] / q[held])))


def null_quantile(cells: Cells, level: float = 0.99) -> float:
    """Return the distance that two samples of one distribution stay below with probability `level`.

    Null: both sides are drawn from one distribution over these cells. Then the divergence is, to second order,
    ``(1/n + 1/N) / (8 ln 2)`` times a chi-square variable with ``n_cells - 1`` degrees of freedom, n and N the
    sizes of window and reference. 0 for a single cell; may exceed 1 where a handful of rows can show nothing.

    References
    ----------
    I. Csiszar, P. Shields, "Information Theory and Statistics: A Tutorial" (2004), theorem 4.1 (f-divergences near
    equality).

    Examples
    --------
    >>> round(null_quantile(Cells(np.full(41, 488), np.full(41, 49))), 2)
    0.08
    """
    freedom = len(cells.reference) - 1
    if freedom < 1:
        return 0.0
    spread = 1 / int(cells.reference.sum()) + 1 / int(cells.window.sum())
    return math.sqrt(float(chi2.ppf(level, freedom)) * spread / (8 * math.log(2)))
