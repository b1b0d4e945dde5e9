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
    one are added: the others are smaller by more than a double can tell.

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
