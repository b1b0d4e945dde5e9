"""Tail of the two-sided one-sample Kolmogorov-Smirnov distance, which the two-sample distance has in large samples."""

import math

import numpy as np

from drift.statistics.log_tails import log_smirnov_tail

_SURELY_ONE_SIDED = 4.0
"""Of the squared scaled distance: from here on no sample strays as far in both directions."""
_ONE_SIDED = 2.2
"""The same for samples of a few hundred or more."""
_LARGE = 1000
_NEVER = 0.05
"""Scaled distance below which every term of theirs is below the smallest float."""


def log_kolmogorov_tail(n: int, distance: float) -> float:
    """Return log P(D >= `distance`) for the two-sided distance D of `n` values from their distribution.

    Twice the one-sided tail far out, the expansion of Pelz and Good in the middle, as Simard and L'Ecuyer advise for
    large samples: the probability is right to 1e-9 from 5,000 values on. Smaller samples have it so far out,
    where ``n * distance**2`` exceeds 4, and to 1e-5 in the middle from 100 values on: the exact distribution is at hand
    there.

    References
    ----------
    R. Simard, P. L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution" (2011).
    """
    scaled = n * distance**2
    if scaled > _SURELY_ONE_SIDED or (n >= _LARGE and scaled >= _ONE_SIDED):
        return min(math.log(2) + log_smirnov_tail(n, distance), 0.0)
    return math.log1p(-_pelz_good(n, math.sqrt(scaled)))


def _pelz_good(n: int, z: float) -> float:
    """Return P(D < z / sqrt(n)) in four terms.

    References
    ----------
    W. Pelz, I. Good, "Approximating the lower tail-areas of the Kolmogorov-Smirnov one-sample statistic" (1976),
    equation 6.
    """
    if z < _NEVER:
        return 0.0
    pi2, k = math.pi**2, np.arange(1, math.ceil(16 * z / math.pi) + 1)
    odd, whole = (2.0 * k - 1) ** 2, k.astype(np.float64) ** 2
    odd_terms, whole_terms = np.exp(-pi2 * odd / (8 * z**2)), np.exp(-pi2 * whole / (2 * z**2))
    first = odd_terms.sum() / z
    second = ((pi2 / 4 * odd - z**2) @ odd_terms) / (6 * z**4)
    third = (6 * z**6 + 2 * z**4) + pi2 / 4 * (2 * z**4 - 5 * z**2) * odd + pi2**2 / 16 * (1 - 2 * z**2) * odd**2
    fourth = -30 * z**6 - 90 * z**8 + pi2 / 4 * (135 * z**4 - 96 * z**6) * odd
    fourth = fourth + pi2**2 / 16 * (212 * z**4 - 60 * z**2) * odd**2 + pi2**3 / 64 * (5 - 30 * z**2) * odd**3
    third_sum = third @ odd_terms / (72 * z**7) - pi2 / (36 * z**3) * (whole @ whole_terms)
    fourth_sum = fourth @ odd_terms / (6480 * z**10)
    fourth_sum += pi2 / (216 * z**6) * (((3 * z**2 - pi2 * whole) * whole) @ whole_terms)
    total = first + second / math.sqrt(n) + third_sum / n + fourth_sum / n**1.5
    return float(total) * math.sqrt(2 * math.pi)
