"""Each hour is one line that a person can read."""

import io

import pytest
from rich.console import Console

from contract.records import (
    DriftReport,
    FeatureReport,
    FeatureType,
    IsolationForestSimilarity,
    ProjectedAccuracy,
    RecordCounts,
    Status,
    Verdict,
    WindowBounds,
)
from local.demo.screen import Screen
from local.demo.summary import Hour


@pytest.fixture
def text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(text: io.StringIO) -> Screen:
    return Screen(Console(file=text, width=200))


def hour(status: Status) -> Hour:
    report = DriftReport(
        window=WindowBounds(),
        endpoint=None,
        schedule=None,
        records=RecordCounts(read=1, used=1),
        n_rows=2000,
        verdict=Verdict.DRIFT,
        reason="",
        features=(FeatureReport(name="age", type=FeatureType.NUMERIC, verdict=Verdict.DRIFT),),
        prediction=FeatureReport(name="probability", type=FeatureType.NUMERIC),
        projected_accuracy=ProjectedAccuracy(status=status, estimate=0.8512, lower=0.84, upper=0.862),
        isolation_forest_similarity=IsolationForestSimilarity(),
    )
    return Hour("2026-01-05T12:00:00Z", 0.8499, report)


def test_an_hour_shows_verdict_truth_projection_and_features(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, hour(Status.ESTIMATED), ["alarm fired"])

    line, note = text.getvalue().splitlines()
    assert line.split() == ["3", "2000", "drift", "85.0%", "85.1%", "(84.0%–86.2%)", "age"]
    assert note.strip() == "→ alarm fired"


def test_a_refused_projection_is_said(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, hour(Status.NOT_JUDGED), [])

    assert "not judged" in text.getvalue()


def test_a_missing_report_is_said(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, Hour("2026-01-05T12:00:00Z", None, None), [])

    assert "no report" in text.getvalue()
    assert "unknown" in text.getvalue()
