"""An hour knows whether its projection held, and sentences name hours."""

from dataclasses import replace

import pytest

from plumbline.contract.accuracy import Shift
from plumbline.contract.description import is_foreseen
from plumbline.contract.quality import WindowQuality
from plumbline.contract.records import Verdict
from plumbline.local.demo.hours import Hour, labelled_hours, named, news
from tests.unit.local.demo.reports import labelled, report


@pytest.mark.parametrize(
    ("truth", "covered"), [(0.82, True), (0.88, True), (0.8199, False), (0.89, False), (None, None)]
)
def test_an_hour_is_covered_when_the_truth_is_inside_the_interval(truth: float | None, covered: bool | None) -> None:
    assert Hour("2026-01-05T12:00:00Z", truth, report(Verdict.NO_DRIFT)).covered is covered


def test_an_hour_without_a_report_is_neither_covered_nor_missed() -> None:
    assert Hour("2026-01-05T12:00:00Z", 0.86, None).covered is None


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], "no hour"),
        ([3], "hour 3"),
        ([4, 3], "hours 3 to 4"),
        ([1, 3, 5], "hours 1, 3 and 5"),
        ([1, 2, 3, 7, 9, 10], "hours 1 to 3, 7 and 9 to 10"),
    ],
)
def test_hours_are_named_as_runs(numbers: list[int], text: str) -> None:
    assert named(numbers) == text


WINDOWS = [f"2026-01-05T{hour}:00:00Z" for hour in (12, 13, 14, 15)]


def played(*quality: tuple[WindowQuality, ...]) -> list[Hour]:
    """Return hours whose reports judge these windows."""
    return [
        Hour(window, 0.86, report(Verdict.NO_DRIFT, windows=windows))
        for window, windows in zip(WINDOWS, quality, strict=False)
    ]


def test_the_newest_report_counts_and_the_first_is_remembered() -> None:
    hours = played((), (labelled(WINDOWS[0], 0.84),), (labelled(WINDOWS[0], 0.83), labelled(WINDOWS[1], 0.82)))

    known = labelled_hours(hours)
    assert {number: (found.known_in, found.accuracy.value) for number, found in known.items()} == {
        1: (2, 0.83),
        2: (3, 0.82),
    }


def test_a_window_that_was_not_judged_or_not_played_is_not_known() -> None:
    unjudged = WindowQuality(
        window=labelled(WINDOWS[0], 0.8).window, n_rows=9, n_labelled=1, labelled_fraction=0.1, is_final=False
    )

    assert labelled_hours(played((), (unjudged, labelled("2026-01-01T00:00:00Z", 0.8)))) == {}


def test_an_hour_without_a_report_judges_nothing() -> None:
    assert labelled_hours([Hour(WINDOWS[0], 0.86, None)]) == {}


def test_the_realised_accuracy_is_held_against_the_projection_of_the_same_rows() -> None:
    known = labelled_hours(played((), (labelled(WINDOWS[0], 0.84, foreseen=0.85),), (labelled(WINDOWS[1], 0.8),)))

    assert [is_foreseen(found.quality) for found in known.values()] == [True, False]


def test_without_a_projection_nothing_was_foreseen() -> None:
    refused = replace(labelled(WINDOWS[0], 0.84), projected=None)

    assert [is_foreseen(found.quality) for found in labelled_hours(played((), (refused,))).values()] == [None]


def test_news_are_the_hours_that_the_newest_report_judges_first() -> None:
    first = (labelled(WINDOWS[0], 0.84),)
    latest, notes = news(played((), first, (*first, labelled(WINDOWS[1], 0.83))))

    assert latest is not None
    assert (latest.hour, latest.accuracy.value) == (2, 0.83)
    assert notes == []


def test_no_news_when_the_newest_report_judges_what_was_known() -> None:
    assert news(played((), (labelled(WINDOWS[0], 0.84),), (labelled(WINDOWS[0], 0.84),))) == (None, [])


def test_a_shift_is_noted_when_labels_show_it_first() -> None:
    shifted = labelled(WINDOWS[1], 0.79, Shift.CONCEPT, foreseen=0.868)
    quiet = labelled(WINDOWS[0], 0.86)
    hours = played((), (quiet,), (quiet, shifted), (shifted, labelled(WINDOWS[2], 0.78, Shift.CONCEPT)))

    assert news(hours[:2])[1] == []
    assert news(hours[:3])[1] == ["labels of hour 2 show concept shift: realised accuracy 79.0 %, 86.8 % projected"]
    assert news(hours)[1] == []
