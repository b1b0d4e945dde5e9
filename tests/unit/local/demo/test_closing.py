"""The closing words say what happened, and claim nothing else."""

from dataclasses import replace

from plumbline.contract.accuracy import Shift
from plumbline.contract.records import ProjectedAccuracy, Verdict
from plumbline.local.demo.closing import closing_sentences
from plumbline.local.demo.hours import Hour
from plumbline.local.demo.summary import DemoSummary, FiredAlarm, PromotedVersion, PromotionOutcome, RetrainingRun
from tests.unit.local.demo.reports import labelled, projected, report

WINDOWS = [f"2026-01-05T{hour}:00:00Z" for hour in (12, 13, 14)]
RUN = RetrainingRun("arn:pipeline/x/execution/1", 2, "Succeeded", 4, "Approved", 0.71, 0.84)
SERVES = PromotedVersion(4, 2, PromotionOutcome.SERVES)


def test_the_first_drift_the_alarm_and_the_new_model_are_named() -> None:
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.81, report(Verdict.DRIFT, "hours-per-week", shifts=(Shift.COVARIATE,))),
        Hour(WINDOWS[2], 0.84, None),
    )

    assert closing_sentences(
        DemoSummary("census", hours, (FiredAlarm("plumbline-dev-drift", 2),), (RUN,), (SERVES,))
    ) == [
        "Drift was first seen in hour 2 (hours-per-week), in 1 of 2 judged hours; hour 3 was not judged.",
        "True accuracy went from 86.0 % to 84.0 %. Against the 95 % interval projected before labels came, it lay "
        "inside in 1 of 2 hours.",
        "Shifts seen without labels: covariate shift in hour 2 (not judged in hours 1 and 3), label shift was not "
        "judged.",
        "Alarms: plumbline-dev-drift in hour 2.",
        "Retraining began in hour 2: on the newest labelled rows, which neither model had seen, the champion was right "
        "for 71.0 % and the challenger for 84.0 %; version 4 is Approved.",
        "Version 4 serves since hour 2, verified. Before, drift in 1 of 1 judged hour, with a true accuracy of 81.0 "
        "%; after, no hour was judged, with a true accuracy of 84.0 %.",
    ]


def test_a_retraining_without_a_challenger_and_a_promotion_that_failed_are_named() -> None:
    hours = (Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),)
    failed = RetrainingRun("arn:pipeline/x/execution/1", 1, "Failed")
    back = PromotedVersion(4, 1, PromotionOutcome.ROLLED_BACK)

    words = closing_sentences(DemoSummary("census", hours, (), (failed,), (back,)))
    assert "Retraining began in hour 1 and is Failed, without a challenger." in words
    assert "Version 4 does not serve: it was rolled back in hour 1." in words


def test_a_demo_that_ends_with_the_change_claims_nothing_of_after() -> None:
    hours = (Hour(WINDOWS[0], 0.86, report(Verdict.DRIFT)), Hour(WINDOWS[1], 0.86, report(Verdict.NOT_JUDGED)))

    words = closing_sentences(DemoSummary("census", hours, (), (), (replace(SERVES, hour=2),)))
    assert words[-1] == "Version 4 serves since hour 2, verified. The demo ends before a whole hour of it."


def test_an_hour_that_is_not_judged_is_neither_quiet_nor_missed() -> None:
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.86, report(Verdict.NOT_JUDGED, projected=ProjectedAccuracy())),
        Hour(WINDOWS[2], 0.86, None),
    )

    words = closing_sentences(DemoSummary("census", hours))
    assert words[0] == "No drift in 1 judged hour; hours 2 to 3 were not judged."
    assert words[1].endswith("inside in 1 of 1 hour.")


def test_hours_whose_concept_moved_are_counted_apart() -> None:
    shifted = labelled(WINDOWS[1], 0.79, Shift.CONCEPT)
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.79, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[2], 0.86, report(Verdict.NO_DRIFT, windows=(shifted,))),
    )

    assert (
        "True accuracy went from 86.0 % to 86.0 %. Against the 95 % interval projected before labels came, it lay "
        "inside in 1 of 1 hour before the concept changed; outside in 1 of 1 hour while labels show the change, which "
        "no projection sees before they come; inside in 1 of 1 hour after it."
    ) in closing_sentences(DemoSummary("census", hours))


def test_a_change_without_a_drifted_hour_before_it_tells_both_sides() -> None:
    """As under concept shift: rows did not move, labels asked for the new model."""
    hours = (
        Hour(WINDOWS[0], 0.79, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.80, report(Verdict.NOT_JUDGED)),
        Hour(WINDOWS[2], 0.86, report(Verdict.NO_DRIFT)),
    )

    words = closing_sentences(DemoSummary("census", hours, (), (), (SERVES,)))
    assert words[-1] == (
        "Version 4 serves since hour 2, verified. Before, drift in 0 of 1 judged hour, with a true accuracy of 79.0 %; "
        "after, drift in 0 of 1 judged hour, with a true accuracy of 86.0 %."
    )


def test_what_is_not_known_is_not_claimed() -> None:
    quiet = DemoSummary("synthetic", (Hour(WINDOWS[0], None, report(Verdict.NO_DRIFT)),))

    assert closing_sentences(quiet) == [
        "No drift in 1 judged hour.",
        "True accuracy is not known: the scenario overwrites values, so the rows' labels no longer hold.",
        "Shifts seen without labels: covariate shift was not judged, label shift was not judged.",
        "No alarm fired.",
    ]


def test_labels_say_how_well_the_projection_did() -> None:
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.86, report(Verdict.NO_DRIFT, windows=(labelled(WINDOWS[0], 0.86),))),
        Hour(WINDOWS[2], 0.86, report(Verdict.NO_DRIFT, windows=(labelled(WINDOWS[1], 0.82, Shift.LABEL),))),
    )

    words = closing_sentences(DemoSummary("census", hours))
    # Projected were 85 %, and up to two points on either side.
    assert (
        "Labels came later for 90.0 % of the rows of hours 1 to 2; realised accuracy lay inside the interval projected "
        "for those rows in 1 of 2, 2.0 points from the projection on average."
    ) in words
    assert "Shifts seen by labels: label shift in hour 2, concept shift in no hour." in words


def test_labels_without_a_projection_are_held_against_nothing() -> None:
    refused = replace(labelled(WINDOWS[0], 0.86), projected=None, projection_error=None)
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.86, report(Verdict.NO_DRIFT, windows=(refused,))),
    )

    assert "Labels came later for 90.0 % of the rows of hour 1." in closing_sentences(DemoSummary("census", hours))


def test_concept_shift_is_set_against_a_calm_projection() -> None:
    shifted = labelled(WINDOWS[1], 0.79, Shift.CONCEPT)
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT, projected=projected(0.869))),
        Hour(WINDOWS[1], 0.79, report(Verdict.NO_DRIFT, projected=projected(0.868))),
        Hour(WINDOWS[2], 0.79, report(Verdict.NO_DRIFT, projected=projected(0.867), windows=(shifted,))),
    )

    assert (
        "Concept shift: rows and predictions do not show it, and the projection stayed calm (86.8 % for hour 2). "
        "The labels of hour 2, which came in hour 3, show 79.0 %."
    ) in closing_sentences(DemoSummary("census", hours))


def test_the_estimate_for_label_shift_is_held_against_the_projection() -> None:
    hours = (
        Hour(WINDOWS[0], 0.86, report(Verdict.NO_DRIFT)),
        Hour(WINDOWS[1], 0.80, report(Verdict.DRIFT, projected=projected(0.85, label_shift=0.81))),
        Hour(WINDOWS[2], 0.78, report(Verdict.DRIFT, projected=projected(0.85, label_shift=0.78))),
    )

    assert (
        "In hours 2 to 3 label shift alone explained the traffic: the estimate for that case missed the truth by "
        "0.5 points on average, the projection by 6.0."
    ) in closing_sentences(DemoSummary("census", hours))
