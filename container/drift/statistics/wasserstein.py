"""Wasserstein distance in standard deviations of the reference."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.statistics.cells import Cells, can_permute, permutations
from plumbline.drift.statistics.declaration import EffectStatistic


def wasserstein(reference: NumericCounts, window: NumericCounts) -> float | None:
    """Return the first Wasserstein distance divided by the reference's standard deviation (n in the denominator).

    No null; see `wasserstein_null_quantile` for its chance level. Range 0 (equal) upwards; larger is worse: a pure
    shift by one standard deviation gives 1. Missing values are left out. None where the quotient has no meaning:
    infinite values on a side, or a constant reference unless the window is the same constant (0).

    Raises
    ------
    ValueError
        If a side has no present value.

    References
    ----------
    S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the line" (1974).

    Examples
    --------
    >>> wasserstein(NumericCounts.of(np.array([0.0, 2.0])), NumericCounts.of(np.array([3.0, 5.0])))
    3.0
    """
    if not (reference.n_present and window.n_present):
        raise ValueError("both sides must have a present value, got none on one of them")
    if not (np.isfinite(reference.values).all() and np.isfinite(window.values).all()):
        return None
    distance, deviation = _scaled(reference, window)
    if len(reference.values) > 1 and deviation > 0 and math.isfinite(distance / deviation):
        return distance / deviation
    return 0.0 if distance == 0 else None


def _scaled(reference: NumericCounts, window: NumericCounts) -> tuple[float, float]:
    """Return the distance and the reference's standard deviation, both in the same unit."""
    # A common power of two leaves their quotient as it is, and keeps differences and squares finite.
    exponent = max(reference.scale_exponent(), window.scale_exponent())
    u, v = np.ldexp(reference.values, -exponent), np.ldexp(window.values, -exponent)
    values = np.sort(np.concatenate([u, v]))
    below_u, below_v = (
        np.concatenate([[0], np.cumsum(side.counts)])[np.searchsorted(own, values[:-1], side="right")] / side.n_present
        for own, side in ((u, reference), (v, window))
    )
    distance = float((np.abs(below_u - below_v) * np.diff(values)).sum())
    centre = np.average(u, weights=reference.counts)
    return distance, math.sqrt(float(np.average((u - centre) ** 2, weights=reference.counts)))


_N_PERMUTATIONS = 200
_MAX_POINTS = 500
"""Values that are told apart in the permutations: the distances between them are what matters, not their number."""
_OUTER_POINTS = 50
"""Of them the smallest and largest, each by itself: far values carry most of the distance."""
_LEVEL = 0.99


def wasserstein_null_quantile(reference: NumericCounts, window: NumericCounts, seed: int = 0) -> float:
    """Return the distance that two samples of one distribution stay below with probability 0.99, in the same unit.

    Null: both sides are one population, divided at random. The quantile is that of the log-normal distribution with
    mean and variance of 200 such divisions, seeded; beyond 500 distinct values neighbours are counted together. 0
    beyond a billion rows. Infinite where the distance has no meaning.

    References
    ----------
    B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 15 (permutation tests).
    """
    if wasserstein(reference, window) is None:
        return math.inf
    values, cells = _points(reference, window)
    _, deviation = _scaled(reference, window)
    if len(values) < 2 or deviation == 0 or not can_permute(cells):
        return 0.0
    drawn = np.concatenate(
        [
            np.abs(np.cumsum((cells.pooled - batch) / cells.n_reference - batch / cells.n_window, axis=1)[:, :-1])
            @ np.diff(values)
            for batch in permutations(cells, _N_PERMUTATIONS, seed)
        ]
    )
    distances = drawn / deviation
    mean = float(distances.mean())
    if mean == 0:
        return 0.0
    spread = math.log1p(float((distances / mean).var()))
    return mean * math.exp(math.sqrt(spread) * float(special.ndtri(_LEVEL)) - spread / 2)


def _points(reference: NumericCounts, window: NumericCounts) -> tuple[NDArray[np.float64], Cells]:
    """Return at most `_MAX_POINTS` values, scaled as `_scaled` does, with the counts of both sides."""
    exponent = max(reference.scale_exponent(), window.scale_exponent())
    values = np.union1d(*(np.ldexp(side.values, -exponent) for side in (reference, window)))
    counts = np.zeros((2, len(values)), dtype=np.int64)
    for row, side in zip(counts, (reference, window), strict=True):
        row[np.searchsorted(values, np.ldexp(side.values, -exponent))] = side.counts
    if len(values) > _MAX_POINTS:
        inner = np.cumsum(counts.sum(axis=0))[_OUTER_POINTS:-_OUTER_POINTS]
        # As many rows in each of the inner points.
        ranks = np.linspace(inner[0], inner[-1], _MAX_POINTS - 2 * _OUTER_POINTS, endpoint=False)
        starts = np.unique(np.searchsorted(inner, ranks)) + _OUTER_POINTS
        outer = np.arange(len(values))
        starts = np.concatenate([outer[:_OUTER_POINTS], starts, outer[-_OUTER_POINTS:]])
        weights = np.add.reduceat(counts.sum(axis=0), starts)
        values = np.add.reduceat(values * counts.sum(axis=0), starts) / weights
        counts = np.add.reduceat(counts, starts, axis=1)
    return values, Cells(counts[0], counts[1])


def _of_columns(reference: ValueCounts, window: ValueCounts, _cells: Cells) -> float | None:
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        return wasserstein(reference, window)
    raise _not_numeric(reference, window)


def _null_quantile(reference: ValueCounts, window: ValueCounts, _cells: Cells, seed: int) -> float:
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        return wasserstein_null_quantile(reference, window, seed)
    raise _not_numeric(reference, window)


def _not_numeric(reference: ValueCounts, window: ValueCounts) -> TypeError:
    return TypeError(f"both sides must be numeric, got {type(reference).__name__} and {type(window).__name__}")


def _noncentrality(distance: float) -> float:
    """Return ``(2 * (2 F(w / 2) - 1))**2``, a lower bound for a normal variable shifted by w standard deviations.

    F is the normal distribution function.
    """
    return float(2 * (2 * special.ndtr(distance / 2) - 1)) ** 2


WASSERSTEIN = EffectStatistic(EffectMeasure.WASSERSTEIN_DISTANCE, _of_columns, _null_quantile, _noncentrality)
