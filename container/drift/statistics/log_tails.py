"""Upper tails in natural logarithms, which go on where the probability itself is below the smallest float."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

_READABLE = 1e-290
"""Above this the tail itself has all its digits."""
_TINY = 1e-300
_MAX_TERMS = 100_000
_GRID = 1024


def log_chi_square_tail(statistic: float, freedom: int) -> float:
    """Return log P(X >= `statistic`) for a chi-square variable X with `freedom` degrees of freedom.

    Below the float range by the continued fraction of the upper incomplete gamma function.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 8.9.2; W. Lentz, "Generating Bessel functions in Mie scattering
    calculations using continued fractions" (1976).
    """
    tail = float(special.chdtrc(freedom, statistic))
    if tail > _READABLE:
        return math.log(tail)
    a, x = freedom / 2, statistic / 2
    return a * math.log(x) - x - float(special.gammaln(a)) + math.log(_gamma_fraction(a, x))


def _gamma_fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for i in range(1, _MAX_TERMS):
        numerator = i * (a - i)
        b += 2
        d = 1 / (numerator * d + b or _TINY)
        c = b + numerator / c or _TINY
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return fraction


def log_smirnov_tail(n: int, distance: float) -> float:
    """Return log P(D+ >= `distance`) for the one-sided Kolmogorov-Smirnov distance D+ of `n` values.

    -inf for a distance of 1 or more. Below the float range by Smirnov's sum, of which only the terms around the largest
    one are added: the others are smaller by more than a double can resolve.

    References
    ----------
    Z. Birnbaum, F. Tingey, "One-sided confidence contours for probability distribution functions" (1951).
    """
    if distance >= 1:
        return -math.inf
    tail = float(special.smirnov(n, distance))
    if tail > _READABLE:
        return math.log(tail)

    def log_terms(j: NDArray[np.float64]) -> NDArray[np.float64]:
        share = np.minimum(distance + j / n, 1.0)
        chosen = special.gammaln(n + 1) - special.gammaln(j + 1) - special.gammaln(n - j + 1)
        with np.errstate(divide="ignore"):
            return np.asarray(chosen + (j - 1) * np.log(share) + (n - j) * np.log1p(-share))

    last = math.ceil(n * (1 - distance)) - 1
    grid = np.unique(np.linspace(0, last, _GRID).astype(np.int64)).astype(np.float64)
    peak = float(grid[np.argmax(log_terms(grid))])
    reach = last / _GRID + 20 * math.sqrt(n) + 100
    around = np.arange(max(0.0, math.floor(peak - reach)), min(last, math.ceil(peak + reach)) + 1)
    return math.log(distance) + float(special.logsumexp(log_terms(around)))


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
