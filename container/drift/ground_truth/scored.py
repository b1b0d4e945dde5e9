"""Labelled predictions as counts: all that the figures of merit need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract.training import DECISION_THRESHOLD
from drift.counts import NumericCounts


@dataclass(frozen=True, eq=False)
class ScoredCounts:
    """Distinct probabilities in ascending order, and how many negative and positive rows have each.

    All have shape (n_distinct,). Rows without a prediction are not among them. `design_effect` is the mean multiplicity
    of identical rows (`drift.window.WindowCounts`), by which counts say less than their number.
    """

    scores: NDArray[np.float64]
    negatives: NDArray[np.int64]
    positives: NDArray[np.int64]
    design_effect: float = 1.0

    @classmethod
    def of(cls, negatives: NumericCounts, positives: NumericCounts, design_effect: float = 1.0) -> Self:
        """Join the value counts of both classes."""
        scores = np.union1d(negatives.values, positives.values)
        counts = np.zeros((2, len(scores)), dtype=np.int64)
        for side, found in zip(counts, (negatives, positives), strict=True):
            side[np.searchsorted(scores, found.values)] = found.counts
        return cls(scores, counts[0], counts[1], design_effect)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each probability."""
        return self.negatives + self.positives

    @property
    def n_negative(self) -> int:
        """Rows with the negative label."""
        return int(self.negatives.sum())

    @property
    def n_positive(self) -> int:
        """Rows with the positive label."""
        return int(self.positives.sum())

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n_negative + self.n_positive

    @property
    def confusion(self) -> tuple[int, int, int, int]:
        """True and false positives, true and false negatives."""
        called = self.scores >= DECISION_THRESHOLD
        true_positives, false_positives = int(self.positives[called].sum()), int(self.negatives[called].sum())
        return (
            true_positives,
            false_positives,
            self.n_negative - false_positives,
            self.n_positive - true_positives,
        )

    @property
    def accuracy(self) -> float:
        """Share of rows whose label the prediction names."""
        true_positives, _, true_negatives, _ = self.confusion
        return (true_positives + true_negatives) / self.n_rows


@dataclass(frozen=True, eq=False)
class ConfusionCounts:
    """Labelled predictions of more than two classes.

    `table` has shape (n_classes, n_classes): rows by label, columns by predicted label. `confidence` counts the
    predicted labels' probabilities, wrong predictions as negatives and right ones as positives.
    """

    classes: tuple[str, ...]
    table: NDArray[np.int64]
    confidence: ScoredCounts

    @classmethod
    def of(
        cls, classes: tuple[str, ...], by_label: Mapping[str, Mapping[str, NumericCounts]], design_effect: float = 1.0
    ) -> Self:
        """Count predictions, given by label and predicted label the probabilities of the latter."""
        table = np.zeros((len(classes), len(classes)), dtype=np.int64)
        sides: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
        for row, label in enumerate(classes):
            for column, predicted in enumerate(classes):
                found = by_label.get(label, {}).get(predicted)
                if found is not None:
                    table[row, column] = found.n_present
                    sides[row == column].append(found.expanded())
        wrong, right = (NumericCounts.of(np.concatenate([*side, np.zeros(0)])) for side in sides)
        return cls(classes, table, ScoredCounts.of(wrong, right, design_effect))
