"""Each hour is one line that a person can read."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from plumbline.contract.records import ProjectedAccuracy, Status, Verdict
from plumbline.local.demo.hours import Hour, LabelledHour
from plumbline.local.demo.screen import Screen
from tests.reports import because
from tests.unit.local.demo.reports import labelled, report


@pytest.fixture
def text() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(text: io.StringIO) -> Screen:
    return Screen(Console(file=text, width=200))


def hour(status: Status) -> Hour:
    projected = (
        ProjectedAccuracy(status=status, estimate=0.8512, lower=0.84, upper=0.862)
        if status is Status.ESTIMATED
        else ProjectedAccuracy(status=status, reason=because("too few rows"))
    )
    return Hour("2026-01-05T12:00:00Z", 0.8499, report(Verdict.DRIFT, "age", projected=projected))


def test_an_hour_shows_verdict_truth_projection_and_features(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, hour(Status.ESTIMATED), ["alarm fired"])

    line, note = text.getvalue().splitlines()
    assert line.split() == ["3", "200", "drift", "85.0", "%", "85.1", "%", "(84.0", "to", "86.2", "%)", "–", "age"]
    assert note.strip() == "→ alarm fired"


def test_an_hour_shows_which_earlier_hour_its_labels_were_of(screen: Screen, text: io.StringIO) -> None:
    screen.hour(12, hour(Status.ESTIMATED), [], LabelledHour(11, 12, labelled("2026-01-05T22:00:00Z", 0.7944)))

    assert "hour 11: 79.4 %" in text.getvalue()


def test_the_columns_stand_below_their_titles(screen: Screen, text: io.StringIO) -> None:
    screen.hour_header()
    screen.hour(12, hour(Status.ESTIMATED), [], LabelledHour(11, 12, labelled("2026-01-05T22:00:00Z", 0.7944)))

    _, titles, line = text.getvalue().splitlines()
    for title, cell in (("verdict", "drift"), ("projected", "85.1 %"), ("realised", "hour 11"), ("drifted", "age")):
        assert titles.index(title) == line.index(cell)


def test_a_drift_of_the_prediction_alone_is_named(screen: Screen, text: io.StringIO) -> None:
    found = report(Verdict.DRIFT)
    screen.hour(5, Hour("w", 0.84, replace(found, prediction=replace(found.prediction, verdict=Verdict.DRIFT))), [])

    assert text.getvalue().rstrip().endswith("the prediction")


def test_many_features_are_counted(screen: Screen, text: io.StringIO) -> None:
    screen.hour(5, Hour("w", 0.84, report(Verdict.DRIFT, "age", "sex", "race", "hours")), [])

    assert text.getvalue().rstrip().endswith("age, sex and 2 more")


def test_a_refused_projection_is_said(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, hour(Status.NOT_JUDGED), [])

    assert "not judged" in text.getvalue()


def test_a_missing_report_is_said(screen: Screen, text: io.StringIO) -> None:
    screen.hour(3, Hour("2026-01-05T12:00:00Z", None, None), [])

    assert "no report" in text.getvalue()
    assert "unknown" in text.getvalue()
