"""How far a task's accuracy wanders from its projection: by its past, and by the labels that came since.

An interval for sampling alone covers what labels would show only where equal rows keep their labels. Where the past, or
the labels of the last windows, show misses beyond sampling, the interval is widened by them; where the last misses lie
on one side, the estimate is moved as well. Both depend on the misses alone, so that a run repeats itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.accuracy import HalfWidths
from plumbline.contract.quality import KnownMiss
from plumbline.drift.reference.history import History
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE

SURE = 0.01
"""Level of the test that misses are more than sampling: of tasks that do not wander, one in a hundred is widened."""
MIN_PAST_WINDOWS = 6
"""Past windows of one size from which on their mean square is used: with fewer it is off by half of itself."""
LAST_MISSES = 12
"""Known misses that the interval is made from: half a day of hours. More are slower to follow what changes."""
KEPT_MISSES = 36
"""Known misses that are kept: those, and as many before as the level of the interval follows."""
_MEAN_OF = 3
"""Last misses whose mean moves the estimate: a single one moves it by its own noise."""
_PAST_COUNTS = 5
"""Known misses that the past counts as, also one that did not wander: after as many the present weighs more."""
_MAX_PAST_FREEDOM = 10
"""Degrees of freedom of the past at most: neighbouring windows wander together."""
_LEAST_FREEDOM = 4
"""Degrees of freedom of the quantile at least: with fewer it says more of itself than of the task."""
_CARRIED, _CARRIED_COUNTS = 0.5, 2
"""Fraction of a mean miss that is expected to last before anything is known of it, and misses that it counts as."""
_STEP = 0.05
"""Of adaptive conformal inference: the level's move for a window that was missed."""
MAX_CALIBRATION_ROWS = 5_000
"""Rows that an origin of the past learns from at most (`plumbline.drift.projection.backtest`)."""
_MISSED, _LOWEST = 0.05, 0.002
"""Fraction of windows that a 95 % interval misses, and the least that the level goes down to."""


@dataclass(frozen=True)
class Wander:
    """Variance of misses beyond sampling, 0 or more, and the degrees of freedom that it is known with."""

    variance: float = 0.0
    freedom: int = 0

    @property
    def is_known(self) -> bool:
        """Whether windows of the past were measured, though they may not have wandered."""
        return self.freedom > 0

    @property
    def quantile(self) -> float:
        """Of Student's t: half of a 95 % interval by the standard deviation."""
        return float(special.stdtrit(max(self.freedom, _LEAST_FREEDOM), 1 - _MISSED / 2))


NO_WANDER = Wander()


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The 95 % interval of a projection: the estimate is moved by `correction`; the half-widths add up."""

    half_widths: HalfWidths
    correction: float = 0.0
    n_misses: int = 0

    @property
    def half_width(self) -> float:
        """The whole."""
        return self.half_widths.total

    @property
    def deviation(self) -> float:
        """Standard deviation that a normal with this interval has."""
        return self.half_width / NORMAL_QUANTILE


def past_wander(history: History | None, n_rows: int) -> Wander:
    """Return how far projections of windows of so many rows missed in the past, beyond sampling.

    The largest windows count that are not larger and of which there are six; else the smallest. Their sampling is taken
    out, so that a larger window is not held to the noise of smaller ones.
    """
    by_size = {
        size: [(one.miss, one.half_width) for one in windows if one.miss is not None and one.half_width is not None]
        for size, windows in ({} if history is None else history.windows).items()
    }
    enough = [size for size, known in by_size.items() if len(known) >= MIN_PAST_WINDOWS]
    if not enough:
        return NO_WANDER
    fitting = [size for size in enough if size <= n_rows]
    misses, half_widths = np.array(by_size[max(fitting) if fitting else min(enough)]).T
    variances = (half_widths / NORMAL_QUANTILE) ** 2
    freedom = min(len(misses), _MAX_PAST_FREEDOM)
    # Of their own rows' noise and that of the rows that all of them are projected by, the latter is one draw.
    n_window, n_learned = max(fitting) if fitting else min(enough), max((history.n_rows if history else 0) // 4, 1)
    shared = n_window / (n_window + min(n_learned, MAX_CALIBRATION_ROWS))
    return Wander(
        _excess(misses, variances, NO_WANDER) if _beyond_sampling(misses, variances, shared) else 0.0, freedom
    )


def interval_of(sampling: float, spread: float, past: Wander, misses: Sequence[KnownMiss]) -> Interval:
    """Return the interval of a projection.

    Parameters
    ----------
    sampling, spread
        Variance of what labels would show about the estimate, and half the range of the estimators compared. What the
        task wanders holds the choice of an estimator, too.
    past
        Of windows like this one.
    misses
        What labels have shown of the windows before, in order of time.

    References
    ----------
    I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift" (2021): the level goes down with each
    window that was missed and up with each that was not, here never above 5 %.
    """
    alone = _half_width(sampling, max(spread**2, 0.0), NORMAL_QUANTILE)
    by_past = (
        max(alone, _half_width(sampling, max(past.variance, spread**2), past.quantile)) if past.variance else alone
    )
    feedback = _feedback(past, misses)
    if feedback is None:
        return Interval(half_widths=HalfWidths(sampling=alone, history=by_past - alone), n_misses=len(misses))
    wander, correction, level = feedback
    scale = float(special.ndtri(1 - level / 2)) / NORMAL_QUANTILE
    found = scale * max(alone, _half_width(sampling, max(wander.variance, spread**2), wander.quantile))
    return Interval(
        half_widths=HalfWidths(sampling=alone, history=by_past - alone, feedback=found - by_past),
        correction=correction,
        n_misses=len(misses),
    )


def _half_width(sampling: float, beyond: float, quantile: float) -> float:
    return math.sqrt(NORMAL_QUANTILE**2 * sampling + quantile**2 * beyond)


def _feedback(past: Wander, misses: Sequence[KnownMiss]) -> tuple[Wander, float, float] | None:
    """Return what is left of the wandering, the correction and the level; None: misses are as sampling makes them."""
    sizes = np.array([one.miss for one in misses])
    variances = np.array([(one.half_width / NORMAL_QUANTILE) ** 2 for one in misses])
    found = _follow(past, sizes[-LAST_MISSES:], variances[-LAST_MISSES:])
    if found is None:
        return None
    level = _MISSED
    for place in range(len(sizes)):
        start = max(0, place - LAST_MISSES)
        before = _follow(past, sizes[start:place], variances[start:place])
        if before is None:
            # Nothing had been followed yet: what such an interval missed is what is followed since.
            continue
        wander, correction = before
        scale = float(special.ndtri(1 - level / 2)) / NORMAL_QUANTILE
        half_width = scale * _half_width(variances[place], wander.variance, wander.quantile)
        is_missed = abs(sizes[place] - correction) > half_width
        level = min(max(level + _STEP * (_MISSED - is_missed), _LOWEST), _MISSED)
    return *found, level


def _follow(past: Wander, misses: NDArray[np.float64], variances: NDArray[np.float64]) -> tuple[Wander, float] | None:
    """Return the wandering about the moved estimate, and the move; None: there is nothing to follow."""
    if not len(misses) or not (past.variance or _beyond_sampling(misses, variances)):
        return None
    wander = _excess(misses, variances, past)
    before = np.array([_mean(misses[max(0, place - _MEAN_OF) : place]) for place in range(len(misses))])
    last = misses[-_MEAN_OF:]
    # How much of a mean miss the miss after it had: a regression through 0, drawn towards a half.
    known = _CARRIED_COUNTS * wander + 1e-12
    carried = (float(misses @ before) + known * _CARRIED) / (float(before @ before) + known)
    of_sampling = float(np.mean(variances[-_MEAN_OF:])) / len(last)
    factor = min(max(carried, 0.0), 1.0) * wander / (wander + of_sampling) if wander else 0.0
    left = _excess(misses - factor * before, variances, past)
    freedom = past.freedom + len(misses)
    return Wander(left, freedom), factor * float(np.mean(last))


def _mean(misses: NDArray[np.float64]) -> float:
    return float(np.mean(misses)) if len(misses) else 0.0


def _excess(misses: NDArray[np.float64], variances: NDArray[np.float64], past: Wander) -> float:
    counts = _PAST_COUNTS if past.is_known else 0
    total = float(np.sum(misses**2 - variances)) + counts * past.variance
    return max(total / (len(misses) + counts), 0.0)


def _beyond_sampling(misses: NDArray[np.float64], variances: NDArray[np.float64], shared: float = 0.0) -> bool:
    """Return whether the misses are larger than sampling makes them, by a chi-square test of level `SURE`.

    Parameters
    ----------
    shared
        Fraction of the variances that is of one draw: the sum has fewer degrees of freedom for it (F. Satterthwaite,
        "An approximate distribution of estimates of variance components", 1946).
    """
    statistic, n = float(np.sum(misses**2 / np.maximum(variances, 1e-12))), len(misses)
    scale = 1 + (n - 1) * shared**2
    return statistic / scale > float(special.chdtri(n / scale, SURE))
