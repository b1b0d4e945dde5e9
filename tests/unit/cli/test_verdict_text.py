from dataclasses import replace

from contract.records import (
    SWITCHED_OFF,
    Contributor,
    FeatureType,
    MultivariateReport,
    ProjectedAccuracy,
    RecentReport,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
    Violation,
)
from plumbline.commands.verdict_text import verdict_lines
from tests.reports import because
from tests.unit.report.builders import REFUSED, feature, report


def test_everything_that_was_found_is_told_in_lines() -> None:
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
        recent=RecentReport(verdict=Verdict.NO_DRIFT, reason=because("no feature drifted"), n_windows=24, n_rows=9000),
        segments=(
            SegmentReport(
                kind="column", value="F", n_rows=90, verdict=Verdict.NOT_JUDGED, reason=because("few"), features=()
            ),
        ),
        multivariate=MultivariateReport(status=Status.ESTIMATED, area_under_curve=0.75, p_value=0.001),
    )
    assert list(verdict_lines(found)) == [
        "verdict: drift: drift in job, age",
        "job: Jensen-Shannon distance 0.314, clerk from 50.0 to 12.5 %",
        "age: missing from 0.0 to 25.0 %",
        "violation: pay, data_type_check: 90 % of its values cannot be read",
        "not judged: one, two: constant",
        "since the 24 windows before (9000 rows): no drift: no feature drifted",
        "segment F (90 rows): not judged: few",
        "rows told apart by a classifier: AUC 0.750, p 0.001",
        "projected accuracy: 80.0 % (95 % interval 79.0 to 81.0 %), 90.0 % on the labelled test set",
        "records: 503 read, 500 used with 2000 rows, 3 rejected",
        "rejected: 1 no_input",
        "rejected: 2 not_json, for example a:3",
        "unreadable cells: pay, 8 not_a_number, 1 not_finite",
    ]


def test_a_drifted_prediction_is_told() -> None:
    quiet = report(0, verdict=Verdict.DRIFT, reason=because("drift in the prediction"))
    found = replace(quiet, prediction=replace(quiet.prediction, verdict=Verdict.DRIFT))
    assert list(verdict_lines(found))[1] == "prediction: Jensen-Shannon distance 0.02"


def test_many_new_labels_are_told_together() -> None:
    parts = (Contributor("x1", 0.0, 0.0005), Contributor("x2", 0.0, 0.0005))
    replaced = replace(
        feature("id", drift=True), effects={"jensen_shannon_distance": 1.0}, unseen_fraction=1.0, top_contributors=parts
    )
    assert list(verdict_lines(report(0, features=(replaced,))))[1] == (
        "id: Jensen-Shannon distance 1, labels that training never had 100.0 %"
    )


def test_one_new_label_is_told_by_its_name() -> None:
    moved = replace(feature("job", drift=True), unseen_fraction=0.2, top_contributors=(Contributor("pilot", 0.0, 0.2),))
    assert "pilot from 0.0 to 20.0 %" in list(verdict_lines(report(0, features=(moved,))))[1]


def test_a_window_that_is_not_judged_gives_its_reason_once() -> None:
    features = tuple(replace(feature(name), verdict=Verdict.NOT_JUDGED, reason=because("why")) for name in ("a", "b"))
    found = report(0, features=features, verdict=Verdict.NOT_JUDGED, reason=because("20 rows"), projected=REFUSED)
    assert list(verdict_lines(found))[:2] == [
        "verdict: not judged: 20 rows",
        "projected accuracy: not judged: no predictions were captured",
    ]


def test_what_was_asked_for_and_could_not_be_done_is_told() -> None:
    found = replace(
        report(0),
        recent=RecentReport(reason=because("0 of 24 earlier windows")),
        multivariate=MultivariateReport(reason=because("too few rows")),
    )
    lines = list(verdict_lines(found))
    assert "since the 0 windows before (0 rows): not judged: 0 of 24 earlier windows" in lines
    assert "rows told apart by a classifier: not judged: too few rows" in lines


def test_what_nobody_asked_for_is_not_told() -> None:
    off = replace(
        report(0),
        recent=RecentReport(reason=SWITCHED_OFF),
        multivariate=MultivariateReport(reason=SWITCHED_OFF),
    )
    assert list(verdict_lines(off)) == list(verdict_lines(report(0)))
    assert "switched off" not in "".join(verdict_lines(off))
