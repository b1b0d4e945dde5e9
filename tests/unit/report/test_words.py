from dataclasses import replace

from contract.records import Verdict
from plumbline.report import words
from plumbline.report.timeline import timeline
from tests.unit.report.builders import REFUSED, feature, report, start_of

QUIET = (feature("age"), feature("hours-per-week"), feature("sex"))
HOURS = (feature("age"), feature("hours-per-week", 92.0, drift=True), feature("sex"))
BOTH = (feature("age", 30.0, drift=True), feature("hours-per-week", 90.0, drift=True), feature("sex"))


def test_headline_names_the_first_drifted_window() -> None:
    line = timeline([report(0, features=QUIET), report(1, features=HOURS), report(2, features=BOTH)], {}, [], [])
    assert words.headline(line) == "Drift in 2 of 3 judged windows, first at 01:00 on 1 March 2026"


def test_summary_tells_who_came_first_who_followed_and_who_never_moved() -> None:
    line = timeline([report(0, features=QUIET), report(1, features=HOURS), report(2, features=BOTH)], {}, [], [])
    assert words.summary(line)[0] == (
        "hours-per-week drifted first, at 01:00 on 1 March 2026. Later: age. Never drifted: sex."
    )


def test_summary_never_calls_a_feature_quiet_that_was_not_judged() -> None:
    unjudged = replace(feature("id"), verdict=Verdict.NOT_JUDGED)
    reports = [report(0, features=(*QUIET, unjudged)), report(1, features=(*HOURS, unjudged))]
    assert words.summary(timeline(reports, {}, [], []))[0] == (
        "hours-per-week drifted first, at 01:00 on 1 March 2026. Never drifted: age and sex. Never judged: id."
    )


def test_summary_compares_accuracy_with_reference_and_truth() -> None:
    line = timeline([report(0), report(1)], {start_of(0): 0.83, start_of(1): 0.70}, [], [])
    assert words.summary(line)[0] == (
        "Projected accuracy: 82.3 % in the window of 01:00 on 1 March 2026 (95 % interval 80.7 to 83.9 %), "
        "against 86.7 % on the labelled test set: 4.4 points lower. "
        "The true accuracy lies inside the interval in 1 of 2 windows."
    )


def test_quiet_windows_have_a_quiet_headline() -> None:
    assert words.headline(timeline([report(0)], {}, [], [])) == "No drift in 1 judged window"


def test_unjudged_windows_are_not_called_quiet() -> None:
    unjudged = report(0, verdict=Verdict.NOT_JUDGED, features=(), projected=REFUSED)
    line = timeline([unjudged, report(2, features=QUIET)], {}, [], [])
    assert words.headline(line) == "No drift in 1 judged window"
    assert words.summary(line)[-1] == (
        "1 window could not be judged; the reasons are below. "
        "1 window between the first and the last has no report at all."
    )
    nothing = timeline([unjudged], {}, [], [])
    assert words.headline(nothing) == "None of 1 window could be judged"
    assert words.summary(nothing)[0] == "The accuracy could not be projected in any window."


def test_windows_without_times_are_numbered() -> None:
    line = timeline([report(None, features=QUIET), report(None, features=HOURS)], {}, [], [])
    assert words.headline(line) == "Drift in 1 of 2 judged windows, first at window 2"


def test_long_lists_are_cut_with_a_number() -> None:
    assert words.listed(list("abcdefgh"), 6) == "a, b, c, d, e, f and 2 more"
    assert words.listed(["a"]) == "a"
