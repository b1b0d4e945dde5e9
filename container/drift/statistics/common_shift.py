"""A small shift that all values of a column have in common: what bins exaggerate."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plumbline.drift.data.counts import NumericCounts, summed

SMALL_SHIFT = 0.1
"""Standard deviations of the reference up to which a shift of all values is small: far below every default threshold,
as a normal distribution that moves by so much has a Jensen-Shannon distance of 0.04."""
_QUANTILES = np.linspace(0.005, 0.995, 199)
_TRIMMED = 0.01
"""Fraction of the reference at each end that counts as its value there, so that outliers do not make shifts small."""
_ROUNDING = 1e-9


def small_common_shift(reference: NumericCounts, window: NumericCounts) -> float | None:
    """Return by how much the window lies above the reference, where that is small; None where it is not, or 0.

    It is the median of the differences of their quantiles, in the column's unit; small up to `SMALL_SHIFT` standard
    deviations of the winsorised reference.

    Examples
    --------
    >>> hours = NumericCounts.of(np.repeat([20.0, 40.0, 60.0], [25, 50, 25]))
    >>> small_common_shift(hours, replace(hours, values=hours.values + 1))
    1.0
    """
    if not (np.isfinite(reference.values).all() and np.isfinite(window.values).all()):
        return None
    # A power of two changes no digit, and keeps differences and squares of huge values finite.
    exponent = max(reference.scale_exponent(), window.scale_exponent())
    before, now = (replace(side, values=np.ldexp(side.values, -exponent)) for side in (reference, window))
    shift = float(np.median(_quantiles(now, _QUANTILES) - _quantiles(before, _QUANTILES)))
    if not 0 < abs(shift) <= SMALL_SHIFT * _winsorised_deviation(before):
        return None
    return float(np.ldexp(shift, exponent))


def shifted_back(window: NumericCounts, shift: float, reference: NumericCounts) -> NumericCounts:
    """Return the window less the shift; what then is one of the reference's values but for rounding is that value."""
    with np.errstate(over="ignore"):
        return _shifted_back(window, shift, reference)


def _shifted_back(window: NumericCounts, shift: float, reference: NumericCounts) -> NumericCounts:
    moved = window.values - shift
    at = np.clip(np.searchsorted(reference.values, moved), 1, max(len(reference.values) - 1, 1))
    at = np.minimum(at, len(reference.values) - 1)
    below, above = reference.values[np.maximum(at - 1, 0)], reference.values[at]
    nearest = np.where(moved - below < above - moved, below, above)
    near = np.abs(moved - nearest) <= _ROUNDING * np.maximum(np.abs(window.values), abs(shift))
    values, counts = summed(np.where(near, nearest, moved), window.counts)
    return replace(window, values=values, counts=counts)


def _quantiles(side: NumericCounts, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values that these fractions of the rows do not exceed; same shape."""
    return np.asarray(side.values[np.searchsorted(np.cumsum(side.counts), levels * side.n_present, side="left")])


def _winsorised_deviation(reference: NumericCounts) -> float:
    low, high = _quantiles(reference, np.array([_TRIMMED, 1 - _TRIMMED]))
    held = np.clip(reference.values, low, high)
    centre = np.average(held, weights=reference.counts)
    return float(np.sqrt(np.average((held - centre) ** 2, weights=reference.counts)))
