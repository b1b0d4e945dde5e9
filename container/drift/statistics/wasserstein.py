"""Wasserstein distance in standard deviations of the reference."""

import math

import numpy as np
from scipy import special

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.declaration import EffectStatistic


def wasserstein(reference: NumericCounts, window: NumericCounts) -> float | None:
    """Return the first Wasserstein distance divided by the reference's standard deviation (n in the denominator).

    No null. Range 0 (equal) upwards; larger is worse: a pure shift by one standard deviation gives 1. Missing values
    are left out. None where the quotient has no meaning: infinite values on a side, or a constant reference unless
    the window is the same constant (0).

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


def _of_columns(reference: ValueCounts, window: ValueCounts, _cells: Cells) -> float | None:
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        return wasserstein(reference, window)
    raise TypeError(f"both sides must be numeric, got {type(reference).__name__} and {type(window).__name__}")


def _noncentrality(distance: float) -> float:
    """Return ``(2 * (2 F(w / 2) - 1))**2``, a lower bound for a normal variable shifted by w standard deviations.

    F is the normal distribution function.
    """
    return float(2 * (2 * special.ndtr(distance / 2) - 1)) ** 2


WASSERSTEIN = EffectStatistic(EffectMeasure.WASSERSTEIN_DISTANCE, _of_columns, _noncentrality)
