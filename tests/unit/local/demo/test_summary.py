"""summary.json keeps its keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.accuracy import Shift
from plumbline.contract.records import Verdict
from plumbline.local.demo.hours import Hour
from plumbline.local.demo.summary import DemoSummary, FiredAlarm, PromotedVersion, PromotionOutcome, RetrainingRun
from tests.unit.local.demo.reports import labelled, report

HOURS = (
    Hour("2026-01-05T12:00:00Z", 0.86, report(Verdict.NO_DRIFT)),
    Hour(
        "2026-01-05T13:00:00Z",
        0.81,
        report(
            Verdict.DRIFT,
            "hours-per-week",
            shifts=(Shift.COVARIATE,),
            windows=(labelled("2026-01-05T12:00:00Z", 0.84),),
        ),
    ),
    Hour("2026-01-05T14:00:00Z", 0.84, None),
)
SUMMARY = DemoSummary(
    "census",
    HOURS,
    (FiredAlarm("plumbline-dev-drift", 2),),
    (RetrainingRun("arn:1", 2, "Succeeded", 4, "Approved", 0.7, 0.8),),
    (PromotedVersion(4, 2, PromotionOutcome.SERVES),),
)


def written(summary: DemoSummary, folder: Path) -> Any:
    summary.write(folder / "summary.json")
    return json.loads((folder / "summary.json").read_text())


def test_the_file_has_the_promised_keys(tmp_path: Path) -> None:
    found = written(SUMMARY, tmp_path)

    assert set(found) == {"data_source", "hours", "alarms", "retrainings", "promotions"}
    assert found["data_source"] == "census"
    unlabelled = {"without_labels": "not_judged", "with_labels": "not_judged"}
    assert found["hours"][1] == {
        "window": "2026-01-05T13:00:00Z",
        "n_rows": 200,
        "verdict": "drift",
        "reason": "",
        "model": None,
        "drifted_features": ["hours-per-week"],
        "true_accuracy": 0.81,
        "projected_accuracy": {
            "status": "estimated",
            "estimate": 0.85,
            "lower": 0.82,
            "upper": 0.88,
            "verdict": "not_judged",
        },
        "realised_accuracy": {
            "status": "not_judged",
            "value": None,
            "lower": None,
            "upper": None,
            "verdict": "not_judged",
            "labelled_fraction": None,
            "projection_error": None,
            "known_in_hour": None,
        },
        "shifts": {
            "covariate_shift": {"without_labels": "drift", "with_labels": "not_judged"},
            "label_shift": unlabelled,
            "concept_shift": unlabelled,
        },
    }
    assert found["alarms"] == [{"name": "plumbline-dev-drift", "fired_in_hour": 2}]
    assert found["retrainings"] == [
        {
            "execution": "arn:1",
            "started_in_hour": 2,
            "status": "Succeeded",
            "version": 4,
            "approval": "Approved",
            "champion": 0.7,
            "challenger": 0.8,
        }
    ]
    assert found["promotions"] == [{"version": 4, "hour": 2, "outcome": "serves"}]


def test_an_hour_has_what_later_reports_say_of_it(tmp_path: Path) -> None:
    hour = written(SUMMARY, tmp_path)["hours"][0]

    assert hour["realised_accuracy"] == {
        "status": "estimated",
        "value": 0.84,
        "lower": pytest.approx(0.83),
        "upper": pytest.approx(0.85),
        "verdict": "no_drift",
        "labelled_fraction": 0.9,
        "projection_error": pytest.approx(-0.01),
        "known_in_hour": 2,
    }
    assert hour["shifts"]["concept_shift"] == {"without_labels": "not_judged", "with_labels": "no_drift"}


def test_an_hour_without_a_report_is_not_judged(tmp_path: Path) -> None:
    hour = written(SUMMARY, tmp_path)["hours"][2]

    assert (hour["verdict"], hour["n_rows"], hour["projected_accuracy"]["status"]) == ("not_judged", 0, "not_judged")
