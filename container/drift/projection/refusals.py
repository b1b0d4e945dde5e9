"""Why there is no estimate, and what makes one doubtful."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import ProjectionEvidence
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.training import Task
from plumbline.drift.data.counts import NumericCounts, ValueCounts, missing, unknown
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.reference.baseline import Baseline, LabelledTest

MAX_OUT_OF_SUPPORT_FRACTION = 0.2
"""From this share of rows on, an estimate is refused: measured on Census Income, windows with 20 % and more of their
rows outside the reference's support were 3.4 points off on average, the others 0.8 to 1.7."""
NAMES_SHOWN = 3


CHANCE = 0.5
"""Area under the ROC curve of probabilities that know nothing of the labels."""
MIN_ROWS = 200
"""Rows of a window with a prediction: with fewer the interval covers too seldom."""
MAX_HARD_FRACTION = 0.5
"""From this fraction of exact zeros and ones on, a test set's predictions say nothing about a window of them alone."""
MAX_SCORE_GAP = 0.05
"""A prediction further than this from each of the test set's is one that the calibration has never seen."""
MIN_REFERENCE_ROWS = 500
"""Rows of the labelled test set: with fewer a calibrated probability is worse than the model's own."""
MIN_CLASS_ROWS = 50
"""Rows of each class of it."""
MAX_CALIBRATION_ERROR = 0.05
"""Root mean square gap of probability and share of positives, on rows that the calibration has not seen."""
DOUBTFUL_SEPARABILITY = 0.85
DOUBTFUL_FRACTION = 0.05
DOUBTFUL_REFERENCE_ROWS = 1_000
_LIKE_WINDOWS = 3
"""Windows with labels that lay as far away as this one: fewer may be chance."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From which measurement on there is no estimate.

    `separability` is the area under the ROC curve of window against labelled test set, the fractions are shares of the
    window's rows (`plumbline.contract.accuracy.ProjectionEvidence`) and `half_width` that of the 95 % interval.
    """

    separability: float = 0.95
    over_represented_fraction: float = 0.2
    out_of_support_fraction: float = MAX_OUT_OF_SUPPORT_FRACTION
    half_width: float = 0.05
    calibration_error: float = MAX_CALIBRATION_ERROR

    def covering(self, past: Sequence[ProjectionEvidence], misses: Sequence[ProjectionEvidence]) -> "Limits":
        """Return the limits with room for what the misses that are known were measured at.

        Where windows of the past, or three of the windows before, lay as far from the rows that they were projected by
        as makes an estimate doubtful, their misses say what that costs, and the distance is no reason to refuse. On
        streams it foretells no miss: below every limit from 0.75 to 0.95 intervals for sampling cover 44 to 58 %.

        Parameters
        ----------
        past
            The largest distances of the past, if it is known.
        misses
            Those of the windows before whose labels are known.
        """
        separability, frequent, outside = (
            max([_number(getattr(one, name)) for one in past] + _third([_number(getattr(one, name)) for one in misses]))
            if past or len(misses) >= _LIKE_WINDOWS
            else 0.0
            for name in ("separability", "over_represented_fraction", "out_of_support_fraction")
        )
        return replace(
            self,
            separability=math.inf if separability >= DOUBTFUL_SEPARABILITY else self.separability,
            over_represented_fraction=(math.inf if frequent >= DOUBTFUL_FRACTION else self.over_represented_fraction),
            out_of_support_fraction=(
                math.inf if outside >= self.out_of_support_fraction else self.out_of_support_fraction
            ),
            calibration_error=math.inf if past or len(misses) >= _LIKE_WINDOWS else self.calibration_error,
        )


def _number(value: float | None) -> float:
    return 0.0 if value is None else value


def _third(distances: Sequence[float]) -> list[float]:
    """Return what three of the distances reach, if there are three."""
    return sorted(distances, reverse=True)[_LIKE_WINDOWS - 1 : _LIKE_WINDOWS]


def reference_refusal(baseline: Baseline) -> Reason | None:
    """Return why nothing can be learned of the labelled test set, or None."""
    test = baseline.test
    if test is None:
        return ReasonCode.NO_TEST_SET.reason()
    if baseline.task is Task.REGRESSION:
        return ReasonCode.TARGET_IS_QUANTITY.reason()
    if test.probabilities is None:
        return ReasonCode.TEST_SET_NOT_PREDICTED.reason()
    if len(test.labels) < MIN_REFERENCE_ROWS:
        return ReasonCode.TEST_SET_TOO_SMALL.reason(n_rows=len(test.labels), min_rows=MIN_REFERENCE_ROWS)
    return _classes_refusal(baseline, test)


def _classes_refusal(baseline: Baseline, test: LabelledTest) -> Reason | None:
    outcome = ""
    if baseline.task is Task.MULTICLASS:
        if test.predicted is None:
            return ReasonCode.NO_PREDICTED_LABELS.reason()
        n_right = sum(label == called for label, called in zip(test.labels, test.predicted, strict=True))
        fewest = min(n_right, len(test.labels) - n_right)
        code, outcome = ReasonCode.TEST_OUTCOME_TOO_RARE, "right" if fewest == n_right else "wrong"
    elif baseline.positive_label is None:
        return ReasonCode.TARGET_NOT_BINARY.reason(n_classes=len(set(test.labels)))
    else:
        n_positive = test.labels.count(baseline.positive_label)
        fewest = min(n_positive, len(test.labels) - n_positive)
        code = ReasonCode.TEST_CLASS_TOO_SMALL
    if fewest >= MIN_CLASS_ROWS:
        return None
    return code.reason(n_rows=fewest, outcome=outcome, min_rows=MIN_CLASS_ROWS)


def predictions_refusal(window: WindowCounts, reference: NDArray[np.float64]) -> Reason | None:
    """Return why the window's predictions allow no estimate, or None.

    Parameters
    ----------
    reference
        Those of the labelled test set, shape (n_test_rows,).
    """
    probabilities = window.probabilities
    if probabilities.n_rows and not probabilities.n_present:
        return window.no_predictions or ReasonCode.NO_PREDICTIONS.reason()
    if ((probabilities.values < 0) | (probabilities.values > 1)).any():
        return ReasonCode.NOT_PROBABILITIES.reason()
    if probabilities.n_present < MIN_ROWS:
        return ReasonCode.PREDICTIONS_TOO_FEW.reason(n_rows=probabilities.n_present, min_rows=MIN_ROWS)
    return labels_for_probabilities(probabilities, reference) or _scores_refusal(probabilities, reference)


def labels_for_probabilities(window: NumericCounts, reference: NDArray[np.float64]) -> Reason | None:
    """Return that the window's predictions are labels where the test set's are probabilities, or None.

    A label alone counts as a probability of 1, or 0 where it is the negative one.
    """
    if not window.n_present or not np.isin(window.values, (0.0, 1.0)).all():
        return None
    return ReasonCode.LABELS_FOR_PROBABILITIES.reason() if _hard_fraction(reference) < MAX_HARD_FRACTION else None


def _hard_fraction(probabilities: NDArray[np.float64]) -> float:
    return float(np.mean(np.isin(probabilities, (0.0, 1.0)))) if probabilities.size else 1.0


def _scores_refusal(window: NumericCounts, reference: NDArray[np.float64]) -> Reason | None:
    """Return why the predictions are not those of the model that the test set was predicted with, or None."""
    if _are_tenths(window.values) and not _are_tenths(reference):
        return ReasonCode.PREDICTIONS_ROUNDED.reason()
    known = np.unique(reference)
    places = np.searchsorted(known, window.values)
    below, above = known[np.maximum(places - 1, 0)], known[np.minimum(places, len(known) - 1)]
    gaps = np.minimum(np.abs(window.values - below), np.abs(above - window.values))
    is_outside = (window.values < known[0]) | (window.values > known[-1]) | (gaps > MAX_SCORE_GAP)
    fraction = float(window.counts[is_outside].sum()) / window.n_present
    if fraction < MAX_OUT_OF_SUPPORT_FRACTION:
        return None
    return ReasonCode.PREDICTIONS_OUT_OF_SUPPORT.reason(
        percent=100 * fraction,
        lowest=known[0],
        highest=known[-1],
        max_percent=100 * MAX_OUT_OF_SUPPORT_FRACTION,
    )


def _are_tenths(probabilities: NDArray[np.float64]) -> bool:
    return bool(np.isclose(probabilities * 10, np.round(probabilities * 10), rtol=0, atol=1e-9).all())


def sample_refusal(window: WindowCounts) -> Reason | None:
    """Return why the window's sample has too few predictions for the features to be used, or None.

    Predictions may be rare enough for that in a window that has many of them.
    """
    n_sampled = int(np.count_nonzero(~np.isnan(window.sample.probabilities)))
    if n_sampled >= MIN_ROWS:
        return None
    return ReasonCode.SAMPLE_PREDICTIONS_TOO_FEW.reason(n_rows=n_sampled, min_rows=MIN_ROWS)


def calibration_refusal(area: float, error: float, max_error: float = MAX_CALIBRATION_ERROR) -> Reason | None:
    """Return why the test set's probabilities cannot be trusted, or None.

    Parameters
    ----------
    area
        Area under the ROC curve.
    error
        Of the probabilities once calibrated, on rows that the calibration has not seen.
    max_error
        Above it they are refused.
    """
    if area < CHANCE:
        return ReasonCode.TEST_RANKING_BELOW_CHANCE.reason(area=area)
    if error > max_error:
        return ReasonCode.CALIBRATION_OFF.reason(points=100 * error, max_points=100 * max_error)
    return None


def distance_refusal(
    baseline: Baseline, window: WindowCounts, ignored: frozenset[str], evidence: ProjectionEvidence, limits: Limits
) -> Reason | None:
    """Return why the window is too far from training data and test set for an estimate, or None."""
    separability, fraction = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    if (evidence.out_of_support_fraction or 0.0) >= limits.out_of_support_fraction:
        judged = {name: column for name, column in window.columns.items() if name not in ignored}
        n_rows = window.n_rows
        n_outside = round((evidence.out_of_support_fraction or 0.0) * n_rows)
        return support_refusal(baseline, judged, n_outside, n_rows, limits.out_of_support_fraction)
    if separability >= limits.separability:
        return ReasonCode.WINDOW_SEPARABLE.reason(area=separability, max_area=limits.separability)
    if fraction >= limits.over_represented_fraction:
        max_percent = 100 * limits.over_represented_fraction
        return ReasonCode.ROWS_OVER_REPRESENTED.reason(percent=100 * fraction, max_percent=max_percent)
    return None


def interval_refusal(half_width: float, largest: float) -> Reason:
    """Return the reason of a 95 % interval that is too wide to be of use."""
    return ReasonCode.INTERVAL_TOO_WIDE.reason(points=100 * half_width, max_points=100 * largest)


def partly_predicted(window: WindowCounts) -> Reason | None:
    """Return that not all rows have a prediction, or None."""
    n_predicted = window.probabilities.n_present
    if n_predicted == window.n_rows:
        return None
    return ReasonCode.PARTLY_PREDICTED.reason(n_predicted=n_predicted, n_rows=window.n_rows)


def warnings(evidence: ProjectionEvidence, n_reference: int) -> tuple[Reason, ...]:
    """Return what makes an estimate doubtful though it is made."""
    separability, fraction = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    found = []
    if separability >= DOUBTFUL_SEPARABILITY:
        found.append(ReasonCode.WINDOW_FAIRLY_SEPARABLE.reason(area=separability, max_area=DOUBTFUL_SEPARABILITY))
    if fraction >= DOUBTFUL_FRACTION:
        found.append(ReasonCode.ROWS_FREQUENT.reason(percent=100 * fraction, max_percent=100 * DOUBTFUL_FRACTION))
    if n_reference < DOUBTFUL_REFERENCE_ROWS:
        found.append(ReasonCode.TEST_SET_TOO_SMALL.reason(n_rows=n_reference, min_rows=DOUBTFUL_REFERENCE_ROWS))
    return tuple(found)


def support_refusal(
    baseline: Baseline,
    columns: Mapping[str, ValueCounts],
    n_out_of_support: int,
    n_rows: int,
    max_fraction: float = MAX_OUT_OF_SUPPORT_FRACTION,
) -> Reason | None:
    """Return why too many rows are out of support for an estimate, or None.

    A row is out of support when at least one of its cells is a label that training never had, a number beyond
    training's range, unreadable, or missing in a column that was never missing there.

    Parameters
    ----------
    columns
        The window's value counts.
    n_out_of_support
        How many of the window's `n_rows` rows are out of support.
    max_fraction
        Fraction of the rows from which on there is no estimate.
    """
    fraction = n_out_of_support / n_rows if n_rows else 0.0
    if fraction < max_fraction:
        return None
    n_cells = {name: cells_out_of_support(baseline.counts[name], column) for name, column in columns.items()}
    worst = sorted((name for name in n_cells if n_cells[name]), key=lambda name: -n_cells[name])
    names = ", ".join(worst[:NAMES_SHOWN]) + (" and others" if len(worst) > NAMES_SHOWN else "")
    return ReasonCode.OUT_OF_SUPPORT.reason(percent=100 * fraction, names=names, max_percent=100 * max_fraction)


def rows_out_of_support(
    reference: Mapping[str, ValueCounts], table: Table, ignored: frozenset[str]
) -> NDArray[np.bool_]:
    """Return which rows have a cell that the reference gives no ground for, shape (n_rows,)."""
    outside = np.zeros(table.n_rows, dtype=bool)
    for name, column in table.columns.items():
        if name not in ignored:
            outside |= _outside(reference[name], column)
    return outside


def out_of_support_fraction(
    baseline: Baseline, window: WindowCounts, ignored: frozenset[str], left_out: frozenset[str]
) -> float | None:
    """Return the fraction of the window's rows that are out of support; None without rows.

    Where more columns are left out than the `ignored` ones, which no row was counted for, it is that of the sample.
    """
    if not window.n_rows:
        return None
    if left_out <= ignored:
        return window.n_out_of_support / window.n_rows
    outside = rows_out_of_support(baseline.counts, window.sample.table, left_out)
    return float(np.mean(outside)) if len(outside) else None


def columns_of_time(reference: Mapping[str, ValueCounts], test: Table) -> frozenset[str]:
    """Return the columns that move with time whatever becomes of the rows: counters, dates, numbers of a version.

    They are those of which a fifth of the labelled test set's own cells, which came after training's, lie outside of
    training's values. Every later window differs in them; that alone is no reason to refuse it.
    """
    return frozenset(
        spec.name
        for spec in test.specs
        if spec.unjudged is None
        and test.n_rows
        and np.mean(_outside(reference[spec.name], test.columns[spec.name])) >= MAX_OUT_OF_SUPPORT_FRACTION
    )


def _outside(reference: ValueCounts, column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.bool_]:
    if not reference.n_present:
        return np.zeros(len(column), dtype=bool)
    strange = unknown(reference, column)
    return strange if reference.n_missing else strange | missing(column)


def cells_out_of_support(reference: ValueCounts, window: ValueCounts) -> int:
    """Return how many cells of the window's column the reference gives no ground for."""
    if not reference.n_present:
        return 0
    n_unknown = int(window.counts[unknown(reference, window.values)].sum()) + window.n_unreadable
    return n_unknown if reference.n_missing else n_unknown + window.n_missing
