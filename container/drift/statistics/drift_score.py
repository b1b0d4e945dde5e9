"""Drift score: total difference of relative frequencies, in percent."""

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.statistics.cells import Cells, can_permute, permutation_quantile
from plumbline.drift.statistics.declaration import EffectStatistic


def drift_score(cells: Cells) -> float:
    """Return ``100 * sum(|p - q|)`` over the union of labels or bins.

    No null; see `_null_quantile` for its chance level. Biased upwards in small windows. Range 0 (equal) to 200 (nothing
    in common; a category that replaces another wholly); larger is worse. Missing values are left out; unseen labels and
    values outside the reference's range count in full.

    References
    ----------
    Twice the total variation distance, in percent: D. Levin, Y. Peres, "Markov Chains and Mixing Times" (2nd ed.,
    2017), proposition 4.2.

    Examples
    --------
    >>> drift_score(Cells(np.array([92, 8]), np.array([40, 60])))
    104.0
    """
    return min(float(_scores(*cells.shares)), 200.0)


def _scores(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores of rows of shares: shape (..., n_cells) to shape (...,)."""
    return np.asarray(100 * np.abs(p - q).sum(axis=-1))


def _null_quantile(cells: Cells, seed: int) -> float:
    """Return the score that random divisions of the pooled rows stay below in 99 of 100; 0 beyond a billion rows."""
    return permutation_quantile(cells, _scores, seed) if can_permute(cells) else 0.0


def _noncentrality(score: float) -> float:
    """Return ``(s / 100)**2``, a lower bound by the Cauchy-Schwarz inequality."""
    return (score / 100) ** 2


DRIFT_SCORE = EffectStatistic(
    EffectMeasure.DRIFT_SCORE,
    lambda _reference, _window, cells: drift_score(cells),
    lambda _reference, _window, cells, seed: _null_quantile(cells, seed),
    _noncentrality,
)
