"""summary.json keeps its keys, and the closing words say what happened."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract.records import Verdict
from local.demo.summary import FiredAlarm, Hour, RetrainingJob, Summary
from tests.unit.demo.reports import report

HOURS = (
    Hour("2026-01-05T12:00:00Z", 0.86, report(Verdict.NO_DRIFT)),
    Hour("2026-01-05T13:00:00Z", 0.81, report(Verdict.DRIFT, "hours-per-week")),
    Hour("2026-01-05T14:00:00Z", 0.84, None),
)
SUMMARY = Summary(
    "census",
    HOURS,
    (FiredAlarm("plumbline-dev-drift", 2),),
    (RetrainingJob("plumbline-dev-train-1", 2, "Completed", "s3://models/1/model.tar.gz"),),
)


def written(summary: Summary, folder: Path) -> Any:
    summary.write(folder / "summary.json")
    return json.loads((folder / "summary.json").read_text())


def test_the_file_has_the_promised_keys(tmp_path: Path) -> None:
    found = written(SUMMARY, tmp_path)

    assert set(found) == {"data_source", "hours", "alarms", "retraining_jobs"}
    assert found["data_source"] == "census"
    assert found["hours"][1] == {
        "window": "2026-01-05T13:00:00Z",
        "n_rows": 200,
        "verdict": "drift",
        "drifted_features": ["hours-per-week"],
        "true_accuracy": 0.81,
        "projected_accuracy": {"status": "estimated", "estimate": 0.85, "lower": 0.82, "upper": 0.88},
    }
    assert found["alarms"] == [{"name": "plumbline-dev-drift", "fired_in_hour": 2}]
    assert found["retraining_jobs"] == [{"name": "plumbline-dev-train-1", "started_in_hour": 2, "status": "Completed"}]


def test_an_hour_without_a_report_is_not_judged(tmp_path: Path) -> None:
    hour = written(SUMMARY, tmp_path)["hours"][2]

    assert (hour["verdict"], hour["n_rows"], hour["projected_accuracy"]["status"]) == ("not_judged", 0, "not_judged")


@pytest.mark.parametrize(
    ("truth", "covered"), [(0.82, True), (0.88, True), (0.8199, False), (0.89, False), (None, False)]
)
def test_an_hour_is_covered_when_the_truth_is_inside_the_interval(truth: float | None, covered: bool) -> None:
    assert Hour("2026-01-05T12:00:00Z", truth, report(Verdict.NO_DRIFT)).covered is covered


def test_the_words_name_the_first_drift_the_alarm_and_the_new_model() -> None:
    drift, accuracy, alarms, job = SUMMARY.words()

    assert "hour 2 (hours-per-week), in 1 hours" in drift
    assert "from 86.0% to 84.0%" in accuracy
    assert "in 1 of 3 hours" in accuracy
    assert "plumbline-dev-drift in hour 2" in alarms
    assert "s3://models/1/model.tar.gz" in job


def test_the_words_do_not_claim_what_is_not_known() -> None:
    quiet = Summary("synthetic", (Hour("2026-01-05T12:00:00Z", None, report(Verdict.NO_DRIFT)),))
    drift, accuracy, alarms = quiet.words()

    assert drift == "No drift in 1 of 1 hours."
    assert "not known" in accuracy
    assert alarms == "No alarm fired."
