"""Isotonic calibration: from a model's probability to the share of positives among rows that got it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from drift.statistics.ranks import area_under_curve, middle_ranks


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
