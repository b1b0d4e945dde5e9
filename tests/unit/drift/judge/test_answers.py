"""Unreadable answers: the features are judged, and the predictions that can be read are not taken for all."""

from pathlib import Path

import numpy as np
import pytest

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import AnswerCounts, DriftReport, Status, Verdict
from plumbline.contract.rejection import AnswerReason
from plumbline.drift.data.table import table
from plumbline.drift.judge.verdict import answers_refusal
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.run import monitor
from plumbline.drift.settings.policy import Policy
from tests.unit.drift.builders import SPECS, record, write_capture

POLICY = Policy(maximum_rejected_fraction=0.25)


def baseline(n_rows: int = 3000) -> Baseline:
    random = np.random.default_rng(1)
    ages = random.uniform(17, 90, n_rows).round()
    rows = table(SPECS, [(float(age), "Private", 40.0) for age in ages])
    log_odds = (ages - 55) / 12
    probabilities = 1 / (1 + np.exp(-log_odds))
    labels = ["1" if draw < p else "0" for draw, p in zip(random.uniform(size=n_rows), probabilities, strict=True)]
    return learn(train=rows, target_label="income", test=rows, test_labels=labels, probabilities=probabilities)


BASELINE = baseline()


def judged(tmp_path: Path, n_log_odds: int, n_rows: int = 2000, threshold: float = 0.2) -> DriftReport:
    """A window without drift, of whose answers the first are log-odds and the others probabilities."""
    ages = np.random.default_rng(2).uniform(17, 90, n_rows).round()
    log_odds = (ages - 55) / 12
    answers = np.where(np.arange(n_rows) < n_log_odds, log_odds, 1 / (1 + np.exp(-log_odds)))
    rows = zip(ages.tolist(), answers.tolist(), strict=True)
    entries = [record(f"{age:g},Private,40", f"{answer!r}") for age, answer in rows]
    folder = write_capture(tmp_path / "capture", entries)
    policy = Policy(maximum_rejected_fraction=threshold)
    return monitor(dataset_source=folder, baseline=BASELINE, output=tmp_path / "out", policy=policy)


def test_log_odds_leave_the_features_judged_and_the_prediction_not(tmp_path: Path) -> None:
    report = judged(tmp_path, 2000)
    assert (report.records.used, report.records.rejected, report.n_rows) == (2000, {}, 2000)
    assert set(report.answers.unreadable) == {AnswerReason.NOT_A_PROBABILITY}
    assert 0 < report.answers.used < 600
    assert report.features[0].verdict is Verdict.NO_DRIFT
    assert (report.verdict, report.drifted_features) == (Verdict.NO_DRIFT, ())
    assert report.reason is not None
    assert "the prediction is not judged: " in report.reason.text
    for reason in (report.prediction.reason, report.projected_accuracy.reason):
        assert reason is not None
        assert reason.code is ReasonCode.ANSWERS_UNREADABLE
        assert "most of them as not_a_probability" in reason.text
    assert report.prediction.verdict is Verdict.NOT_JUDGED
    assert report.prediction.effects == {}
    assert report.projected_accuracy.status is Status.NOT_JUDGED


def test_a_few_unreadable_answers_are_a_note(tmp_path: Path) -> None:
    report = judged(tmp_path, 200)
    assert report.answers.unreadable_fraction is not None
    assert 0 < report.answers.unreadable_fraction <= 0.1
    assert report.prediction.verdict is not Verdict.NOT_JUDGED
    assert report.prediction.reason is not None
    assert f"{report.answers.n_unreadable} of 2000 answers could not be read" in report.prediction.reason.text


@pytest.mark.parametrize(("n_unreadable", "is_refused"), [(0, False), (25, False), (26, True), (100, True)])
def test_answers_count_up_to_the_threshold(n_unreadable: int, is_refused: bool) -> None:
    unreadable = {str(AnswerReason.ERROR): n_unreadable} if n_unreadable else {}
    refusal = answers_refusal(AnswerCounts(100, 100 - n_unreadable, unreadable), POLICY)
    assert (refusal is not None) is is_refused
    if refusal:
        assert (
            f"{n_unreadable} % of the answers could not be read, more than 25 %, most of them as error (look for"
            in (refusal.text)
        )


def test_without_a_captured_answer_none_is_unreadable() -> None:
    assert answers_refusal(AnswerCounts(), POLICY) is None


def test_answers_that_get_lost_are_refused() -> None:
    with pytest.raises(ValueError, match="read must equal used plus unreadable"):
        AnswerCounts(3, 1, {"error": 1})


def test_labels_where_the_test_set_has_probabilities_leave_the_prediction_not_judged(tmp_path: Path) -> None:
    ages = np.random.default_rng(2).uniform(17, 90, 1000).round()
    entries = [record(f"{age:g},Private,40", "1" if age >= 55 else "0") for age in ages.tolist()]
    folder = write_capture(tmp_path / "capture", entries)
    report = monitor(dataset_source=folder, baseline=BASELINE, output=tmp_path / "out")
    assert report.answers.used == 1000
    assert (report.verdict, report.features[0].verdict) == (Verdict.NO_DRIFT, Verdict.NO_DRIFT)
    assert report.prediction.verdict is Verdict.NOT_JUDGED
    for reason in (report.prediction.reason, report.projected_accuracy.reason):
        assert reason is not None
        assert reason.code is ReasonCode.LABELS_FOR_PROBABILITIES
