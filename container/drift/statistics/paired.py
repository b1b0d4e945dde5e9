"""The difference of two shares of the same rows: bounds of two one-sided tests."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtri

_NEAR = 1e-9
"""The test statistic is not defined at a difference of -1 or 1 itself."""


@dataclass(frozen=True)
class PairedDifference:
    """The first share minus the second, -1 to 1, with the bound of a one-sided test on either side."""

    value: float
    lower: float
    upper: float


def paired_difference(
    gained: float, lost: float, total: float, *, alpha: float = 0.05, design_effect: float = 1.0
) -> PairedDifference:
    """Return the difference of two shares of the same rows, with the bounds of one-sided score tests.

    The true difference lies above `lower`, and below `upper`, with a probability of about 1 - alpha each. Rows count as
    independent of each other.

    Parameters
    ----------
    gained
        Rows that only the first of the two has right.
    lost
        Rows that only the second has right.
    total
        Rows, one or more.
    alpha
        Error rate of each bound, between 0 and 1.
    design_effect
        Mean multiplicity of identical rows, 1 or more.

    Raises
    ------
    ValueError
        If there is no row, or more rows were gained and lost than there are.

    References
    ----------
    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design"
    (1998).

    Examples
    --------
    >>> found = paired_difference(6, 16, 161, alpha=0.025)  # Fagerland et al. (2014), table of Cavo's data
    >>> round(found.value, 4), round(found.lower, 4), round(found.upper, 4)
    (-0.0621, -0.124, -0.0054)
    """
    if total < 1 or min(gained, lost) < 0 or gained + lost > total:
        raise ValueError(f"gained and lost must be shares of one row or more, got {gained}, {lost} of {total}")
    rows = _Rows(gained / design_effect, lost / design_effect, total / design_effect)
    quantile = float(ndtri(1 - alpha))
    value = (gained - lost) / total
    # The statistic falls from one end to the other, and is 0 at the difference that was seen.
    lower = -1.0 if lost == total else _root(lambda true: rows.statistic(true) - quantile, -1 + _NEAR, value)
    upper = 1.0 if gained == total else _root(lambda true: rows.statistic(true) + quantile, value, 1 - _NEAR)
    return PairedDifference(value, lower, upper)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function is 0; the end where it stays on one side, as it does but for rounding."""
    if function(low) <= 0:
        return low
    if function(high) >= 0:
        return high
    return float(brentq(function, low, high, xtol=1e-10))


@dataclass(frozen=True)
class _Rows:
    gained: float
    lost: float
    total: float

    def statistic(self, true: float) -> float:
        """Return Tango's score statistic of the hypothesis that the difference is `true`."""
        spread = 2 * self._lost_share(true) + true * (1 - true)
        distance = self.gained - self.lost - self.total * true
        if distance == 0:
            return 0.0
        return distance / math.sqrt(self.total * max(spread, _NEAR**2))

    def _lost_share(self, true: float) -> float:
        """Return the most likely share of lost rows under the hypothesis."""
        linear = (2 * self.total - self.gained + self.lost) * true - self.gained - self.lost
        constant = -self.lost * true * (1 - true)
        # Of rows all of one kind it is 0, and rounding may leave less.
        discriminant = max(linear**2 - 8 * self.total * constant, 0.0)
        return (math.sqrt(discriminant) - linear) / (4 * self.total)
