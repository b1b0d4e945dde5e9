"""The estimate of a window's accuracy, and the variance of what labels would show."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import Measure, ProjectedAccuracy
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import Verdict
from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.projection.domain import Domain
from plumbline.drift.projection.recalibration import Recalibration, ScoredLabels
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE, ONE_SIDED_QUANTILE


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


N_RESAMPLES = 100


@dataclass(frozen=True)
class AccuracyEstimate:
    """An expected accuracy, by `method`, and how far the realised one may be from it.

    `sampling` is the variance of reference and labels, `spread` half the range of the estimators that were compared.
    """

    value: float
    sampling: float
    spread: float
    method: str

    @property
    def sampling_half_width(self) -> float:
        """Of the 95 % interval for sampling alone, whatever the choice of estimator."""
        return NORMAL_QUANTILE * math.sqrt(self.sampling)

    @property
    def half_width(self) -> float:
        """Of the 95 % interval of a task that does not wander."""
        return NORMAL_QUANTILE * math.sqrt(self.sampling + self.spread**2)


METHOD = "calibrated_confidence_isotonic"
WEIGHTED_METHOD = "doubly_robust_recalibrated_confidence"


@dataclass(frozen=True, eq=False)
class Estimator:
    """Confidence calibrated on the labelled test set; doubly robust where the gate is open.

    `labelled` and `recalibration` are the test set's, `domain` compares it with one window.
    """

    labelled: ScoredLabels
    recalibration: Recalibration
    domain: Domain | None
    seed: int

    def expected(self, probabilities: NumericCounts) -> Expected:
        """Return the window's scores with their calibrated probabilities."""
        equal = np.ones(len(self.labelled.positive))
        return self._calibrated(probabilities, equal)

    def resampled(self, probabilities: NumericCounts) -> list[Expected]:
        """Return the same from `N_RESAMPLES` bootstrap samples of the test set."""
        random, n = np.random.default_rng(self.seed), len(self.labelled.positive)
        equal = np.full(n, 1 / n)
        return [
            self._calibrated(probabilities, random.multinomial(n, equal).astype(np.float64)) for _ in range(N_RESAMPLES)
        ]

    def estimates(self, window: WindowCounts, refits: list[Expected]) -> tuple[AccuracyEstimate, ...]:
        """Return the estimate with its variance; where it is doubly robust, that by the score alone after it."""
        if self.domain is None or not self.recalibration.uses_features:
            return (self._by_score(window, refits),)
        return self._doubly_robust(window), self._by_score(window, refits)

    def _by_score(self, window: WindowCounts, refits: list[Expected]) -> AccuracyEstimate:
        plain = self.expected(window.probabilities)
        value = plain.accuracy
        compared = [value, *self._corrected(value, self.recalibration.calibrated)]
        of_reference = float(np.var([refit.accuracy for refit in refits], ddof=1))
        return self._found(value, of_reference, compared, window, METHOD)

    def _doubly_robust(self, window: WindowCounts) -> AccuracyEstimate:
        """Return the estimate by the features.

        The doubly robust one adds to the features' own estimate what the test set's rows, weighted to look like the
        window's, say it is off by (J. Robins et al., "Estimation of regression coefficients when some regressors are
        not always observed", 1994).
        """
        differences = self._differences(window)
        believed = self.expected(window.probabilities).accuracy + float(np.mean(differences))
        compared = self._corrected(believed, self.recalibration.recalibrated)
        of_reference = self._variance_of_residual() + _variance_of_sample(differences, window)
        return self._found(compared[0], of_reference, compared, window, WEIGHTED_METHOD)

    def _found(
        self, value: float, of_reference: float, compared: list[float], window: WindowCounts, method: str
    ) -> AccuracyEstimate:
        of_labels = self.expected(window.probabilities).label_variance * window.design_effect
        spread = (max(compared) - min(compared)) / 2
        return AccuracyEstimate(min(max(value, 0.0), 1.0), of_reference + of_labels, spread, method)

    def _calibrated(self, probabilities: NumericCounts, weights: NDArray[np.float64]) -> Expected:
        values = probabilities.values
        return Expected(values, probabilities.counts.astype(np.float64), self.labelled.calibrate(values, weights))

    def _corrected(self, believed: float, out_of_fold: NDArray[np.float64]) -> list[float]:
        """Return an estimate plus its weighted residuals, the mean of both classifiers first; none without features."""
        if self.domain is None:
            return []
        residuals = self._residuals(out_of_fold)
        return [believed + _weighted(self.domain.weights(log_odds), residuals) for log_odds in self.domain.each]

    def _differences(self, window: WindowCounts) -> NDArray[np.float64]:
        """Return by how much more the features expect each sampled row to be right than the score alone does."""
        scores = window.sample.probabilities
        captured = ~np.isnan(scores)
        table = window.sample.table
        rows = Table(table.specs, {name: column[captured] for name, column in table.columns.items()})
        by_features = self.recalibration.probabilities(rows, scores[captured])
        by_score = self.labelled.calibrate(scores[captured], np.ones(len(self.labelled.positive)))
        sign = np.where(scores[captured] >= DECISION_THRESHOLD, 1.0, -1.0)
        return np.asarray(sign * (by_features - by_score))

    def _residuals(self, believed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return right minus believed right of the domain's rows of the test set, shape (n_reference,)."""
        chosen = self.domain.chosen if self.domain else slice(None)
        called = self.recalibration.scores[chosen] >= DECISION_THRESHOLD
        positive, chance = self.recalibration.positive[chosen], believed[chosen]
        return np.asarray((positive == called) - np.where(called, chance, 1 - chance))

    def _variance_of_residual(self) -> float:
        if self.domain is None:
            return 0.0
        random = np.random.default_rng(self.seed)
        weights = self.domain.weights(self.domain.log_odds)
        residuals, n = self._residuals(self.recalibration.recalibrated), len(weights)
        drawn = [random.multinomial(n, np.full(n, 1 / n)) for _ in range(N_RESAMPLES)]
        return float(np.var([_weighted(weights * times, residuals) for times in drawn], ddof=1))


def _variance_of_sample(differences: NDArray[np.float64], window: WindowCounts) -> float:
    unseen = 1 - len(differences) / max(window.probabilities.n_present, len(differences))
    return float(np.var(differences)) / len(differences) * unseen


def _weighted(weights: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    return float(weights @ values / weights.sum())


def with_verdict(projected: ProjectedAccuracy, deviation: float) -> ProjectedAccuracy:
    """Return the estimate with its verdict.

    Drift when the drop is `drop_threshold` or more and above 1.645 standard deviations: when the upper end of a
    one-sided 95 % interval is below the reference.

    Parameters
    ----------
    deviation
        Standard deviation of the realised accuracy about the estimate.
    """
    drop, threshold, reference = projected.drop or 0.0, projected.drop_threshold or 0.0, projected.reference or 0
    chance = ONE_SIDED_QUANTILE * deviation
    code, verdict = ReasonCode.NO_PROJECTED_DROP, Verdict.NO_DRIFT
    if drop >= threshold and drop > chance:
        code, verdict = ReasonCode.PROJECTED_DROP, Verdict.DRIFT
    elif drop >= threshold:
        code = ReasonCode.PROJECTED_DROP_WITHIN_CHANCE
    reason = code.reason(
        expected=100 * reference - 100 * drop,
        reference=100 * reference,
        drop=100 * drop,
        chance=100 * chance,
        threshold=100 * threshold,
    )
    return replace(projected, verdict=verdict, verdict_reason=reason)
