"""What the features add to the model's own probability about the labels, and whether it is worth using."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from plumbline.drift.compare.design_matrix import Encoder
from plumbline.drift.data.table import Table
from plumbline.drift.statistics.ranks import area_under_curve, middle_ranks


@dataclass(frozen=True, eq=False)
class ScoredLabels:
    """A labelled sample grouped by probability: what calibration depends on.

    `scores` holds the distinct probabilities in ascending order, shape (n_distinct,); `index` the position of every
    row's probability in it and `positive` every row's label as 0 or 1, both of shape (n_rows,).
    """

    scores: NDArray[np.float64]
    index: NDArray[np.intp]
    positive: NDArray[np.float64]

    @classmethod
    def of(cls, probabilities: NDArray[np.float64], positive: NDArray[np.bool_]) -> Self:
        """Group a sample; both arrays have shape (n_rows,)."""
        scores, index = np.unique(probabilities, return_inverse=True)
        return cls(scores, index, positive.astype(np.float64))

    def calibrate(self, probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the calibrated probabilities of new rows.

        The pool-adjacent-violators fit of the labels on the probabilities, linear between the probabilities of the
        sample and constant outside them.

        Parameters
        ----------
        probabilities
            Shape (n_new,), within 0 and 1.
        weights
            Shape (n_rows,), 0 or more, not all 0: how often each row of the sample counts.

        References
        ----------
        B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates" (2002).
        """
        mass = np.bincount(self.index, weights, minlength=len(self.scores))
        positives = np.bincount(self.index, weights * self.positive, minlength=len(self.scores))
        held = mass > 0
        fitted = isotonic_regression(positives[held] / mass[held], weights=mass[held]).x
        return np.asarray(np.interp(probabilities, self.scores[held], fitted), dtype=np.float64)

    def area_under_curve(self) -> float:
        """Return the probability that a positive row has a higher probability than a negative one; ties count half.

        Both classes must be present.
        """
        n_positive = float(self.positive.sum())
        n_negative = len(self.positive) - n_positive
        rank_sum = float(middle_ranks(np.bincount(self.index))[self.index] @ self.positive)
        return area_under_curve(rank_sum, n_positive, n_negative)


GATE = 3.0
"""Paired t above which the features are used.

Models that see all features had -1.6 to 2.7 on 13 splits of Census Income, one that sees 5 of 14 had 24 to 25: the rows
of one fold share a fit, and chance reaches further than the normal's 2.
"""
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
        """How far off the out-of-fold probabilities are."""
        return calibration_error(self.calibrated, self.positive)

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


def calibration_error(expected: NDArray[np.float64], positive: NDArray[np.float64]) -> float:
    """Return the root mean square gap of probability and share of positives, less what chance adds to it.

    The gaps are those of ten bins of equal size; rows of one probability are in one bin, so that their order is of no
    account. 0 where the gaps are no larger than the labels' own noise makes them.

    Parameters
    ----------
    expected
        Probability of a positive label, shape (n_rows,).
    positive
        Labels, 0 or 1; the same shape.

    Examples
    --------
    >>> error = calibration_error(np.full(1000, 0.5), np.repeat([0.0, 1.0], [300, 700]))
    >>> round(error, 3)  # the square root of 0.2 ** 2 - 0.25 / 1000
    0.199
    """
    edges = np.unique(np.quantile(expected, np.arange(1, 10) / 10))
    bins = np.searchsorted(edges, expected, side="right")
    rows = np.bincount(bins)
    gaps = np.bincount(bins, positive - expected)
    chance = np.bincount(bins, np.maximum(expected * (1 - expected), _SUREST * (1 - _SUREST)))
    held = rows > 0
    return math.sqrt(max(float(np.sum((gaps[held] ** 2 - chance[held]) / rows[held])) / len(expected), 0.0))


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(probabilities) - np.log1p(-probabilities))


def _losses(probabilities: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-positive * np.log(probabilities) - (1 - positive) * np.log1p(-probabilities))
