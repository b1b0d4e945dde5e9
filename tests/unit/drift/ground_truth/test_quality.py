"""One window with labels, judged; the projection is a fake that believes every score."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from plumbline.contract.accuracy import Measure, ProjectedAccuracy, Shift
from plumbline.contract.quality import WindowQuality
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import RecordCounts, Status, Verdict, WindowBounds
from plumbline.contract.training import ordered
from plumbline.drift.data.table import Table, table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.ground_truth.join import JoinedWindow, join
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.ground_truth.quality import judge_quality
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.projection import Limits
from plumbline.drift.projection.estimate import AccuracyEstimate
from plumbline.drift.projection.measured import Measured
from plumbline.drift.read.capture import capture_files, plan_of
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.policy import Policy
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE
from tests.unit.drift.builders import SPECS, record, side, write_capture
from tests.unit.drift.ground_truth.builders import label, write_labels

HOUR = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
CONTEXT = RunContext(policy=Policy(minimum_rows=200, minimum_labelled_fraction=0.5), label_lag_hours=6)


@dataclass(frozen=True)
class Believer:
    """Takes every score at its word, and projects their mean confidence."""

    uses_features: bool = False
    error: Exception | None = None

    def measure(self, window: WindowCounts, *, drop_threshold: float) -> Measured:
        if self.error:
            raise self.error
        values, counts = window.probabilities.values, window.probabilities.counts
        estimate = float(counts @ np.maximum(values, 1 - values) / counts.sum())
        found = AccuracyEstimate(estimate, (0.03 / NORMAL_QUANTILE) ** 2, 0.0, "confidence")
        return Measured(known=ProjectedAccuracy(), window=window, limits=Limits(), estimates=(found,))

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return probabilities

    def chance_positive(self, table: Table, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return probabilities


@dataclass(frozen=True)
class Population:
    """Rows whose score is P(y = 1) of their hours, and labels drawn by it."""

    rows: Sequence[tuple[float, str, float]]
    scores: NDArray[np.float64]
    labels: Sequence[str]

    @classmethod
    def drawn(cls, n: int, seed: int, flip: float = 0.0) -> "Population":
        random = np.random.default_rng(seed)
        hours = random.integers(1, 99, n).astype(float)
        scores = np.round(hours / 100, 2)
        chance = np.clip(scores - flip, 0, 1)
        labels = np.where(random.random(n) < chance, ">50K", "<=50K").tolist()
        work = random.choice(["Private", "Self"], n).tolist()
        return cls([*zip(random.integers(17, 90, n).astype(float), work, hours, strict=True)], scores, labels)

    def baseline(self) -> Baseline:
        rows = table(SPECS, self.rows)
        return learn(train=rows, target_label="income", test=rows, test_labels=self.labels, probabilities=self.scores)

    def joined(self, baseline: Baseline, folder: Path, labelled: NDArray[np.bool_] | None = None) -> JoinedWindow:
        """The rows captured, one a record, and the labels of some of them arrived."""
        keys = [f"e{number}" for number in range(len(self.rows))]
        write_capture(
            folder / "capture",
            [
                record(",".join(map(str, row)), f"{score}\n", event_id=key)
                for key, row, score in zip(keys, self.rows, self.scores, strict=True)
            ],
        )
        chosen = np.ones(len(keys), dtype=bool) if labelled is None else labelled
        truth = [label(key, text) for key, text, has in zip(keys, self.labels, chosen, strict=True) if has]
        write_labels(folder / "labels", truth)
        test = baseline.test
        book = LabelBook(Classes(ordered(test.labels if test else ())))
        book.read(capture_files(folder / "labels"))
        return join(capture_files(folder / "capture"), plan_of(baseline, HOUR, facet="workclass"), book).leading


REFERENCE = Population.drawn(4_000, 0).baseline()


def judged(joined: JoinedWindow, *, is_final: bool = False, projection: Believer | None = None) -> WindowQuality:
    return judge_quality(joined, REFERENCE, projection or Believer(), CONTEXT, is_final=is_final)


def test_a_quiet_window_is_as_good_as_projected(tmp_path: Path) -> None:
    window = Population.drawn(1_200, 1)
    found = judged(window.joined(REFERENCE, tmp_path), is_final=True)
    right = np.mean((window.scores >= 0.5) == (np.array(window.labels) == ">50K"))
    accuracy = found.measure(Measure.ACCURACY)
    assert accuracy.value == pytest.approx(right)
    assert (found.n_rows, found.n_labelled, found.labelled_fraction, found.is_final) == (1_200, 1_200, 1.0, True)
    assert (found.verdict, found.selection.verdict) == (Verdict.NO_DRIFT, Verdict.NO_DRIFT)
    assert found.projected is not None
    assert found.projected.value is not None
    assert accuracy.value is not None
    assert found.projection_error == pytest.approx(accuracy.value - found.projected.value)
    assert {shift.shift: shift.verdict for shift in found.shifts} == {
        Shift.LABEL: Verdict.NO_DRIFT,
        Shift.CONCEPT: Verdict.NO_DRIFT,
    }
    assert accuracy.reference == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("uses_features", [False, True])
def test_labels_that_rows_did_not_deserve_before_are_concept_shift(tmp_path: Path, uses_features: bool) -> None:
    joined = Population.drawn(1_500, 2, flip=0.25).joined(REFERENCE, tmp_path)
    found = judged(joined, projection=Believer(uses_features=uses_features))
    assert found.verdict is Verdict.DRIFT
    assert "points lower" in str(found.reason)
    assert found.shift(Shift.CONCEPT).verdict is Verdict.DRIFT
    assert found.shift(Shift.LABEL).verdict is Verdict.NO_DRIFT
    assert found.projection_error is not None
    assert found.projection_error < -0.03


def test_labels_that_come_for_some_rows_only_are_told(tmp_path: Path) -> None:
    window = Population.drawn(1_500, 3)
    hours = np.array([row[2] for row in window.rows])
    found = judged(window.joined(REFERENCE, tmp_path, labelled=hours > 30))
    assert found.selection.verdict is Verdict.DRIFT
    assert found.selection.features == ("hours", "the prediction")
    # The rows themselves are judged by what one expects of such rows.
    assert found.shift(Shift.CONCEPT).verdict is Verdict.NO_DRIFT


@pytest.mark.parametrize(
    ("n", "n_labelled", "is_final", "reason"),
    [
        (0, 0, False, "no records in the window"),
        (300, 0, False, "no labels yet"),
        (300, 0, True, "no labels came within 6 hours"),
        (300, 149, False, "49.7 % of the rows have a label so far, fewer than 50 %"),
        (300, 149, True, "49.7 % of the rows have a label, fewer than 50 %"),
        (300, 150, True, "labels and predictions for 150 rows, fewer than the minimum of 200"),
    ],
)
def test_too_few_labels_are_not_judged_and_give_no_figure(
    tmp_path: Path, n: int, n_labelled: int, is_final: bool, reason: str
) -> None:
    joined = Population.drawn(n, 4).joined(REFERENCE, tmp_path, labelled=np.arange(n) < n_labelled)
    found = judged(joined, is_final=is_final)
    assert (found.verdict, str(found.reason), found.measures) == (Verdict.NOT_JUDGED, reason, ())
    assert (found.n_rows, found.n_labelled) == (n, n_labelled)
    assert found.shift(Shift.CONCEPT).verdict is Verdict.NOT_JUDGED


def test_labels_of_a_mostly_rejected_window_start_nothing(tmp_path: Path) -> None:
    worse = Population.drawn(1_200, 1, flip=0.4).joined(REFERENCE, tmp_path)
    assert judged(worse).verdict is Verdict.DRIFT
    found = judged(replace(worse, records=RecordCounts(2_400, 1_200, {"output_not_a_prediction": 1_200})))
    assert (found.verdict, found.reason and found.reason.code) == (Verdict.NOT_JUDGED, ReasonCode.REJECTED_FRACTION)
    assert {shift.verdict for shift in found.shifts} <= {Verdict.NOT_JUDGED}
    some = judged(replace(worse, records=RecordCounts(1_300, 1_200, {"not_json": 100})))
    assert some.verdict is Verdict.DRIFT


def test_a_baseline_without_predictions_judges_no_labels(tmp_path: Path) -> None:
    rows = Population.drawn(300, 5)
    bare = learn(
        train=table(SPECS, rows.rows), target_label="income", test=table(SPECS, rows.rows), test_labels=rows.labels
    )
    found = judge_quality(rows.joined(bare, tmp_path), bare, Believer(), CONTEXT, is_final=False)
    assert str(found.reason) == "the baseline has no predictions for a labelled test set"


def test_a_part_that_fails_takes_no_other_window_with_it(tmp_path: Path) -> None:
    joined = Population.drawn(400, 6).joined(REFERENCE, tmp_path)
    found = judged(joined, projection=Believer(error=ZeroDivisionError("by zero")))
    assert (found.verdict, str(found.reason)) == (
        Verdict.NOT_JUDGED,
        "internal fault: ZeroDivisionError: by zero; the run's log has the traceback",
    )


def test_several_classes_are_judged_by_their_predicted_label(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    colours = np.array(["blue", "green", "red"])

    def population(n: int) -> tuple[Population, NDArray[np.object_]]:
        drawn = Population.drawn(n, int(random.integers(1000)))
        predicted, confidence = colours[random.integers(0, 3, n)], random.integers(60, 99, n) / 100
        others = colours[(np.searchsorted(colours, predicted) + random.integers(1, 3, n)) % 3]
        labels = np.where(random.random(n) < confidence, predicted, others)
        return replace(drawn, scores=confidence, labels=labels.tolist()), predicted

    reference, predicted = population(2_000)
    rows = table(SPECS, reference.rows)
    baseline = learn(
        train=rows, target_label="colour", test=rows, test_labels=reference.labels,
        probabilities=reference.scores, predicted=predicted.tolist(),
    )  # fmt: skip
    window, called = population(600)
    keys = [f"e{number}" for number in range(600)]
    answers = [
        ",".join(str(round(score if colour == name else (1 - score) / 2, 4)) for name in colours)
        for score, colour in zip(window.scores, called, strict=True)
    ]
    capture = write_capture(
        tmp_path / "capture",
        [
            record(",".join(map(str, row)), answer, event_id=key)
            for key, row, answer in zip(keys, window.rows, answers, strict=True)
        ],
    )
    labels = write_labels(tmp_path / "labels", [label(k, t) for k, t in zip(keys, window.labels, strict=True)])
    book = LabelBook(Classes(ordered(baseline.test.labels if baseline.test else ())))
    book.read(capture_files(labels))
    joined = join(capture_files(capture), plan_of(baseline, HOUR), book).leading
    found = judge_quality(joined, baseline, Believer(), CONTEXT, is_final=True)
    assert found.measure(Measure.ACCURACY).value == pytest.approx(np.mean(called == np.array(window.labels)))
    assert found.measure(Measure.RECALL).status is Status.ESTIMATED
    assert found.verdict is Verdict.NO_DRIFT
    assert found.shift(Shift.CONCEPT).verdict is Verdict.NO_DRIFT


def test_of_labels_alone_only_their_figures_are_judged(tmp_path: Path) -> None:
    window = Population.drawn(1_200, 1)
    called = replace(window, scores=(window.scores >= 0.5).astype(float))
    found = judged(called.joined(REFERENCE, tmp_path), is_final=True)
    right = np.mean((window.scores >= 0.5) == (np.array(window.labels) == ">50K"))
    assert found.measure(Measure.ACCURACY).value == pytest.approx(right)
    assert found.measure(Measure.F1).value is not None
    assert found.verdict is Verdict.NO_DRIFT
    measures = [found.measure(one) for one in (Measure.AREA_UNDER_CURVE, Measure.LOG_LOSS, Measure.CALIBRATION_ERROR)]
    reasons = [*(shift.reason for shift in found.shifts), *(measure.reason for measure in measures)]
    assert {reason.code for reason in reasons if reason} == {ReasonCode.LABELS_FOR_PROBABILITIES}
    assert None not in reasons
    assert {shift.verdict for shift in found.shifts} == {Verdict.NOT_JUDGED}


def test_the_score_beside_a_label_is_that_of_the_label(tmp_path: Path) -> None:
    """Read as the probability of the positive class, such answers gave 48.1 % where the accuracy is 79.5 %."""
    window = Population.drawn(1_200, 1)
    right = np.mean((window.scores >= 0.5) == (np.array(window.labels) == ">50K"))
    keys = [f"e{number}" for number in range(len(window.rows))]
    answers = [
        json.dumps([{"label": f"LABEL_{int(score >= 0.5)}", "score": round(max(score, 1 - score), 2)}])
        for score in window.scores.tolist()
    ]
    rows = zip(keys, window.rows, answers, strict=True)
    entries = [
        record(",".join(map(str, row)), side(answer, "JSON", "application/json"), event_id=key)
        for key, row, answer in rows
    ]
    write_capture(tmp_path / "capture", entries)
    write_labels(tmp_path / "labels", [label(key, text) for key, text in zip(keys, window.labels, strict=True)])
    book = LabelBook(Classes(REFERENCE.labels))
    book.read(capture_files(tmp_path / "labels"))
    joined = join(capture_files(tmp_path / "capture"), plan_of(REFERENCE, HOUR), book).leading
    found = judged(joined, is_final=True)
    assert joined.labelled.answers.used == 1_200
    assert found.measure(Measure.ACCURACY).value == pytest.approx(right)
    assert found.verdict is Verdict.NO_DRIFT
    assert found.shift(Shift.CONCEPT).verdict is Verdict.NO_DRIFT
