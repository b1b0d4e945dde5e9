"""A window's predictions with the probabilities that the labelled test set gives them, and what follows from both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.accuracy import Measure
from contract.reasons import Reason, ReasonCode
from contract.training import DECISION_THRESHOLD


@dataclass(frozen=True, eq=False)
class Expected:
    """Distinct scores in ascending order, how many rows have each, and their probability of a positive label.

    All have shape (n_distinct,).
    """

    scores: NDArray[np.float64]
    counts: NDArray[np.float64]
    positive: NDArray[np.float64]

    @property
    def called(self) -> NDArray[np.bool_]:
        """Which scores are predicted positive."""
        return np.asarray(self.scores >= DECISION_THRESHOLD)

    @property
    def right(self) -> NDArray[np.float64]:
        """The probability that the prediction is right."""
        return np.where(self.called, self.positive, 1 - self.positive)

    @property
    def accuracy(self) -> float:
        """Share of rows that are expected to be predicted right."""
        return float(self.counts @ self.right / self.counts.sum())

    @property
    def label_variance(self) -> float:
        """Variance of the accuracy that labels would show, by the labels' own noise."""
        return float(self.counts @ (self.right * (1 - self.right))) / float(self.counts.sum()) ** 2

    def drawn(self, random: np.random.Generator, design_effect: float) -> "Expected":
        """Return what labels drawn by these probabilities would show; identical rows share one draw."""
        spread = np.sqrt(design_effect * self.positive * (1 - self.positive) / np.maximum(self.counts, 1))
        noisy = self.positive + spread * random.standard_normal(len(self.scores))
        # Not held within 0 and 1: that would move the mean.
        return Expected(self.scores, self.counts, noisy)


def _precision(rows: Expected) -> float:
    return float(rows.counts[rows.called] @ rows.positive[rows.called]) / float(rows.counts[rows.called].sum())


def _recall(rows: Expected) -> float:
    return float(rows.counts[rows.called] @ rows.positive[rows.called]) / float(rows.counts @ rows.positive)


def _f1(rows: Expected) -> float:
    called = rows.called
    positives = float(rows.counts[called] @ rows.positive[called])
    return 2 * positives / (float(rows.counts[called].sum()) + float(rows.counts @ rows.positive))


def _area(rows: Expected) -> float:
    """Return the chance that a positive row scores above a negative one, both weighted by their probability."""
    positives, negatives = rows.counts * rows.positive, rows.counts * (1 - rows.positive)
    below = np.cumsum(negatives) - negatives / 2
    return float(positives @ below) / (float(positives.sum()) * float(negatives.sum()))


MEASURES: Mapping[Measure, Callable[[Expected], float]] = {
    Measure.AREA_UNDER_CURVE: _area,
    Measure.PRECISION: _precision,
    Measure.RECALL: _recall,
    Measure.F1: _f1,
}


def undefined(measure: Measure, rows: Expected) -> Reason | None:
    """Return why a figure is not defined of some rows, or None."""
    n_called, n_positive = float(rows.counts[rows.called].sum()), float(rows.counts @ rows.positive)
    if measure is Measure.PRECISION and not n_called:
        return ReasonCode.NO_POSITIVE_PREDICTION.reason()
    if measure is Measure.RECALL and not n_positive:
        return ReasonCode.NO_POSITIVE_EXPECTED.reason()
    if measure is Measure.F1 and not n_called + n_positive:
        return ReasonCode.NO_POSITIVE_AT_ALL_EXPECTED.reason()
    if measure is Measure.AREA_UNDER_CURVE and not 0 < n_positive < rows.counts.sum():
        return ReasonCode.ONE_CLASS_EXPECTED.reason()
    return None
