import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from plumbline.contract.accuracy import (
    LabelShiftScenario,
    Measure,
    MeasureReport,
    ProjectedAccuracy,
    ProjectionEvidence,
    Shift,
)
from plumbline.contract.attribution import AttributionReport
from plumbline.contract.bias import BiasReport
from plumbline.contract.quality import QualityReport, SelectionReport, ShiftReport
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import PROJECTED_ACCURACY_NOTE, DriftReport, RecordCounts, Status, Verdict
from plumbline.report import build
from plumbline.report.sections.accuracy import accuracies, other_measures
from plumbline.report.sections.evidence import evidence
from plumbline.report.sections.labels import ground_truth, shifts
from plumbline.report.sections.model_behaviour import attribution, bias
from plumbline.report.timeline import Timeline, timeline
from tests.reports import because
from tests.unit.report.builders import (
    BY_GROUP,
    ESTIMATED,
    REFUSED,
    RESTS_ON,
    day,
    labelled,
    measured,
    quality,
    report,
    start_of,
    write,
)

NASTY = "<b>&</b>"
SAFE = "&lt;b&gt;&amp;&lt;/b&gt;"


def line(*reports: DriftReport) -> Timeline:
    return timeline(reports, {}, [], [])


def rows(content: str) -> list[list[str]]:
    """Return the cells' words of every row of a table's body."""
    found = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", content)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found)
    return [[" ".join(html.unescape(re.sub("<[^>]*>", " ", cell)).split()) for cell in row] for row in cells]


def test_each_window_shows_projected_realised_coverage_miss_and_shift() -> None:
    content = accuracies(line(report(0), report(1, quality=quality(labelled(0, 0.79, projected=0.86, concept=True)))))
    assert rows(content)[0] == [
        "1 Mar 2026 00:00",
        "82.3 % (80.7 to 83.9 %)",
        "– not judged",
        "79.0 % (77.4 to 80.6 %)",
        "● drift",
        "90.0 % 1,800 of 2,000",
        "86.0 % (84.2 to 87.8 %)",
        "-7.0 points",
        "concept shift",
        "–",
    ]
    assert html.escape(PROJECTED_ACCURACY_NOTE) in content


def test_the_note_is_that_of_the_last_estimate() -> None:
    known = report(1)
    unlike = replace(known, projected_accuracy=replace(known.projected_accuracy, note="Known & stated."))
    assert "Known &amp; stated." in accuracies(line(report(0), unlike))


def test_without_labels_the_table_is_explained_and_still_carries_the_note() -> None:
    content = accuracies(line(report(0)))
    assert "Labels are not awaited: there is no realised accuracy." in content
    assert html.escape(PROJECTED_ACCURACY_NOTE) in content
    assert rows(content) == [["1 Mar 2026 00:00", "82.3 % (80.7 to 83.9 %)", "– not judged", "–"]]


@pytest.mark.parametrize(
    ("known", "cell", "note"),
    [
        (labelled(0, None), "no labels", "labels: no labels yet"),
        (labelled(0, None, is_final=False), "no labels yet", "labels: no labels yet"),
        (
            replace(labelled(0, None), reason=ReasonCode.LABELS_REJECTED.reason(requests="3 requests", rejected="3 x")),
            "no usable label",
            "labels: labels came for 3 requests, and none of them can be used (3 x)",
        ),
        (
            replace(
                labelled(0, None),
                n_labelled=3,
                labelled_fraction=0.0015,
                reason=because("0.1 % of the rows have a label"),
            ),
            "not judged",
            "labels: 0.1 % of the rows have a label",
        ),
        (labelled(0, is_final=False), "86.0 % (84.4 to 87.6 %)", "more labels may come"),
    ],
    ids=["none", "none yet", "rejected", "few", "more to come"],
)
def test_absent_labels_are_never_blank(known: object, cell: str, note: str) -> None:
    (row,) = rows(accuracies(line(report(0, quality=quality(known)))))  # type: ignore[arg-type]
    assert row[3] == cell
    assert row[-1] == note


def test_unreadable_labels_give_their_reason() -> None:
    broken = replace(quality(), reason=because("labels or captures could not be read: denied"))
    (row,) = rows(accuracies(line(report(0, quality=broken))))
    assert row[-1] == "labels: labels or captures could not be read: denied"


def test_refusal_doubt_scenario_and_selective_labels_are_noted() -> None:
    scenario = LabelShiftScenario(status=Status.ESTIMATED, selected=True, estimate=0.7, lower=0.68, upper=0.72)
    doubtful = replace(ESTIMATED, warnings=(because(f"far {NASTY}"),), label_shift=scenario)
    selected = SelectionReport(verdict=Verdict.DRIFT, reason=because(f"they differ in {NASTY}"), features=("age",))
    content = accuracies(
        line(
            report(0, projected=doubtful),
            report(1, projected=REFUSED, quality=quality(labelled(0, selection=selected), labelled(1, None))),
        )
    )
    first, second = rows(content)
    assert first[-1] == (
        f"projected accuracy is doubtful: far {NASTY} if this is label shift, the accuracy is 70.0 % "
        f"(95 % interval 68.0 to 72.0 %) labels came selectively: they differ in {NASTY}"
    )
    assert second[-1] == "not projected: no predictions were captured labels: no labels yet"
    assert NASTY not in content


def test_measurements_behind_the_last_projection_are_shown() -> None:
    found = ProjectionEvidence(
        separability=0.6123,
        over_represented_fraction=0.015,
        out_of_support_fraction=0.0,
        gate_statistic=2.5,
        weighted=True,
        spread=0.004,
        test_area_under_curve=0.924,
    )
    scenario = LabelShiftScenario(
        status=Status.ESTIMATED,
        selected=True,
        positive_fraction=0.44,
        positive_fraction_reference=0.24,
        explained_fraction=0.97,
        residual_separability=0.51,
        estimate=0.7,
    )
    judged = replace(ESTIMATED, verdict=Verdict.DRIFT, verdict_reason=because(f"lower {NASTY}"))
    content = evidence(
        line(report(0, projected=REFUSED), report(1, projected=replace(judged, evidence=found, label_shift=scenario)))
    )
    assert f"lower {SAFE}. Method: calibrated confidence isotonic; assumed: covariate shift." in content
    assert [row[1] for row in rows(content)] == [
        "0.612",
        "1.5 %",
        "0.0 %",
        "2.500",
        "0.4 points",
        "0.924",
        "44.0 %",
        "97.0 %",
        "0.510",
        "70.0 %",
    ]
    assert rows(content)[3][2].endswith("large enough to use them")
    assert rows(content)[6][2].endswith("24.0 % on the test set")


def test_measurements_behind_a_refusal_are_printed_and_none_is_made_up() -> None:
    refused = ProjectedAccuracy(reason=because(f"too far {NASTY}"), evidence=ProjectionEvidence(separability=0.97))
    content = evidence(line(report(0, projected=refused)))
    assert f"no estimate: too far {SAFE}." in content
    assert [row[:2] for row in rows(content)] == [["separability", "0.970"]]
    assert "It reports no measurement." in evidence(line(report(0, projected=REFUSED)))


def test_both_the_last_window_and_the_last_labelled_one_tell_their_shifts() -> None:
    own = (
        ShiftReport(shift=Shift.COVARIATE, verdict=Verdict.DRIFT, reason=because(f"moved in {NASTY}"), effect=0.21),
        ShiftReport(shift=Shift.LABEL, reason=because("no labels")),
        ShiftReport(shift=Shift.CONCEPT, reason=because("no labels")),
    )
    known = quality(labelled(0, 0.8, concept=True))
    content = shifts(line(replace(report(0), shifts=own[:1]), replace(report(1, quality=known), shifts=own)))
    found = rows(content)
    assert [row[1] for row in found[:3]] == ["● drift", "– not judged", "– not judged"]
    assert found[0][3:] == ["21.0 %", f"moved in {NASTY}"]
    assert [row[1] for row in found[3:]] == ["● drift", "○ no drift", "● drift"]
    assert found[5][2:4] == ["1e-12", "8.1 %"]
    assert "The last window, of 01:00 on 1 March 2026." in content
    assert "The last window that labels judge, of 00:00 on 1 March 2026." in content
    assert SAFE in content
    assert NASTY not in content


def test_without_labels_concept_shift_is_said_to_be_unseen() -> None:
    assert "concept shift cannot be seen without them" in shifts(line(report(0, quality=quality(labelled(0, None)))))


def test_label_account_adds_up_and_names_places() -> None:
    labels = RecordCounts(
        read=10, used=7, rejected={"orphan": 2, NASTY: 1}, examples={"orphan": (f"a{NASTY}.jsonl:4",)}
    )
    content = ground_truth(line(report(0, quality=quality(labelled(0), labels=labels))))
    assert "10 label records read by the last run" in content
    assert rows(content) == [
        ["used", "7", "–"],
        [f"rejected: {NASTY}", "1", "–"],
        ["rejected: orphan", "2", f"a{NASTY}.jsonl:4"],
    ]
    assert NASTY not in content


def test_label_account_of_no_labels_is_explained() -> None:
    content = ground_truth(line(report(0, quality=quality(labelled(0, None)))))
    assert "No labels yet: no label record was found" in content
    assert "Labels are awaited for 24 hours after a window." in content
    assert "from a label coverage of 50.0 % on" in content


def test_selective_labels_are_a_warning_of_their_own() -> None:
    selected = SelectionReport(verdict=Verdict.DRIFT, reason=because("why"), features=("age", NASTY))
    content = ground_truth(line(report(0, quality=quality(labelled(0, selection=selected)))))
    assert "Labels came selectively" in content
    assert rows(content)[-1] == ["1 Mar 2026 00:00", "● drift", f"age, {NASTY}", "why"]
    assert "Labels came selectively" not in ground_truth(line(report(0, quality=quality(labelled(0)))))


def test_other_measures_stand_beside_their_reference() -> None:
    projected = replace(
        ESTIMATED,
        measures=(
            measured(Measure.AREA_UNDER_CURVE, 0.91, reference=0.924),
            MeasureReport(measure=Measure.F1, reason=because(f"no positive {NASTY}")),
        ),
    )
    content = other_measures(line(report(0, projected=projected, quality=quality(labelled(0)))))
    assert rows(content) == [
        ["area under the ROC curve", "0.924", "0.910 (0.890 to 0.930)", "0.880 (0.860 to 0.900)"],
        ["F1", "–", f"not judged no positive {NASTY}", "not judged"],
        ["log loss", "0.302", "not judged", "0.410 (0.390 to 0.430)"],
    ]
    assert NASTY not in content


def test_other_measures_wait_for_labels_aloud() -> None:
    projected = replace(ESTIMATED, measures=(measured(Measure.F1, 0.7),))
    (row,) = rows(other_measures(line(report(0, projected=projected, quality=quality(labelled(0, None))))))
    assert row[-1] == "not judged no labels yet"
    assert "realised" not in other_measures(line(report(0, projected=projected)))


def test_bias_shows_drifted_groups_first_with_intervals() -> None:
    content = bias(line(replace(report(0), bias=BY_GROUP)))
    found = rows(content)
    assert [row[0] for row in found] == ["Female 700 rows (1,600)", "Female", "Female", "Male 1,300 rows (3,200)"]
    assert found[1] == [
        "Female",
        "difference in positive proportions",
        "● drift",
        "0.240 (0.210 to 0.270)",
        "0.160 (0.140 to 0.180)",
        "moved by 0.080",
    ]
    assert found[2][2:] == ["– not judged", "–", "–", "fewer than 50 positive predictions"]
    assert "Labels are not awaited: true and false positive rates" in content


def test_bias_by_labels_is_shown_of_the_last_labelled_window() -> None:
    known = quality(labelled(0, bias=BY_GROUP))
    content = bias(line(report(0), replace(report(1, quality=known), bias=BY_GROUP)))
    assert "By predictions, window of 01:00 on 1 March 2026" in content
    assert "By labels, window of 00:00 on 1 March 2026" in content
    waiting = replace(report(0, quality=quality(labelled(0, None))), bias=BY_GROUP)
    assert "No labels yet: true and false positive rates" in bias(line(waiting))


def test_bias_that_could_not_be_judged_has_its_reason() -> None:
    assert f"not judged: few {SAFE}." in bias(line(replace(report(0), bias=BiasReport(reason=because(f"few {NASTY}")))))


def test_attribution_shows_order_and_changes_of_rank() -> None:
    content = attribution(line(replace(report(0), attribution=RESTS_ON)))
    assert rows(content) == [
        ["hours-per-week", "1 ▲ 3", "4", "0.910", "0.320"],
        ["age", "2 ▼ 1", "1", "0.660", "0.710"],
    ]
    assert "the order of the features: NDCG 0.871 (1 is the order of the test set; below 0.9 is drift)." in content


def test_attribution_that_failed_has_its_reason() -> None:
    failed = AttributionReport(reason=because(f"no model {NASTY}"))
    assert f"not judged: no model {SAFE}." in attribution(line(replace(report(0), attribution=failed)))


def test_parts_that_are_switched_off_are_left_out_of_the_page(tmp_path: Path) -> None:
    page = build(write(tmp_path / "results", report(0)), tmp_path / "out").read_text(encoding="utf-8")
    assert [name for name in ("accuracies", "shifts") if f'id="{name}"' not in page] == []
    assert [name for name in ("ground-truth", "measures", "bias", "attribution") if f'id="{name}"' in page] == []
    assert "switched off" not in page


def test_a_whole_day_fills_every_section_and_leads_with_what_is_wrong(tmp_path: Path) -> None:
    page = build(write(tmp_path / "results", *day()), tmp_path / "out").read_text(encoding="utf-8")
    for name in ("accuracies", "shifts", "ground-truth", "measures", "bias", "attribution"):
        assert f'<section id="{name}">' in page
    assert '<h1 class="alert">Drift in 7 of 20 judged windows' in page
    assert "labels show concept shift" in page
    assert "realised accuracy</dt><dd>79.8 %<small>window of 16:00 on 1 March 2026" in page
    assert page.count(html.escape(PROJECTED_ACCURACY_NOTE)) >= 1
    assert start_of(16) in page


def test_quality_that_is_awaited_in_vain_is_shown_at_the_top(tmp_path: Path) -> None:
    waiting = report(0, quality=QualityReport(reason=None, lag_hours=2))
    page = build(write(tmp_path / "results", waiting), tmp_path / "out").read_text(encoding="utf-8")
    assert "<dt>realised accuracy</dt><dd>–<small>no labels yet</small>" in page


def test_labels_of_which_none_can_be_used_are_not_labels_that_have_not_come(tmp_path: Path) -> None:
    reason = ReasonCode.NO_USABLE_LABEL.reason(n_records=5, rejected="5 unknown_label")
    refused = report(0, quality=QualityReport(reason=reason, lag_hours=2))
    page = build(write(tmp_path / "results", refused), tmp_path / "out").read_text(encoding="utf-8")
    assert "<dt>realised accuracy</dt><dd>–<small>no usable label</small>" in page
    assert "none of the 5 label records can be used (5 unknown_label)" in page


def test_quality_that_is_awaited_in_vain_has_a_section(tmp_path: Path) -> None:
    waiting = report(0, quality=QualityReport(reason=None, lag_hours=2))
    page = build(write(tmp_path / "results", waiting), tmp_path / "out").read_text(encoding="utf-8")
    assert "No labels yet that suffice to judge a window" in page
