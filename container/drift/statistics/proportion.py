"""Shares of counted rows: their intervals, differences and ratios."""

import math
from dataclasses import dataclass

NORMAL_QUANTILE = 1.959964
"""97.5 % quantile of the standard normal distribution: a two-sided 95 % interval."""
ONE_SIDED_QUANTILE = 1.644854
"""95 % quantile of the standard normal distribution."""


def wilson(count: int, total: int, design_effect: float = 1.0) -> tuple[float, float]:
    """Return the 95 % score interval of a share, within 0 and 1.

    Parameters
    ----------
    total
        Rows, one or more.
    design_effect
        Mean multiplicity of identical rows, 1 or more.

    References
    ----------
    E. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Examples
    --------
    >>> [round(end, 4) for end in wilson(81, 263)]  # Newcombe (1998), table I: 0.2553 to 0.3662
    [0.2553, 0.3662]
    """
    share, n, z2 = count / total, total / design_effect, NORMAL_QUANTILE**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half_width = NORMAL_QUANTILE * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(middle - half_width, 0.0), min(middle + half_width, 1.0)


@dataclass(frozen=True)
class Share:
    """Rows with a property among some rows."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.count / self.total

    def __add__(self, other: "Share") -> "Share":
        """Return the share of both together."""
        return Share(self.count + other.count, self.total + other.total)


@dataclass(frozen=True)
class GapEstimate:
    """A metric with its 95 % interval and, on the scale that it is tested on, its standard error."""

    value: float
    lower: float
    upper: float
    tested: float
    error: float


def difference(group: Share, others: Share) -> GapEstimate:
    """Return the others' share minus the group's, with Newcombe's interval.

    R. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven methods"
    (1998), method 10.
    """
    (low, high), (low_others, high_others) = (wilson(side.count, side.total) for side in (group, others))
    value = others.value - group.value
    below = math.hypot(others.value - low_others, high - group.value)
    above = math.hypot(high_others - others.value, group.value - low)
    error = math.hypot(_error(group), _error(others))
    return GapEstimate(value, max(value - below, -1.0), min(value + above, 1.0), value, error)


def _error(share: Share) -> float:
    # One row more of each kind: a share of 0 or 1 is never that sure.
    smoothed = (share.count + 1) / (share.total + 2)
    return math.sqrt(smoothed * (1 - smoothed) / share.total)


def ratio(group: Share, others: Share) -> GapEstimate | None:
    """Return the group's share divided by the others', with Katz's interval on the logarithm.

    D. Katz et al., "Obtaining confidence intervals for the risk ratio in cohort studies" (1978). A count of 0 is taken
    as one half; without a positive prediction among the others there is no ratio.
    """
    if not others.count:
        return None
    count = max(group.count, 0.5)
    error = math.sqrt(max(1 / count - 1 / group.total, 0.0) + max(1 / others.count - 1 / others.total, 0.0))
    value, middle = group.value / others.value, math.log(count / group.total / others.value)
    return GapEstimate(
        value,
        math.exp(middle - NORMAL_QUANTILE * error) if group.count else 0.0,
        math.exp(middle + NORMAL_QUANTILE * error),
        middle,
        error,
    )
