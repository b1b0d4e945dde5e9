"""Tests of what moved between labelled rows: P(label | row), P(label) and P(score | label)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov

LEVEL = 0.001
"""Level of every test here: each window is tested again each hour, so that 0.05 would give a false alarm each day."""
_N_BINS = 10
_MIN_VARIANCE = 5.0
"""Of the number of positives in a bin: below it a chi-square statistic does not follow its distribution (Cochran)."""


@dataclass(frozen=True, eq=False)
class ExpectedVsObserved:
    """Labelled rows with the labels that the reference makes one expect; all arrays have shape (n_distinct,).

    `expected` is the probability that `observed` is 1, `n_rows` how many rows an entry stands for as observed, and
    `weights` how many of the window: a sampled row stands for more than itself.
    """

    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    n_rows: NDArray[np.float64]
    weights: NDArray[np.float64]
    design_effect: float = 1.0

    @property
    def share(self) -> float:
        """Share of rows where `observed` is 1."""
        return float(self.weights @ self.observed / self.weights.sum())

    def with_share(self, share: float, before: float) -> "ExpectedVsObserved":
        """Return what one expects when the share of positives moves from `before` to `share` and nothing else does."""
        odds = share / (1 - share) * (1 - before) / before
        positive = self.expected * odds
        return replace(self, expected=positive / (positive + 1 - self.expected))


@dataclass(frozen=True)
class ShiftTestResult:
    """One test's p-value, and its effect, 0 to 1."""

    p_value: float
    effect: float

    def beyond(self, threshold: float) -> bool:
        """Return whether it is more than chance, and large enough to matter."""
        return self.p_value < LEVEL and self.effect >= threshold


def conditional_shift(window: ExpectedVsObserved, reference: ExpectedVsObserved) -> ShiftTestResult:
    """Test whether the labels are those that one expects of the rows.

    Null: P(label | row) is the reference's. In up to ten bins of the expected probability, the mean of observed minus
    expected is compared between window and reference; the sum of the squared standardised differences is chi-square
    with as many degrees of freedom as bins. The effect is the root mean square of the differences, less what chance
    adds to it: 0 to 1, the share of labels that are otherwise than expected.

    References
    ----------
    D. Hosmer, S. Lemeshow, "Goodness of fit tests for the multiple logistic regression model" (1980).
    """
    edges = np.unique(np.quantile(np.repeat(reference.expected, reference.n_rows.astype(int)), np.arange(1, 10) / 10))
    bins = _merged(np.searchsorted(edges, window.expected, side="right"), window)
    statistic = effect = 0.0
    groups = np.unique(bins)
    of_reference = _assigned(bins, window.expected, reference.expected)
    for number in groups:
        gap, variance = _gap(window, bins == number)
        gap_before, variance_before = _gap(reference, of_reference == number)
        difference, total = gap - gap_before, variance + variance_before
        share = float(window.weights[bins == number].sum() / window.weights.sum())
        statistic += difference**2 / total if total else 0.0
        effect += share * (difference**2 - total)
    return ShiftTestResult(float(special.chdtrc(len(groups), statistic)), math.sqrt(max(effect, 0.0)))


def _merged(bins: NDArray[np.intp], rows: ExpectedVsObserved) -> NDArray[np.intp]:
    """Return the bins, each with enough of the variance; neighbours are put together until it is."""
    variances = np.bincount(
        bins, rows.n_rows * rows.expected * (1 - rows.expected) / rows.design_effect, minlength=_N_BINS
    )
    numbers, current, held = np.zeros(_N_BINS, dtype=np.intp), 0, 0.0
    for number in range(_N_BINS):
        if held >= _MIN_VARIANCE:
            current, held = current + 1, 0.0
        numbers[number] = current
        held += variances[number]
    if held < _MIN_VARIANCE and current:
        numbers[numbers == current] = current - 1
    return numbers[bins]


def _assigned(bins: NDArray[np.intp], expected: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins of other rows: those of the same range of expectations."""
    highest = [float(expected[bins == number].max()) for number in np.unique(bins)]
    return np.unique(bins)[np.minimum(np.searchsorted(highest, others), len(highest) - 1)]


def _gap(rows: ExpectedVsObserved, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the mean of observed minus expected, and its variance."""
    weights, n_rows, expected = rows.weights[chosen], rows.n_rows[chosen], rows.expected[chosen]
    total = float(weights.sum())
    if not total:
        return 0.0, 0.0
    gap = float(weights @ (rows.observed[chosen] - expected)) / total
    # A calibration of 0 or 1 is never that sure.
    smoothed = (float(n_rows @ expected) + 0.5) / (float(n_rows.sum()) + 1)
    inner = np.maximum(expected * (1 - expected), smoothed * (1 - smoothed) / (1 + float(n_rows.sum())))
    return gap, float((weights**2 / n_rows) @ inner) * rows.design_effect / total**2


def label_mix_shift(
    scores: Mapping[str, tuple[NumericCounts, NumericCounts]], design_effect: float = 1.0
) -> ShiftTestResult:
    """Test whether the mix of labels is the reference's.

    Null: both are drawn from one mix; chi-square of homogeneity (Pearson 1911). The effect is half the sum of the
    absolute differences of the shares, 0 to 1: of two labels, the move of either share.

    Parameters
    ----------
    scores
        By label the reference's and the window's.
    design_effect
        Mean multiplicity of identical rows of the window, 1 or more.
    """
    counts = np.array([[before.n_present, now.n_present / design_effect] for before, now in scores.values()])
    totals = counts.sum(axis=0)
    if len(counts) < 2 or not totals.all():
        return ShiftTestResult(1.0, 0.0)
    expected = np.outer(counts.sum(axis=1), totals) / totals.sum()
    held = expected.all(axis=1)
    statistic = float(np.sum((counts - expected)[held] ** 2 / expected[held]))
    effect = float(np.abs(np.diff(counts / totals, axis=1)).sum()) / 2
    return ShiftTestResult(float(special.chdtrc(max(int(held.sum()) - 1, 1), statistic)), effect)


def score_shift_by_label(scores: Mapping[str, tuple[NumericCounts, NumericCounts]]) -> ShiftTestResult:
    """Test whether the rows of each label look as before, by the scores that they get.

    Null: P(score | label) is the reference's for every label. Kolmogorov-Smirnov for each, the smallest p-value times
    their number (Bonferroni); the effect is the largest distance.

    Parameters
    ----------
    scores
        By label the reference's and the window's, both with a present value.
    """
    found = [kolmogorov_smirnov(*sides) for sides in scores.values() if all(side.n_present for side in sides)]
    if not found:
        return ShiftTestResult(1.0, 0.0)
    return ShiftTestResult(
        min(1.0, len(found) * min(one.p_value for one in found)), max(one.statistic for one in found)
    )
