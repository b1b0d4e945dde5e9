from dataclasses import replace

from contract.accuracy import LabelShiftScenario, Shift
from contract.attribution import AttributionReport
from contract.bias import BiasReport
from contract.quality import SelectionReport, ShiftReport
from contract.records import RecordCounts, Status, Verdict
from plumbline.commands.accuracy_text import accuracy_lines
from plumbline.commands.verdict_text import verdict_lines
from tests.reports import because
from tests.unit.report.builders import BY_GROUP, ESTIMATED, REFUSED, RESTS_ON, labelled, quality, report, start_of

PROJECTED = "projected accuracy: 82.3 % (95 % interval 80.7 to 83.9 %), 86.7 % on the labelled test set"


def test_everything_that_is_known_is_told_in_lines() -> None:
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
        "if only the mix of labels moved: 70.0 % (95 % interval 68.0 to 72.0 %)",
        "covariate shift: no drift: no feature drifted",
        "concept shift: drift",
        "labels: 9 read, 7 used, 2 rejected",
        "labels rejected: 2 orphan, for example a.jsonl:4",
        f"realised accuracy of {start_of(0)}: 79.0 % (95 % interval 77.4 to 80.6 %) by labels of 90.0 % of the rows",
        "realised accuracy's verdict: drift: accuracy 79.0 %, 86.7 % on the labelled test set",
        "the projection for these rows is missed by -7.0 points",
        "labels came selectively: they differ in age",
        "bias by sex: drift: in Female",
        "attributions: drift, NDCG 0.871 (1 is the order of the test set)",
    ]
    assert list(accuracy_lines(found)) == lines
    assert [line for line in verdict_lines(found) if line in lines] == lines


def test_what_nobody_asked_for_is_not_told() -> None:
    assert list(accuracy_lines(report(0))) == [PROJECTED]


def test_absent_labels_are_told_with_their_reason() -> None:
    waiting = list(accuracy_lines(report(0, quality=quality(labelled(0, None)))))
    assert waiting[1:] == ["labels: 0 read, 0 used, 0 rejected", "realised accuracy: not judged: no labels yet"]
    broken = replace(quality(), reason=because("labels could not be read"))
    assert list(accuracy_lines(report(0, quality=broken)))[-1] == (
        "realised accuracy: not judged: labels could not be read"
    )
    assert list(accuracy_lines(report(0, quality=quality())))[-1] == "realised accuracy: not judged: no labels yet"


def test_what_was_asked_for_and_could_not_be_done_is_told() -> None:
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
