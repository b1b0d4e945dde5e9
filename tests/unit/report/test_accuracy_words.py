from dataclasses import replace

from contract.accuracy import LabelShiftScenario
from contract.quality import SelectionReport
from contract.records import Verdict
from plumbline.report import accuracy_words
from plumbline.report.timeline import timeline
from tests.reports import because
from tests.unit.report.builders import BY_GROUP, ESTIMATED, RESTS_ON, labelled, quality, report


def test_quiet_features_do_not_hide_what_labels_show() -> None:
    calm = report(1, quality=quality(labelled(0, 0.79, concept=True)))
    line = timeline([report(0), calm], {}, [], [])
    assert accuracy_words.headline(line) == (
        "No drift in 2 judged windows, but the realised accuracy dropped and labels show concept shift"
    )


def test_a_headline_without_concerns_is_that_of_drift() -> None:
    assert accuracy_words.headline(timeline([report(0)], {}, [], [])) == "No drift in 1 judged window"
    assert accuracy_words.summary(timeline([report(0)], {}, [], [])) == []


def test_every_concern_is_named() -> None:
    one = replace(
        report(0, projected=replace(ESTIMATED, verdict=Verdict.DRIFT), quality=quality(labelled(0, 0.7, concept=True))),
        bias=BY_GROUP,
        attribution=RESTS_ON,
    )
    assert accuracy_words.concerns(timeline([one], {}, [], [])) == [
        "the projected accuracy dropped",
        "the realised accuracy dropped",
        "labels show concept shift",
        "bias drifted",
        "the attributions drifted",
    ]


def test_bias_that_only_labels_show_is_a_concern() -> None:
    line = timeline([report(0, quality=quality(labelled(0, bias=BY_GROUP)))], {}, [], [])
    assert accuracy_words.concerns(line) == ["bias drifted"]


def test_summary_holds_realised_against_projected() -> None:
    selected = SelectionReport(verdict=Verdict.DRIFT, reason=because("why"), features=("age",))
    known = quality(labelled(0, 0.86), labelled(1, 0.79, selection=selected))
    (text,) = accuracy_words.summary(timeline([report(0), report(1, quality=known)], {}, [], []))
    assert text == (
        "Realised accuracy: 79.0 % in the window of 01:00 on 1 March 2026 (95 % interval 77.4 to 80.6 %), by labels "
        "of 90.0 % of its rows. It lies inside the interval projected for the same rows in 1 of 2 windows. It dropped "
        "beyond tolerance and chance in 1 window, that of 01:00 on 1 March 2026. Labels came selectively, so that "
        "realised figures mislead, in 1 window, that of 01:00 on 1 March 2026."
    )


def test_a_projection_that_was_refused_is_not_counted_as_missed() -> None:
    line = timeline([report(0, quality=quality(labelled(0, projected=None)))], {}, [], [])
    assert "inside the interval" not in accuracy_words.summary(line)[0]


def test_a_suspected_label_shift_is_told() -> None:
    suspected = replace(ESTIMATED, label_shift=LabelShiftScenario(selected=True))
    (text,) = accuracy_words.summary(timeline([report(0, projected=suspected)], {}, [], []))
    assert text == "Without labels, a pure label shift is suspected in 1 window, that of 00:00 on 1 March 2026."


def test_title_of_the_plot_tells_what_labels_show() -> None:
    projected = "Projected accuracy: 82.3 % at the end, 86.7 % on the test set"
    assert accuracy_words.title(timeline([report(0)], {}, [], [])) == projected
    waiting = timeline([report(0, quality=quality(labelled(0, None)))], {}, [], [])
    assert accuracy_words.title(waiting) == f"{projected}; no labels yet"
    known = timeline([report(0, quality=quality(labelled(0, 0.861)))], {}, [], [])
    assert accuracy_words.title(known) == f"{projected}; labels show 86.1 % at 00:00 on 1 March 2026"
