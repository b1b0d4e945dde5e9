"""What the features tell of the labels beside the model's own probability, and whether it is worth using."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.calibration import ScoredLabels
from drift.projection.encoding import Encoder
from drift.table import Table

GATE = 2.0
"""Paired t from which on the features are used: the study's well and badly specified models lie apart there."""
_N_FOLDS = 3
_SUREST = 0.005
"""A calibrated probability is not taken to be surer than this: a step of the isotonic fit may be 0 or 1."""


@dataclass(frozen=True, eq=False)
class Recalibration:
    """The labelled test set with probabilities calibrated by the score, and by score and features.

    All arrays have shape (n_rows,); `calibrated` and `recalibrated` are out of fold: of rows not learned from.
    """

    table: Table
    scores: NDArray[np.float64]
    positive: NDArray[np.float64]
    ignored: frozenset[str]
    seed: int

    @cached_property
    def calibrated(self) -> NDArray[np.float64]:
        """Out-of-fold isotonic probabilities."""
        found = np.empty(len(self.scores))
        for fold in range(_N_FOLDS):
            held = self._folds == fold
            found[held] = self._calibration(~held)(self.scores[held])
        return found

    @cached_property
    def recalibrated(self) -> NDArray[np.float64]:
        """Out-of-fold probabilities by score and features."""
        found = np.empty(len(self.scores))
        for fold in range(_N_FOLDS):
            held = self._folds == fold
            found[held] = self._learned(~held, self._rows[held], self.scores[held])
        return found

    @cached_property
    def gate_statistic(self) -> float | None:
        """Paired t of the log loss that the features save, over the rows of the test set; None without features."""
        if not self._encoder.specs:
            return None
        gain = _losses(self.calibrated, self.positive) - _losses(self.recalibrated, self.positive)
        deviation = float(np.std(gain, ddof=1))
        return float(np.mean(gain)) / deviation * math.sqrt(len(gain)) if deviation else 0.0

    @property
    def uses_features(self) -> bool:
        """Whether the gate is open."""
        return self.gate_statistic is not None and self.gate_statistic > GATE

    def probabilities(self, table: Table, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a positive label by score and features, shape (n_rows,)."""
        return self._predict(self._whole, self._encoder.encode(table), self._whole_calibration(scores))

    @cached_property
    def calibration_error(self) -> float:
        """Root mean square gap of out-of-fold probability and share of positives over ten bins, less chance's part."""
        edges = np.unique(np.quantile(self.calibrated, np.arange(1, 10) / 10))
        # Rows of one probability are in one bin, or the order of the test set would matter.
        bins = np.searchsorted(edges, self.calibrated, side="right")
        total = 0.0
        for number in np.unique(bins):
            rows = np.flatnonzero(bins == number)
            expected = self.calibrated[rows]
            gap = float(np.mean(self.positive[rows] - expected))
            chance = float(np.sum(np.maximum(expected * (1 - expected), _SUREST * (1 - _SUREST)))) / len(rows) ** 2
            total += (gap**2 - chance) * len(rows) / len(self.scores)
        return math.sqrt(max(total, 0.0))

    @cached_property
    def _folds(self) -> NDArray[np.intp]:
        order = np.random.default_rng(self.seed).permutation(len(self.scores))
        return np.asarray(order % _N_FOLDS)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder.of(self.table, self.ignored)

    @cached_property
    def _rows(self) -> NDArray[np.float64]:
        return self._encoder.encode(self.table)

    def _calibration(self, rows: NDArray[np.bool_]) -> Any:
        labelled = ScoredLabels.of(self.scores[rows], self.positive[rows] == 1)
        ones = np.ones(int(rows.sum()))
        return lambda scores: np.clip(labelled.calibrate(scores, ones), _SUREST, 1 - _SUREST)

    def _learned(
        self, rows: NDArray[np.bool_], others: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        calibrate = self._calibration(rows)
        model = self._fit(self._rows[rows], calibrate(self.scores[rows]), self.positive[rows])
        return self._predict(model, others, calibrate(scores))

    @cached_property
    def _whole_calibration(self) -> Any:
        return self._calibration(np.ones(len(self.scores), dtype=bool))

    @cached_property
    def _whole(self) -> Any:
        return self._fit(self._rows, self._whole_calibration(self.scores), self.positive)

    def _fit(
        self, rows: NDArray[np.float64], calibrated: NDArray[np.float64], positive: NDArray[np.float64]
    ) -> "list[Any]":
        """Boost small trees from the calibrated probability on: forty Newton steps on the log loss."""
        # A heavy import, paid for only where accuracy is projected.
        from sklearn.tree import DecisionTreeRegressor

        inputs = np.column_stack([rows, calibrated])
        margins, trees = _logits(calibrated), []
        for _ in range(40):
            chances = 1 / (1 + np.exp(-margins))
            tree = DecisionTreeRegressor(max_leaf_nodes=6, min_samples_leaf=80, random_state=self.seed)
            leaves = tree.fit(inputs, positive - chances).apply(inputs)
            gradient = np.bincount(leaves, positive - chances)
            curvature = np.bincount(leaves, chances * (1 - chances))
            steps = 0.05 * gradient / (curvature + 10)
            margins = margins + steps[leaves]
            trees.append((tree, steps))
        return trees

    def _predict(
        self, trees: "list[Any]", rows: NDArray[np.float64], calibrated: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        inputs, margins = np.column_stack([rows, calibrated]), _logits(calibrated)
        for tree, steps in trees:
            margins = margins + steps[tree.apply(inputs)]
        return np.asarray(1 / (1 + np.exp(-margins)))


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(probabilities) - np.log1p(-probabilities))


def _losses(probabilities: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-positive * np.log(probabilities) - (1 - positive) * np.log1p(-probabilities))
