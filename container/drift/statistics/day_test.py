"""One day of windows against the reference: by how much the mean of a series moved, and whether chance moves it so far.

The standard error is measured on the windows themselves, by how much those that follow each other differ, so that rows
that come in clumps count for what they are worth. A day is long enough for day and night to cancel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from plumbline.drift.statistics.sequential import p_value_of_fraction, p_value_of_mean
from plumbline.drift.statistics.series import Series, SeriesMean

SMALL_DIFFERENCE = 0.05
"""Standard deviations of the reference that a mean may lie off for ever: what significance finds at this many rows and
nobody has to know."""
SMALL_FRACTION = 0.01
"""What a fraction of rows may lie off, however rare it is."""
MIN_STEPS = 12
"""Differences between windows from which on it is known by how much they differ by chance."""
MAX_STEPS = 336.0
"""Those that count, two weeks of hours: older ones fade."""
_DEGREES_PER_STEP = 2 / 3
"""Degrees of freedom of a variance by successive differences, for each of them (von Neumann 1941, large samples)."""


@dataclass(frozen=True)
class Dispersion:
    """How much windows that follow each other differ, where rows that are independent give 1: `total` of `n_steps`."""

    total: float = 0.0
    n_steps: float = 0.0

    @property
    def factor(self) -> float:
        """By how much the variance of a mean is larger than of independent rows, 1 or more."""
        return max(1.0, self.total / self.n_steps) if self.n_steps else 1.0

    @property
    def degrees(self) -> float:
        """Degrees of freedom of `factor`."""
        return _DEGREES_PER_STEP * self.n_steps


def stepped(before: Dispersion, series: Series, last: SeriesMean, this: SeriesMean) -> Dispersion:
    """Return the dispersion with the difference between two windows; as it was where one of them has no row.

    References
    ----------
    J. von Neumann, "Distribution of the ratio of the mean square successive difference to the variance" (1941): the
    mean of such differences grows little where the mean itself drifts, or follows day and night.
    """
    if not (last.n_rows and this.n_rows):
        return before
    expected = _variance(series) * (1 / last.n_rows + 1 / this.n_rows)
    fading = min(1.0, (MAX_STEPS - 1) / before.n_steps) if before.n_steps else 1.0
    return Dispersion(
        fading * before.total + (this.mean - last.mean) ** 2 / expected,
        fading * before.n_steps + 1,
    )


def total(parts: Sequence[SeriesMean]) -> SeriesMean:
    """Return the mean over the rows of all windows; without rows it is 0."""
    n_rows = sum(part.n_rows for part in parts)
    return SeriesMean(n_rows, sum(part.n_rows * part.mean for part in parts) / n_rows if n_rows else 0.0)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the mean of a series may be on a day: `tolerance` off `centre`, and days differ with this `variance`."""

    centre: float
    tolerance: float
    variance: float = 0.0


def allowance(series: Series, level: float, scale: float = 1.0) -> Allowance:
    """Return what a day's mean may be where days differ by chance alone.

    The reference's own mean is that of a sample, which all days are compared with: how far it lies off the population's
    is part of the tolerance, not of the chance of each day.

    Parameters
    ----------
    level
        Chance that the reference lies farther off on one side.
    scale
        How many times `SMALL_DIFFERENCE` a mean may lie off.
    """
    small = max(scale * SMALL_DIFFERENCE * series.deviation, SMALL_FRACTION)
    off = math.sqrt(_variance(series) / series.n_rows) * _normal_quantile(level)
    return Allowance(centre=series.mean, tolerance=small + off)


def _normal_quantile(level: float) -> float:
    return float(-special.ndtri(level))


def _variance(series: Series) -> float:
    """Return the variance of one row's number; of what the reference hardly has, that of a mean that is allowed."""
    return max(series.deviation**2, SMALL_FRACTION * (1 - SMALL_FRACTION))


@dataclass(frozen=True, kw_only=True)
class DayTest:
    """By how many standard deviations of the reference a day's mean lies off it, with sign, and its p-value."""

    series: Series
    mean: float
    difference: float
    p_value: float


def compared(series: Series, day: SeriesMean, dispersion: Dispersion, allowed: Allowance) -> DayTest:
    """Test whether a day's mean lies farther off than it may.

    Null: the mean of what the day's rows come from lies within the tolerance of the centre; windows differ from it
    independently, with the variance that their differences show, and days with that of the allowance. The p-value is
    that of both sides: twice the smaller one of Student's t, and for a fraction at least that of the binomial
    distribution with as many rows as they are worth. Range 0 to 1.

    Raises
    ------
    ValueError
        If the day has no row.
    """
    if not day.n_rows:
        raise ValueError("a day must have rows, got none")
    distance = day.mean - allowed.centre
    error = math.sqrt(dispersion.factor * _variance(series) / day.n_rows + allowed.variance)
    p_value = p_value_of_mean(abs(distance) - allowed.tolerance, error, dispersion.degrees)
    if series.is_fraction:
        n_effective = _variance(series) / error**2
        p_value = max(p_value, _of_fraction(n_effective, day.mean, allowed))
    return DayTest(
        series=series,
        mean=day.mean,
        difference=distance / math.sqrt(_variance(series)),
        p_value=min(1.0, 2 * p_value),
    )


def _of_fraction(n_rows: float, found: float, allowed: Allowance) -> float:
    if found >= allowed.centre:
        return p_value_of_fraction(n_rows, found, allowed.centre + allowed.tolerance)
    return p_value_of_fraction(n_rows, 1 - found, 1 - allowed.centre + allowed.tolerance)
