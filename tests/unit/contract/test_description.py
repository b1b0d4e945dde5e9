from dataclasses import replace

from plumbline.contract.accuracy import LabelShiftScenario, Shift
from plumbline.contract.attribution import AttributionReport
from plumbline.contract.bias import BiasReport
from plumbline.contract.description import accuracy_lines, exit_message, inside_intervals, listed, report_lines
from plumbline.contract.quality import SelectionReport, ShiftReport
from plumbline.contract.records import (
    SWITCHED_OFF,
    Contributor,
    FeatureType,
    InternalFault,
    MultivariateReport,
    OverTimeReport,
    ProjectedAccuracy,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
    Violation,
)
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


def test_everything_that_was_found_is_a_line() -> None:
    moved = replace(
        feature("job", drift=True),
        type=FeatureType.CATEGORICAL,
        effects={"jensen_shannon_distance": 0.314159},
        top_contributors=(Contributor("clerk", 0.5, 0.125), Contributor("none", 0.1, 0.2)),
    )
    gone = replace(feature("age"), verdict=Verdict.DRIFT, effects={}, missing_fraction=0.25)
    broken = replace(
        feature("pay"),
        verdict=Verdict.NOT_JUDGED,
        violation=Violation.DATA_TYPE,
        reason=because("90 % of its values cannot be read"),
        unreadable={"not_finite": 1, "not_a_number": 8},
    )
    unjudged = [
        replace(feature(name), verdict=Verdict.NOT_JUDGED, reason=because("constant")) for name in ("one", "two")
    ]
    found = replace(
        report(
            0,
            features=(moved, gone, broken, *unjudged),
            reason=because("drift in job, age"),
            projected=ProjectedAccuracy(status=Status.ESTIMATED, estimate=0.8, lower=0.79, upper=0.81, reference=0.9),
        ),
        records=RecordCounts(
            read=503, used=500, rejected={"not_json": 2, "no_input": 1}, examples={"not_json": ("a:3",)}
        ),
        over_time=OverTimeReport(
            verdict=Verdict.NO_DRIFT, reason=because("no feature changed over time"), n_windows=24, n_rows=9000
        ),
        segments=(
            SegmentReport(
                kind="column", value="F", n_rows=90, verdict=Verdict.NOT_JUDGED, reason=because("few"), features=()
            ),
        ),
        multivariate=MultivariateReport(status=Status.ESTIMATED, area_under_curve=0.75, p_value=0.001),
    )
    assert list(report_lines(found)) == [
        "verdict: drift: drift in job, age",
        "job: Jensen-Shannon distance 0.314, clerk from 50.0 to 12.5 %",
        "age: missing from 0.0 to 25.0 %",
        "violation: pay, data_type_check: 90 % of its values cannot be read",
        "not judged: one, two: constant",
        "over time (24 windows of the last day, 9,000 rows): no drift: no feature changed over time",
        "segment F (90 rows): not judged: few",
        "whole rows: a classifier separates them with AUC 0.750 (0.5 is chance), p 0.001",
        "projected accuracy: 80.0 % (95 % interval 79.0 to 81.0 %), 90.0 % on the labelled test set",
        "records: 503 read, 500 used with 2000 rows, 3 rejected",
        "rejected: 1 no_input",
        "rejected: 2 not_json, for example a:3",
        "unreadable cells: pay, 8 not_a_number, 1 not_finite",
    ]


def test_a_drifted_prediction_is_a_line() -> None:
    quiet = report(0, verdict=Verdict.DRIFT, reason=because("drift in the prediction"))
    found = replace(quiet, prediction=replace(quiet.prediction, verdict=Verdict.DRIFT))
    assert list(report_lines(found))[1] == "prediction: Jensen-Shannon distance 0.02"


def test_many_new_labels_are_one_number() -> None:
    parts = (Contributor("x1", 0.0, 0.0005), Contributor("x2", 0.0, 0.0005))
    replaced = replace(
        feature("id", drift=True), effects={"jensen_shannon_distance": 1.0}, unseen_fraction=1.0, top_contributors=parts
    )
    assert list(report_lines(report(0, features=(replaced,))))[1] == (
        "id: Jensen-Shannon distance 1, labels that training never had 100.0 %"
    )


def test_one_new_label_is_named() -> None:
    moved = replace(feature("job", drift=True), unseen_fraction=0.2, top_contributors=(Contributor("pilot", 0.0, 0.2),))
    assert "pilot from 0.0 to 20.0 %" in list(report_lines(report(0, features=(moved,))))[1]


def test_a_window_that_is_not_judged_gives_its_reason_once() -> None:
    features = tuple(replace(feature(name), verdict=Verdict.NOT_JUDGED, reason=because("why")) for name in ("a", "b"))
    found = report(0, features=features, verdict=Verdict.NOT_JUDGED, reason=because("20 rows"), projected=REFUSED)
    assert list(report_lines(found))[:2] == [
        "verdict: not judged: 20 rows",
        "projected accuracy: not judged: no predictions were captured",
    ]


def test_comparisons_that_were_not_judged_have_their_reason() -> None:
    found = replace(
        report(0),
        over_time=OverTimeReport(reason=because("usable windows cover 1 of the last 24 hours, fewer than 18")),
        multivariate=MultivariateReport(reason=because("too few rows")),
    )
    lines = list(report_lines(found))
    reason = "usable windows cover 1 of the last 24 hours, fewer than 18"
    assert f"over time (0 windows of the last day, 0 rows): not judged: {reason}" in lines
    assert "whole rows: not judged: too few rows" in lines


def test_what_is_switched_off_is_left_out() -> None:
    off = replace(
        report(0),
        over_time=OverTimeReport(reason=SWITCHED_OFF),
        multivariate=MultivariateReport(reason=SWITCHED_OFF),
    )
    assert list(report_lines(off)) == list(report_lines(report(0)))
    assert "switched off" not in "".join(report_lines(off))


PROJECTED = "projected accuracy: 82.3 % (95 % interval 80.7 to 83.9 %), 86.7 % on the labelled test set"


def test_everything_that_is_known_of_accuracy_is_a_line() -> None:
    scenario = LabelShiftScenario(status=Status.ESTIMATED, selected=True, estimate=0.7, lower=0.68, upper=0.72)
    projected = replace(
        ESTIMATED,
        verdict=Verdict.DRIFT,
        verdict_reason=because("4.4 points lower"),
        warnings=(because("far"),),
        label_shift=scenario,
    )
    selected = SelectionReport(verdict=Verdict.DRIFT, reason=because("they differ in age"), features=("age",))
    labels = RecordCounts(read=9, used=7, rejected={"orphan": 2}, examples={"orphan": ("a.jsonl:4",)})
    known = quality(labelled(0, 0.79, projected=0.86, selection=selected), labelled(1, None), labels=labels)
    found = replace(
        report(1, projected=projected, quality=known),
        shifts=(
            ShiftReport(shift=Shift.COVARIATE, verdict=Verdict.NO_DRIFT, reason=because("no feature drifted")),
            ShiftReport(shift=Shift.CONCEPT, verdict=Verdict.DRIFT),
        ),
        bias=BY_GROUP,
        attribution=RESTS_ON,
    )
    lines = [
        PROJECTED,
        "projected accuracy's verdict: drift: 4.4 points lower",
        "projected accuracy is doubtful: far",
        "if this is label shift, the accuracy is 70.0 % (95 % interval 68.0 to 72.0 %)",
        "covariate shift: no drift: no feature drifted",
        "concept shift: drift",
        "labels: 9 read, 7 used, 2 rejected",
        "labels rejected: 2 orphan, for example a.jsonl:4",
        f"realised accuracy of {start_of(0)}: 79.0 % (95 % interval 77.4 to 80.6 %) by labels of 90.0 % of the rows",
        "realised accuracy's verdict: drift: accuracy 79.0 %, 86.7 % on the labelled test set",
        "realised minus projected accuracy of these rows: -7.0 points",
        "labels came selectively: they differ in age",
        "bias by sex: drift: in Female",
        "attributions: drift, NDCG 0.871 (1 is the order of the test set; below 0.9 is drift)",
    ]
    assert list(accuracy_lines(found)) == lines
    assert [line for line in report_lines(found) if line in lines] == lines


def test_accuracy_that_is_switched_off_is_left_out() -> None:
    assert list(accuracy_lines(report(0))) == [PROJECTED]


def test_absent_labels_have_their_reason() -> None:
    waiting = list(accuracy_lines(report(0, quality=quality(labelled(0, None)))))
    assert waiting[1:] == ["labels: 0 read, 0 used, 0 rejected", "realised accuracy: not judged: no labels yet"]
    broken = replace(quality(), reason=because("labels could not be read"))
    assert list(accuracy_lines(report(0, quality=broken)))[-1] == (
        "realised accuracy: not judged: labels could not be read"
    )
    assert list(accuracy_lines(report(0, quality=quality())))[-1] == "realised accuracy: not judged: no labels yet"


def test_bias_and_attribution_that_were_not_judged_have_their_reason() -> None:
    found = replace(
        report(0, projected=REFUSED),
        bias=BiasReport(reason=because("few rows"), facet="sex"),
        attribution=AttributionReport(reason=because("no model")),
    )
    assert list(accuracy_lines(found)) == [
        "projected accuracy: not judged: no predictions were captured",
        "bias by sex: not judged: few rows",
        "attributions: not judged: no model",
    ]


def test_long_lists_are_cut_with_a_number() -> None:
    assert listed(list("abcdefgh"), 6) == "a, b, c, d, e, f and 2 more"
    assert listed(["a"]) == "a"


def test_what_was_rejected_and_what_failed_stands_beside_the_verdict() -> None:
    records = RecordCounts(1_000, 900, {"not_json": 70, "no_input": 30})
    found = replace(
        report(0, reason=because("no feature drifted")),
        records=records,
        n_rows=900,
        warnings=(because("100 of the 1,000 records were rejected"),),
        internal_faults=(InternalFault(name="bias", text="MemoryError"),),
    )
    lines = list(report_lines(found))
    assert "warning: 100 of the 1,000 records were rejected" in lines
    assert "internal fault: bias: MemoryError" in lines
    assert "100 of 1000 records rejected, most as not_json" in exit_message(found)
    assert "most as" not in exit_message(replace(found, warnings=()))


def test_windows_between_two_whose_concept_moved_are_counted_by_themselves() -> None:
    moved = labelled(0, 0.79, concept=True)
    windows = [(True, None), (None, moved), (False, moved), (True, None), (False, moved), (None, None)]
    assert inside_intervals(windows, "window") == (
        "inside in 1 of 1 window before the concept changed; outside in 2 of 2 windows while labels show the change, "
        "which no projection sees before they come; inside in 1 of 1 window in between, where they do not"
    )
    assert inside_intervals([(None, None)], "hour") == "inside in no hour, as none has one"


def test_windows_of_the_past_that_verdicts_rest_on_are_a_line() -> None:
    found = replace(report(0), past=because("43 past windows of 200 rows at 03 h UTC"))
    lines = list(report_lines(found))
    assert lines[1] == "held against the past: 43 past windows of 200 rows at 03 h UTC"
