from dataclasses import replace

from plumbline.contract.accuracy import LabelShiftScenario
from plumbline.contract.quality import SelectionReport
from plumbline.contract.records import Verdict
from plumbline.report import summary
from plumbline.report.timeline import timeline
from tests.reports import because
from tests.unit.report.builders import (
    BY_GROUP,
    ESTIMATED,
    REFUSED,
    RESTS_ON,
    feature,
    labelled,
    quality,
    report,
    start_of,
)

QUIET = (feature("age"), feature("hours-per-week"), feature("sex"))
HOURS = (feature("age"), feature("hours-per-week", 92.0, drift=True), feature("sex"))
BOTH = (feature("age", 30.0, drift=True), feature("hours-per-week", 90.0, drift=True), feature("sex"))


def test_headline_names_the_first_drifted_window() -> None:
    line = timeline([report(0, features=QUIET), report(1, features=HOURS), report(2, features=BOTH)], {}, [], [])
    assert summary.headline(line) == "Drift in 2 of 3 judged windows, first at 01:00 on 1 March 2026"


def test_summary_names_who_came_first_who_followed_and_who_never_moved() -> None:
    line = timeline([report(0, features=QUIET), report(1, features=HOURS), report(2, features=BOTH)], {}, [], [])
    assert summary.summary(line)[0] == (
        "hours-per-week drifted first, at 01:00 on 1 March 2026. Later: age. Never drifted: sex."
    )


def test_summary_never_calls_a_feature_quiet_that_was_not_judged() -> None:
    unjudged = replace(feature("id"), verdict=Verdict.NOT_JUDGED)
    reports = [report(0, features=(*QUIET, unjudged)), report(1, features=(*HOURS, unjudged))]
    assert summary.summary(timeline(reports, {}, [], []))[0] == (
        "hours-per-week drifted first, at 01:00 on 1 March 2026. Never drifted: age and sex. Never judged: id."
    )


def test_summary_compares_accuracy_with_reference_and_truth() -> None:
    line = timeline([report(0), report(1)], {start_of(0): 0.83, start_of(1): 0.70}, [], [])
    assert summary.summary(line)[0] == (
        "Projected accuracy in the window of 01:00 on 1 March 2026: 82.3 % (95 % interval 80.7 to 83.9 %), "
        "86.7 % on the labelled test set: 4.4 points lower. "
        "Against the projected interval, the true accuracy lies inside in 1 of 2 windows."
    )


def test_quiet_windows_have_a_quiet_headline() -> None:
    assert summary.headline(timeline([report(0)], {}, [], [])) == "No drift in 1 judged window"


def test_unjudged_windows_are_not_called_quiet() -> None:
    unjudged = report(0, verdict=Verdict.NOT_JUDGED, features=(), projected=REFUSED)
    line = timeline([unjudged, report(2, features=QUIET)], {}, [], [])
    assert summary.headline(line) == "No drift in 1 judged window"
    assert summary.summary(line)[-1] == (
        "1 window could not be judged; the reasons are below. "
        "1 window between the first and the last has no report at all."
    )
    nothing = timeline([unjudged], {}, [], [])
    assert summary.headline(nothing) == "None of 1 window could be judged"
    assert summary.summary(nothing)[0] == "The accuracy could not be projected in any window."


def test_windows_without_times_are_numbered() -> None:
    line = timeline([report(None, features=QUIET), report(None, features=HOURS)], {}, [], [])
    assert summary.headline(line) == "Drift in 1 of 2 judged windows, first at window 2"


def test_quiet_features_do_not_hide_what_labels_show() -> None:
    calm = report(1, quality=quality(labelled(0, 0.79, concept=True)))
    line = timeline([report(0), calm], {}, [], [])
    assert summary.headline(line) == (
        "No drift in 2 judged windows, but the realised accuracy dropped and labels show concept shift"
    )


def test_a_headline_without_concerns_is_that_of_drift() -> None:
    assert summary.headline(timeline([report(0)], {}, [], [])) == "No drift in 1 judged window"
    (text,) = summary.summary(timeline([report(0)], {}, [], []))
    assert text.startswith("Projected accuracy in the window")


def test_every_concern_is_named() -> None:
    one = replace(
        report(0, projected=replace(ESTIMATED, verdict=Verdict.DRIFT), quality=quality(labelled(0, 0.7, concept=True))),
        bias=BY_GROUP,
        attribution=RESTS_ON,
    )
    assert summary.concerns(timeline([one], {}, [], [])) == [
        "the projected accuracy dropped",
        "the realised accuracy dropped",
        "labels show concept shift",
        "bias drifted",
        "the attributions drifted",
    ]


def test_bias_that_only_labels_show_is_a_concern() -> None:
    line = timeline([report(0, quality=quality(labelled(0, bias=BY_GROUP)))], {}, [], [])
    assert summary.concerns(line) == ["bias drifted"]


def test_summary_holds_realised_against_projected() -> None:
    selected = SelectionReport(verdict=Verdict.DRIFT, reason=because("why"), features=("age",))
    known = quality(labelled(0, 0.86), labelled(1, 0.79, selection=selected))
    _, text = summary.summary(timeline([report(0), report(1, quality=known)], {}, [], []))
    assert text == (
        "Realised accuracy in the window of 01:00 on 1 March 2026: 79.0 % (95 % interval 77.4 to 80.6 %) by labels "
        "of 90.0 % of the rows. Against the projected interval, it lies inside in 1 of 2 windows. It dropped "
        "beyond tolerance and chance in 1 window, that of 01:00 on 1 March 2026. Labels came selectively, so that "
        "realised figures mislead, in 1 window, that of 01:00 on 1 March 2026."
    )


def test_a_projection_that_was_refused_is_not_counted_as_missed() -> None:
    line = timeline([report(0, quality=quality(labelled(0, projected=None)))], {}, [], [])
    assert "inside the projected interval" not in " ".join(summary.summary(line))


def test_a_suspected_label_shift_is_named() -> None:
    suspected = replace(ESTIMATED, label_shift=LabelShiftScenario(selected=True))
    _, text = summary.summary(timeline([report(0, projected=suspected)], {}, [], []))
    assert text == "Without labels, a pure label shift is suspected in 1 window, that of 00:00 on 1 March 2026."


def test_title_of_the_plot_names_what_labels_show() -> None:
    projected = "Projected accuracy: 82.3 % at the end, 86.7 % on the test set"
    assert summary.accuracy_title(timeline([report(0)], {}, [], [])) == projected
    waiting = timeline([report(0, quality=quality(labelled(0, None)))], {}, [], [])
    assert summary.accuracy_title(waiting) == f"{projected}; no labels yet"
    known = timeline([report(0, quality=quality(labelled(0, 0.861)))], {}, [], [])
    assert summary.accuracy_title(known) == f"{projected}; labels show 86.1 % at 00:00 on 1 March 2026"
