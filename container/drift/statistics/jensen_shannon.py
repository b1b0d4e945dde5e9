"""Jensen-Shannon distance, and its null distribution."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.statistics.cells import Cells, can_permute, permutation_quantile
from plumbline.drift.statistics.declaration import EffectStatistic


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
    return math.sqrt(min(max(float(_divergence(*cells.shares)), 0.0), 1.0))


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the divergences of rows of shares: shape (..., n_cells) to shape (...,)."""
    middle = (p + q) / 2
    return np.asarray((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(axis=-1))


def null_quantile(cells: Cells, seed: int = 0, level: float = 0.99) -> float:
    """Return the distance that two samples of one distribution stay below with probability `level`.

    Null: both sides are drawn from one distribution over these cells. Where every expected count is 5 or more, the
    divergence is, to second order, ``(1/n + 1/N) / (8 ln 2)`` times a chi-square variable with ``n_cells - 1`` degrees
    of freedom, n and N the sizes of window and reference. Where one is less, that is too small for some sizes (the
    distance is exceeded in 5 windows of a hundred, not in 1) and too large for others: there it is the quantile of
    1,999 random divisions of the pooled rows, seeded; of fewer beyond 500 labels, and beyond 2,000 it is taken from
    their mean and standard deviation. 0 for a single cell; may exceed 1 where a handful of rows can show nothing.

    References
    ----------
    I. Csiszar, P. Shields, "Information Theory and Statistics: A Tutorial" (2004), theorem 4.1 (f-divergences near
    equality).

    Examples
    --------
    >>> round(null_quantile(Cells(np.full(41, 488), np.full(41, 49))), 2)
    0.08
    """
    freedom = len(cells.pooled) - 1
    if freedom < 1:
        return 0.0
    if cells.sparse and can_permute(cells):
        return _permutation_quantile(cells, seed, level)
    return limit_null_quantile(cells, level)


def limit_null_quantile(cells: Cells, level: float = 0.99) -> float:
    """Return what `null_quantile` does of large counts, which is quickly computed of any."""
    freedom, spread = len(cells.pooled) - 1, 1 / cells.n_reference + 1 / cells.n_window
    return math.sqrt(float(special.chdtri(freedom, 1 - level)) * spread / (8 * math.log(2))) if freedom else 0.0


def _permutation_quantile(cells: Cells, seed: int, level: float) -> float:
    return math.sqrt(max(permutation_quantile(cells, _divergence, seed, level), 0.0))


def _noncentrality(distance: float) -> float:
    """Return ``8 ln 2 * d**2``: the second-order expansion of the divergence."""
    return 8 * math.log(2) * distance**2


JENSEN_SHANNON = EffectStatistic(
    EffectMeasure.JENSEN_SHANNON_DISTANCE,
    lambda _reference, _window, cells: jensen_shannon_distance(cells),
    lambda _reference, _window, cells, seed: null_quantile(cells, seed),
    _noncentrality,
)
