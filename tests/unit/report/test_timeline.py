from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.contract.records import Verdict, WindowBounds
from plumbline.report.collect import ReportError
from plumbline.report.timeline import MAX_HOLE, Event, timeline
from tests.unit.report.builders import START, feature, labelled, quality, report, start_of


def test_missing_windows_leave_holes() -> None:
    line = timeline([report(0), report(3)], {}, [], [])
    assert [slot.report is None for slot in line.slots] == [False, True, True, False]
    assert [slot.start for slot in line.slots] == [START + timedelta(hours=hour) for hour in range(4)]


def test_long_hole_is_cut() -> None:
    assert len(timeline([report(0), report(10_000)], {}, [], []).slots) == MAX_HOLE + 2


def test_true_accuracy_finds_its_window_in_any_spelling_of_the_time() -> None:
    line = timeline([report(0), report(1)], {"2026-03-01T01:00:00+00:00": 0.8}, [], [])
    assert [slot.true_accuracy for slot in line.slots] == [None, 0.8]


def test_true_accuracy_without_window_is_listed() -> None:
    (problem,) = timeline([report(0)], {start_of(7): 0.8}, [], []).problems
    assert problem.why == "no window starts at 2026-03-01T07:00:00Z"


@pytest.mark.parametrize("value", [86.7, -0.1, float("nan"), "0.8"])
def test_true_accuracy_outside_its_range_is_refused(value: float) -> None:
    with pytest.raises(ReportError, match="a true accuracy must be a number from 0 to 1, got "):
        timeline([report(0)], {start_of(0): value}, [], [])


def test_true_accuracy_of_no_time_is_refused() -> None:
    with pytest.raises(ReportError, match="start in ISO 8601, got 'first hour'"):
        timeline([report(0)], {"first hour": 0.8}, [], [])


@pytest.mark.parametrize(
    ("at", "hour"),
    [(start_of(1), 1), ("2026-03-01T01:59:59Z", 1), ("2026-03-01T02:00:00", 2), ("2026-03-01T03:30:00Z", 2)],
    ids=["start", "inside", "without zone", "after the last"],
)
def test_event_is_placed_in_the_window_that_holds_it(at: str, hour: int) -> None:
    line = timeline([report(0), report(1), report(2)], {}, [Event(at, "alarm", "")], [])
    assert [len(slot.events) for slot in line.slots] == [int(index == hour) for index in range(3)]


@pytest.mark.parametrize("at", ["2025-01-01T00:00:00Z", "soon", "2026-04-01T00:00:00Z"])
def test_event_without_window_is_listed(at: str) -> None:
    line = timeline([report(0)], {}, [Event(at, "alarm", "fired")], [])
    assert line.problems[0].why == f"no window holds {at}: fired"


def test_feature_that_comes_later_is_absent_before() -> None:
    late = report(1, features=(feature("age"), feature("new", drift=True)))
    line = timeline([report(0), late], {}, [], [])
    assert line.features == ("age", "hours-per-week", "new")
    before, after = line.feature("new")
    assert before is None
    assert after is not None
    assert after.verdict is Verdict.DRIFT


def test_later_reports_update_what_earlier_ones_say_of_labels() -> None:
    first = report(0, quality=quality(labelled(0, None)))
    second = report(1, quality=quality(labelled(0, 0.81), labelled(1, None)))
    line = timeline([first, second], {}, [], [])
    assert [slot.quality and slot.quality.n_labelled for slot in line.slots] == [1800, 0]
    assert line.problems == ()


def test_a_window_without_report_has_its_labels_all_the_same() -> None:
    line = timeline([report(0), report(2, quality=quality(labelled(1, 0.81)))], {}, [], [])
    hole = line.slots[1]
    assert hole.report is None
    assert hole.quality == labelled(1, 0.81)


def test_labels_of_windows_that_are_not_shown_are_listed_once() -> None:
    known = quality(labelled(0), labelled(1), labelled(2, None), labelled(9))
    (problem,) = timeline([report(9, quality=known)], {}, [], []).problems
    assert problem.what == "labels"
    assert problem.why == "2 windows with labels have no report here, the first starts at 2026-03-01T00:00Z"


def test_labels_without_times_belong_to_their_own_report() -> None:
    own = replace(labelled(0, 0.81), window=WindowBounds())
    line = timeline([report(None), report(None, quality=quality(own))], {}, [], [])
    assert [slot.quality for slot in line.slots] == [None, own]
