"""Two-sample Kolmogorov-Smirnov test."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.declaration import Evidence
from plumbline.drift.statistics.log_tails import log_kolmogorov_tail

_MAX_STEPS = 50_000
_MAX_PRODUCTS = 1_000_000_000
_MAX_KEPT = 4_000_000
"""Bounds of time, about a second, and of memory, 32 MB for each array. Sides that are as far apart as by chance keep
within them while the smaller has 10,000 rows or fewer."""
_FARTHEST = 35.0
"""Bound of the squared scaled distance: beyond it the probability is below 1e-30, and its digits do not matter."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Walk:
    """The pooled values in ascending order as a walk: how many of the smaller side lie at or below each value.

    `sizes` has shape (n_distinct,): pooled rows at each distinct value. `n_smaller` of the pooled rows belong to the
    smaller side. `gap` is the largest observed ``|n_larger * smaller_so_far - n_smaller * larger_so_far|``: the
    distance as an integer, so that "as far apart as observed" is decided without rounding.
    """

    sizes: Integers
    n_smaller: int
    gap: int

    @classmethod
    def between(cls, one: Integers, other: Integers) -> Self:
        """Return the walk of two aligned columns of counts, both of shape (n_distinct,)."""
        smaller, larger = sorted((one, other), key=lambda side: int(side.sum()))
        n_smaller, n_larger = int(smaller.sum()), int(larger.sum())
        gaps = np.abs(n_larger * np.cumsum(smaller) - n_smaller * np.cumsum(larger))
        return cls(smaller + larger, n_smaller, int(gaps.max()))

    @property
    def n_pooled(self) -> int:
        """Rows of both sides."""
        return int(self.sizes.sum())

    @property
    def distance(self) -> float:
        """Largest difference of the two empirical distribution functions, 0 to 1."""
        return self.gap / (self.n_smaller * (self.n_pooled - self.n_smaller))

    @property
    def n_effective(self) -> float:
        """Size of the one sample that strays from a known distribution as far as these two do from each other."""
        return self.n_smaller * (self.n_pooled - self.n_smaller) / self.n_pooled

    @property
    def feasible(self) -> bool:
        """Whether the exact probability takes a bounded time, and is large enough to be worth it."""
        if self.n_effective * self.distance**2 > _FARTHEST:
            return False
        sizes, low, high = self._corridor()
        kernels = np.minimum(sizes, 2 * _reach(sizes, self.n_smaller / self.n_pooled)) + 1
        n_products = float((high - low + 1).astype(np.float64) @ kernels.astype(np.float64))
        return len(sizes) <= _MAX_STEPS and n_products <= _MAX_PRODUCTS and int(kernels.sum()) <= _MAX_KEPT

    def _corridor(self) -> tuple[Integers, Integers, Integers]:
        """Return the steps that matter: rows of each, and the first and last place nearer to the mean than observed."""
        reached = np.cumsum(self.sizes)
        mean, n = reached * self.n_smaller, self.n_pooled
        low, high = (mean - self.gap) // n + 1, -((-mean - self.gap) // n) - 1
        # The walk never goes down: it is too low where the lower edge rises, and too high before the upper one does.
        matter = np.append(np.diff(high) > 0, True)
        matter |= np.diff(low, prepend=0) > 0
        return np.diff(reached[matter], prepend=0), low[matter], high[matter]

    def probability(self) -> float:
        """Return the probability that a random division of the pooled rows is as far apart as observed, or farther.

        A walk of independent steps with binomial numbers of rows, conditioned on its end. Whatever leaves the corridor
        is added up, weighted with its chance to reach the end; nothing is subtracted, so small probabilities keep
        their digits.

        References
        ----------
        J. Hodges, "The significance probability of the Smirnov two-sample test" (1958); G. Schroeer, D. Trenkler,
        "Exact and randomization distributions of Kolmogorov-Smirnov tests two or three samples" (1995), for ties.
        """
        if not self.gap:
            return 1.0
        share = self.n_smaller / self.n_pooled
        sizes, lows, highs = (column.tolist() for column in self._corridor())
        kernels = {size: _kernel(size, share) for size in set(sizes)}
        left: list[Floats] = []
        marks: list[tuple[int, int]] = []
        mass, start, reached = np.ones(1), 0, 0
        for size, low, high in zip(sizes, lows, highs, strict=True):
            kernel, shift = kernels[size]
            mass, start, reached = np.convolve(mass, kernel), start + shift, reached + size
            first, end = max(low - start, 0), max(high + 1 - start, 0)
            # Copies: a part would keep the whole array of each step in memory.
            if first:
                left.append(mass[:first].copy())
                marks.append((start, reached))
            if end < len(mass):
                end = max(first, end)
                left.append(mass[end:].copy())
                marks.append((start + end, reached))
            mass, start = mass[first:end], start + first
            if not mass.size:
                break
        return self._weighed(left, marks)

    def _weighed(self, left: list[Floats], marks: list[tuple[int, int]]) -> float:
        """Add up what left the corridor: at each mark (place of the first number, rows so far) a run of numbers."""
        lengths = [len(run) for run in left]
        mass, (first, reached) = np.concatenate(left), np.repeat(np.array(marks).T, lengths, axis=1)
        within = np.arange(len(mass)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        to_come, missing = self.n_pooled - reached, self.n_smaller - first - within
        possible = (missing >= 0) & (missing <= to_come)
        share = self.n_smaller / self.n_pooled
        reaching = _log_binomial(to_come[possible], missing[possible], share)
        end = _log_binomial(np.array(self.n_pooled), np.array(self.n_smaller), share)
        return min(float((mass[possible] * np.exp(reaching - end)).sum()), 1.0)


def _reach(size: Integers | int, share: float) -> NDArray[np.int64]:
    # Bernstein's inequality: farther from its mean is a binomial number with less than 1e-38.
    return np.ceil(13.5 * np.sqrt(np.asarray(size) * share * (1 - share)) + 65).astype(np.int64)


def _kernel(size: int, share: float) -> tuple[Floats, int]:
    """Return binomial probabilities of `size` rows, and the number of rows that the first of them stands for."""
    reach = int(_reach(size, share))
    low, high = max(0, math.floor(size * share) - reach), min(size, math.ceil(size * share) + reach)
    steps = np.arange(low, high, dtype=np.float64)
    # From one number to the next: a product of small factors keeps digits that log-gamma of large numbers loses.
    logs = np.concatenate([[0.0], np.cumsum(np.log((size - steps) / (steps + 1) * (share / (1 - share))))])
    probabilities = np.exp(logs - logs.max())
    return probabilities / probabilities.sum(), low


def _log_binomial(n: Integers, k: Integers, share: float) -> Floats:
    chosen = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return np.asarray(chosen + special.xlogy(k, share) + special.xlog1py(n - k, -share))


def kolmogorov_smirnov(reference: NumericCounts, window: NumericCounts) -> Evidence:
    """Test whether the window has the reference's distribution function.

    Null: both are drawn from one distribution. The statistic is the largest distance of the two empirical distribution
    functions: 0 (equal) to 1 (disjoint), larger is worse; it depends on ranks only. Missing values are left out. Time
    and memory are those of the distinct values, not of the rows. The result names how the p-value came about:

    - exact: the share of all divisions of the pooled rows that are as far apart as observed, with the ties as they are;
      wherever the smaller side has 10,000 values or fewer, or the distinct values are few;
    - asymptotic: beyond, where it takes more than about a second, and where the p-value is below 1e-30. With many ties
      it is too large.

    Raises
    ------
    ValueError
        If a side has no present value.

    References
    ----------
    J. Hodges, "The significance probability of the Smirnov two-sample test" (1958).

    Examples
    --------
    >>> import numpy as np
    >>> kolmogorov_smirnov(NumericCounts.of(np.arange(4.0)), NumericCounts.of(np.arange(4.0, 8.0))).statistic
    1.0
    """
    if not (reference.n_present and window.n_present):
        raise ValueError("both sides must have a present value, got none on one of them")
    walk = Walk.between(*_aligned(reference, window))
    if walk.feasible:
        return Evidence(HypothesisTest.KS_EXACT, walk.distance, walk.probability())
    return Evidence.of_log(HypothesisTest.KS_ASYMPTOTIC, walk.distance, _log_limit(walk))


def _aligned(reference: NumericCounts, window: NumericCounts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    union = np.union1d(reference.values, window.values)
    sides = np.zeros((2, len(union)), dtype=np.int64)
    for counts, side in zip(sides, (reference, window), strict=True):
        counts[np.searchsorted(union, side.values)] = side.counts
    return sides[0], sides[1]


def _log_limit(walk: Walk) -> float:
    if walk.distance == 1:
        # At most two divisions of all are disjoint; the limit's tail has come to an end here.
        n, k = walk.n_pooled, walk.n_smaller
        return math.log(2) + float(special.gammaln(k + 1) + special.gammaln(n - k + 1) - special.gammaln(n + 1))
    return log_kolmogorov_tail(round(walk.n_effective), walk.distance)
