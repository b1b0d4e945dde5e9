"""Intervals of shares of counted rows."""

import math

NORMAL_QUANTILE = 1.959964
"""97.5 % quantile of the standard normal distribution: a two-sided 95 % interval."""
ONE_SIDED_QUANTILE = 1.644854
"""95 % quantile of the standard normal distribution."""


def wilson(count: int, total: int, repetition: float = 1.0) -> tuple[float, float]:
    """Return the 95 % score interval of a share, within 0 and 1.

    Parameters
    ----------
    total
        Rows, one or more.
    repetition
        Mean multiplicity of identical rows, 1 or more: so many rows say what one says.

    References
    ----------
    E. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Examples
    --------
    >>> [round(end, 4) for end in wilson(81, 263)]  # Newcombe (1998), table I: 0.2553 to 0.3662
    [0.2553, 0.3662]
    """
    share, n, z2 = count / total, total / repetition, NORMAL_QUANTILE**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half_width = NORMAL_QUANTILE * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(middle - half_width, 0.0), min(middle + half_width, 1.0)
