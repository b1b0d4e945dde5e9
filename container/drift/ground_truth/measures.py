"""Figures of merit of labelled predictions, with 95 % intervals, from counts."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import Measure, MeasureReport
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.contract.verdicts import Status
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE, wilson
from plumbline.drift.statistics.ranks import area_under_curve, middle_ranks


@dataclass(frozen=True, eq=False)
class ScoredCounts:
    """Distinct probabilities in ascending order, and how many negative and positive rows have each.

    All have shape (n_distinct,). Rows without a prediction are not among them. `design_effect` is the mean multiplicity
    of identical rows (`plumbline.drift.data.window.WindowCounts`), which reduces their effective number.
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


_MIN_PROBABILITY = 1e-15
"""Stands for a probability of 0 in the log loss, which one such row would make infinite: scikit-learn's old bound."""
CALIBRATION_BINS = 10
_N_RESAMPLES = 200

_Counts = TypeVar("_Counts", ScoredCounts, ConfusionCounts)
FigureEstimate: TypeAlias = tuple[float, float, float]
"""Value, lower and upper end of the 95 % interval."""


class UndefinedError(ValueError):
    """Raised where a figure is not defined; `reason` is why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def measures(window: ScoredCounts, reference: ScoredCounts | None, seed: int) -> tuple[MeasureReport, ...]:
    """Return every figure of a window of two classes with the reference's."""
    return _reports(_BINARY, window, reference, seed)


def class_measures(window: ConfusionCounts, reference: ConfusionCounts | None, seed: int) -> tuple[MeasureReport, ...]:
    """Return the figures of a window of more than two classes; precision, recall and F1 are macro averages."""
    return _reports(_MULTICLASS, window, reference, seed)


def _reports(
    computes: Mapping[Measure, Callable[[_Counts, int], FigureEstimate]],
    window: _Counts,
    reference: _Counts | None,
    seed: int,
) -> tuple[MeasureReport, ...]:
    found = []
    for measure in Measure:
        before = None
        try:
            before = None if reference is None else computes[measure](reference, seed)[0]
            value, lower, upper = computes[measure](window, seed)
        except UndefinedError as error:
            found.append(MeasureReport(measure=measure, reason=error.reason, reference=before))
            continue
        found.append(
            MeasureReport(
                measure=measure, status=Status.ESTIMATED, value=value, lower=lower, upper=upper, reference=before
            )
        )
    return tuple(found)


def _of_several(counts: object, seed: int) -> FigureEstimate:
    raise UndefinedError(ReasonCode.ONE_PROBABILITY_KEPT.reason())


def _proportion(count: int, total: int, design_effect: float, kind: str) -> FigureEstimate:
    if not total:
        raise UndefinedError(ReasonCode.NO_SUCH_ROW.reason(kind=kind))
    return count / total, *wilson(count, total, design_effect)


def _accuracy(counts: ScoredCounts, seed: int) -> FigureEstimate:
    true_positives, _, true_negatives, _ = counts.confusion
    return _proportion(true_positives + true_negatives, counts.n_rows, counts.design_effect, "row")


def _precision(counts: ScoredCounts, seed: int) -> FigureEstimate:
    true_positives, false_positives, _, _ = counts.confusion
    return _proportion(true_positives, true_positives + false_positives, counts.design_effect, "positive prediction")


def _recall(counts: ScoredCounts, seed: int) -> FigureEstimate:
    true_positives, _, _, false_negatives = counts.confusion
    return _proportion(true_positives, true_positives + false_negatives, counts.design_effect, "positive label")


def _f1(counts: ScoredCounts, seed: int) -> FigureEstimate:
    """Return F1 with its delta-method interval.

    Takahashi et al., "Confidence interval for micro-averaged F1 and macro-averaged F1 scores" (2022).
    """
    true_positives, false_positives, _, false_negatives = counts.confusion
    denominator = 2 * true_positives + false_positives + false_negatives
    if not denominator:
        raise UndefinedError(ReasonCode.NO_POSITIVE_AT_ALL.reason())
    cells = np.array([true_positives, false_positives, false_negatives]) / counts.n_rows
    wrong = false_positives + false_negatives
    slopes = np.array([2 * wrong, -2 * true_positives, -2 * true_positives]) * counts.n_rows / denominator**2
    variance = float((slopes**2 @ cells - (slopes @ cells) ** 2) / counts.n_rows)
    return _normal(2 * true_positives / denominator, variance * counts.design_effect)


def _area(counts: ScoredCounts, seed: int) -> FigureEstimate:
    """Return the area under the ROC curve with DeLong's interval.

    E. DeLong et al., "Comparing the areas under two or more correlated receiver operating characteristic curves"
    (1988).
    """
    n_negative, n_positive = counts.n_negative, counts.n_positive
    if min(n_negative, n_positive) < 2:
        raise UndefinedError(ReasonCode.CLASS_TOO_SMALL.reason())
    ranks = middle_ranks(counts.rows)
    value = area_under_curve(float(ranks @ counts.positives), n_positive, n_negative)
    below = np.cumsum(counts.negatives) - counts.negatives / 2
    above = n_positive - np.cumsum(counts.positives) + counts.positives / 2
    variance = _variance(below / n_negative, counts.positives) / n_positive
    variance += _variance(above / n_positive, counts.negatives) / n_negative
    return _normal(value, variance * counts.design_effect)


def _variance(values: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    n = int(weights.sum())
    mean = float(weights @ values) / n
    return float(weights @ (values - mean) ** 2) / (n - 1)


def _log_loss(counts: ScoredCounts, seed: int) -> FigureEstimate:
    if counts.n_rows < 2:
        raise UndefinedError(ReasonCode.TOO_FEW_LABELLED_ROWS.reason())
    scores = np.clip(counts.scores, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    losses = np.concatenate([-np.log(scores), -np.log1p(-scores)])
    weights = np.concatenate([counts.positives, counts.negatives])
    value = float(weights @ losses) / counts.n_rows
    return _normal(value, _variance(losses, weights) * counts.design_effect / counts.n_rows, math.inf)


def _calibration_error(counts: ScoredCounts, seed: int) -> FigureEstimate:
    """Return the expected calibration error over ten bins of equal width; the interval is from resampled rows.

    M. Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (2015).
    """
    if not counts.n_rows:
        raise UndefinedError(ReasonCode.NO_SUCH_ROW.reason(kind="row"))
    cells = np.concatenate([counts.negatives, counts.positives])
    bins = np.minimum((counts.scores * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)

    def error(drawn: NDArray[np.int64]) -> float:
        negatives, positives = np.split(drawn, 2)
        gaps = np.bincount(bins, positives - counts.scores * (negatives + positives), minlength=CALIBRATION_BINS)
        return float(np.abs(gaps).sum()) / counts.n_rows

    random = np.random.default_rng(seed)
    drawn = [error(random.multinomial(counts.n_rows, cells / counts.n_rows)) for _ in range(_N_RESAMPLES)]
    return _normal(error(cells), float(np.var(drawn)) * counts.design_effect)


def _normal(value: float, variance: float, most: float = 1.0) -> FigureEstimate:
    half_width = NORMAL_QUANTILE * math.sqrt(max(variance, 0.0))
    return value, max(value - half_width, 0.0), min(value + half_width, most)


def _class_accuracy(counts: ConfusionCounts, seed: int) -> FigureEstimate:
    total = int(counts.table.sum())
    return _proportion(int(np.trace(counts.table)), total, counts.confidence.design_effect, "row")


def _macro(counts: ConfusionCounts, seed: int, of_table: Callable[[NDArray[np.int64]], float]) -> FigureEstimate:
    """Return a macro average with an interval from resampled rows."""
    total = int(counts.table.sum())
    if not total:
        raise UndefinedError(ReasonCode.NO_SUCH_ROW.reason(kind="row"))
    random = np.random.default_rng(seed)
    shares = counts.table.ravel() / total
    drawn = [of_table(random.multinomial(total, shares).reshape(counts.table.shape)) for _ in range(_N_RESAMPLES)]
    return _normal(of_table(counts.table), float(np.var(drawn)) * counts.confidence.design_effect)


def _shares(right: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the shares of the classes that have any row; one without takes no part in the average."""
    held = total > 0
    return np.asarray(right[held] / total[held])


def _mean_precision(table: NDArray[np.int64]) -> float:
    return float(np.mean(_shares(np.diag(table), table.sum(axis=0))))


def _mean_recall(table: NDArray[np.int64]) -> float:
    return float(np.mean(_shares(np.diag(table), table.sum(axis=1))))


def _mean_f1(table: NDArray[np.int64]) -> float:
    return float(np.mean(_shares(2 * np.diag(table), table.sum(axis=0) + table.sum(axis=1))))


_BINARY: Mapping[Measure, Callable[[ScoredCounts, int], FigureEstimate]] = {
    Measure.ACCURACY: _accuracy,
    Measure.AREA_UNDER_CURVE: _area,
    Measure.PRECISION: _precision,
    Measure.RECALL: _recall,
    Measure.F1: _f1,
    Measure.LOG_LOSS: _log_loss,
    Measure.CALIBRATION_ERROR: _calibration_error,
}
_MULTICLASS: Mapping[Measure, Callable[[ConfusionCounts, int], FigureEstimate]] = {
    Measure.ACCURACY: _class_accuracy,
    Measure.AREA_UNDER_CURVE: _of_several,
    Measure.LOG_LOSS: _of_several,
    Measure.PRECISION: partial(_macro, of_table=_mean_precision),
    Measure.RECALL: partial(_macro, of_table=_mean_recall),
    Measure.F1: partial(_macro, of_table=_mean_f1),
    Measure.CALIBRATION_ERROR: lambda counts, seed: _calibration_error(counts.confidence, seed),
}
