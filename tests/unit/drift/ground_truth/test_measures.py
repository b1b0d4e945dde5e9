"""Figures of merit against scikit-learn and published numbers."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from plumbline.contract.accuracy import Measure, MeasureReport
from plumbline.contract.verdicts import Status
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.ground_truth.measures import ConfusionCounts, ScoredCounts, class_measures, measures
from tests.unit.drift.ground_truth.builders import scored

RANDOM = np.random.default_rng(7)
PROBABILITIES = RANDOM.integers(0, 101, 800) / 100
POSITIVE = RANDOM.random(800) < PROBABILITIES
COUNTS = scored(PROBABILITIES, POSITIVE)


def found(window: ScoredCounts, reference: ScoredCounts | None = None) -> dict[Measure, MeasureReport]:
    return {report.measure: report for report in measures(window, reference, 0)}


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (Measure.ACCURACY, oracle.accuracy_score(POSITIVE, PROBABILITIES >= 0.5)),
        (Measure.AREA_UNDER_CURVE, oracle.roc_auc_score(POSITIVE, PROBABILITIES)),
        (Measure.PRECISION, oracle.precision_score(POSITIVE, PROBABILITIES >= 0.5)),
        (Measure.RECALL, oracle.recall_score(POSITIVE, PROBABILITIES >= 0.5)),
        (Measure.F1, oracle.f1_score(POSITIVE, PROBABILITIES >= 0.5)),
        (Measure.LOG_LOSS, oracle.log_loss(POSITIVE, np.clip(PROBABILITIES, 1e-15, 1 - 1e-15))),
    ],
)
def test_a_figure_is_what_scikit_learn_makes_of_the_rows(measure: Measure, expected: float) -> None:
    report = found(COUNTS, scored(PROBABILITIES, ~POSITIVE))[measure]
    assert report.value == pytest.approx(expected, abs=1e-12)
    assert report.lower is not None and report.upper is not None and report.value is not None
    assert report.lower < report.value < report.upper
    assert report.reference is not None


def test_the_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    bins = np.minimum((PROBABILITIES * 10).astype(int), 9)
    expected = sum(
        abs(float(np.sum(POSITIVE[bins == number] - PROBABILITIES[bins == number]))) for number in range(10)
    ) / len(bins)
    assert found(COUNTS)[Measure.CALIBRATION_ERROR].value == pytest.approx(expected, abs=1e-12)


def test_intervals_hold_the_value_of_the_population() -> None:
    """In 300 samples each interval misses the population's value about one time in twenty."""
    random, missed = np.random.default_rng(1), dict.fromkeys(Measure, 0)
    grid = np.arange(0, 101) / 100
    # The figures of one very large sample with the exact shares.
    whole = ScoredCounts(grid, np.round(1e6 * (1 - grid)).astype(int), np.round(1e6 * grid).astype(int))
    truth = {measure: report.value for measure, report in found(whole).items()}
    for _ in range(300):
        probabilities = random.integers(0, 101, 500) / 100
        for measure, report in found(scored(probabilities, random.random(500) < probabilities)).items():
            value = truth[measure]
            assert report.lower is not None and report.upper is not None and value is not None
            missed[measure] += not report.lower <= value <= report.upper
    del missed[Measure.CALIBRATION_ERROR]  # its estimate is biased upwards in small samples, and its interval is not
    assert all(count <= 27 for count in missed.values()), missed


def test_repeated_rows_widen_the_intervals() -> None:
    wide = found(scored(PROBABILITIES, POSITIVE, design_effect=4.0))
    for measure, report in found(COUNTS).items():
        ours, theirs = ((one.upper or 0) - (one.value or 0) for one in (report, wide[measure]))
        assert theirs == pytest.approx(2 * ours, rel=0.1)


@pytest.mark.parametrize(
    ("probabilities", "positive", "undefined"),
    [
        ([0.1, 0.2], [False, False], {Measure.AREA_UNDER_CURVE, Measure.PRECISION, Measure.RECALL, Measure.F1}),
        ([0.9, 0.8], [True, True], {Measure.AREA_UNDER_CURVE}),
        ([0.1, 0.2, 0.3, 0.4], [True, True, False, False], {Measure.PRECISION}),
        ([], [], {*Measure}),
    ],
)
def test_what_is_not_defined_is_not_judged(
    probabilities: list[float], positive: list[bool], undefined: set[Measure]
) -> None:
    reports = found(scored(np.array(probabilities), np.array(positive, dtype=bool)))
    assert {measure for measure, report in reports.items() if report.status is Status.NOT_JUDGED} == undefined
    assert all((report.reason is not None) == (report.status is Status.NOT_JUDGED) for report in reports.values())


def test_a_certain_and_wrong_prediction_does_not_make_the_log_loss_infinite() -> None:
    report = found(scored(np.array([0.0, 1.0]), np.array([True, False])))[Measure.LOG_LOSS]
    assert report.value == pytest.approx(-math.log(1e-15), rel=1e-3)


CLASSES = ("a", "b", "c")
LABELS, PREDICTED = RANDOM.choice(list(CLASSES), 600), RANDOM.choice(list(CLASSES), 600)
CONFIDENCE = RANDOM.integers(34, 100, 600) / 100


def confusion() -> ConfusionCounts:
    return ConfusionCounts.of(
        CLASSES,
        {
            label: {name: NumericCounts.of(CONFIDENCE[(LABELS == label) & (PREDICTED == name)]) for name in CLASSES}
            for label in CLASSES
        },
    )


def test_the_figures_of_several_classes_are_macro_averages() -> None:
    reports = {report.measure: report for report in class_measures(confusion(), None, 0)}
    expected = {
        Measure.ACCURACY: oracle.accuracy_score(LABELS, PREDICTED),
        Measure.PRECISION: oracle.precision_score(LABELS, PREDICTED, average="macro"),
        Measure.RECALL: oracle.recall_score(LABELS, PREDICTED, average="macro"),
        Measure.F1: oracle.f1_score(LABELS, PREDICTED, average="macro"),
    }
    for measure, value in expected.items():
        assert reports[measure].value == pytest.approx(value, abs=1e-12)
    assert reports[Measure.CALIBRATION_ERROR].status is Status.ESTIMATED
    assert str(reports[Measure.LOG_LOSS].reason).startswith("only the predicted label's probability is kept")


def test_no_row_of_several_classes_is_not_judged() -> None:
    reports = class_measures(ConfusionCounts.of(CLASSES, {}), None, 0)
    assert {report.status for report in reports} == {Status.NOT_JUDGED}
