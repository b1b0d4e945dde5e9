"""Several variants of one endpoint: each is judged by its own records and labels, and shadows answer nobody."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.names import Metric
from plumbline.contract.quality import WindowQuality
from plumbline.contract.records import DriftReport, Verdict
from plumbline.drift.report.metrics import of_report
from plumbline.drift.run import monitor
from plumbline.drift.settings.run import LabelSource, OptionalAnalyses
from tests.contract.schemas import DRIFT_REPORT
from tests.contract.test_reports_match_schemas import assert_valid, strict
from tests.unit.drift.builders import record, write_capture
from tests.unit.drift.ground_truth.builders import label, write_labels
from tests.unit.drift.test_run import probability, reference, rows

__all__ = ["reference"]

Rows = Sequence[Sequence[str]]
Answer = Callable[[Sequence[str]], str]


def turned(row: Sequence[str]) -> str:
    """The answer of a model that has everything the wrong way round."""
    return repr(1 - int(row[2]) / 80)


def captured(
    folder: Path,
    variant: str,
    content: Rows,
    answer: Answer = probability,
    *,
    first: int = 0,
    event: str | None = None,
    times: int = 1,
) -> None:
    """Records of one variant: requests have inference ids by number, and event ids of the variant's own or shared."""
    records = []
    for number, row in enumerate(content, first):
        one = record(", ".join(row[:-1]), answer(row), event_id=f"{event or variant}-{number}")
        one["eventMetadata"]["inferenceId"] = f"request-{number}"
        records += [one] * times
    write_capture(folder / "capture", records, f"ep/{variant}/2026/11/22/12/30-00-000-a.jsonl")


def labelled(folder: Path, content: Rows) -> None:
    records = [label(f"request-{number}", row[-1]) for number, row in enumerate(content)]
    write_labels(folder, records, "labels/2026/11/22/13/labels.jsonl")


def judged(folder: Path, reference: Path, variant: str | None = None) -> DriftReport:
    source = LabelSource(labels=str(folder / "labels"), captures=str(folder / "capture"), merged=str(folder / "merged"))
    has_labels = (folder / "labels").exists()
    return monitor(
        dataset_source=folder / "capture",
        baseline=reference / "baseline",
        output=folder / "out",
        start_time="2026-11-22T12:00:00Z",
        end_time="2026-11-22T13:00:00Z",
        variant=variant,
        analyses=OptionalAnalyses(labels=source if has_labels else None),
    )


def accuracy(window: WindowQuality) -> float:
    value = window.measure(Measure.ACCURACY).value
    assert value is not None
    return value


def roles(report: DriftReport) -> dict[str, str]:
    return {one.variant: str(one.role) for one in report.variants}


@pytest.mark.parametrize(
    ("production", "shadow", "event"),
    [
        ("AllTraffic", "Shadow-01", None),
        ("AllTraffic", "Shadow-01", "same"),
        ("blue", "my-shadow-variant", "same"),
        ("AllTraffic", "candidate", None),
        ("variant-1", "ShadowVariant", None),
    ],
)
def test_a_shadows_answers_count_for_nothing(
    tmp_path: Path, reference: Path, production: str, shadow: str, event: str | None
) -> None:
    content = rows(5, 1200)
    captured(tmp_path, production, content, event=event)
    captured(tmp_path, shadow, content, turned, event=event)
    labelled(tmp_path, content)

    report = judged(tmp_path, reference)

    assert report.variant == production
    assert roles(report) == {production: "production", shadow: "shadow"}
    assert report.verdict is Verdict.NO_DRIFT
    assert report.records.rejected == {}
    assert report.records.read == report.n_rows == 1200
    assert report.quality.windows[-1].shift(Shift.CONCEPT).verdict is not Verdict.DRIFT
    assert report.quality.labels.used == 1200
    of_shadow = report.quality.variants[shadow][-1]
    assert accuracy(of_shadow) == pytest.approx(1 - accuracy(report.quality.windows[-1]), abs=0.2)
    assert of_shadow.verdict is Verdict.DRIFT
    merged = {path.relative_to(tmp_path / "merged").parts[1] for path in (tmp_path / "merged").rglob("*.jsonl")}
    assert merged == {production}
    assert_valid(strict((tmp_path / "out" / "drift_report.json").read_text()), DRIFT_REPORT)

    alone = judged(tmp_path, reference, variant=production)
    assert (report.features, report.prediction) == (alone.features, alone.prediction)
    assert report.projected_accuracy == alone.projected_accuracy
    assert report.quality.windows == alone.quality.windows


def test_of_equal_answers_nobody_knows_which_callers_saw(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 1200)
    captured(tmp_path, "blue", content)
    captured(tmp_path, "green", content, turned)
    labelled(tmp_path, content)

    report = judged(tmp_path, reference)

    assert (report.verdict, report.variant) == (Verdict.NOT_JUDGED, None)
    assert str(report.reason).startswith("the variants blue and green answered the same requests")
    assert roles(report) == {"blue": "unknown", "green": "unknown"}
    assert {one.variant: one.verdict for one in report.variants}["blue"] is Verdict.NO_DRIFT
    assert report.quality.latest_judged is None
    assert {name: windows[-1].verdict for name, windows in report.quality.variants.items()} == {
        "blue": Verdict.NO_DRIFT,
        "green": Verdict.DRIFT,
    }


def test_what_got_a_part_of_the_requests_copied_is_a_shadow(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 1200)
    captured(tmp_path, "blue", content)
    captured(tmp_path, "green", content[:600], turned)

    report = judged(tmp_path, reference)

    assert report.variant == "blue"
    assert roles(report) == {"blue": "production", "green": "shadow"}
    assert report.n_rows == 1200


def test_variants_that_share_traffic_are_judged_apart_and_none_is_overlooked(tmp_path: Path, reference: Path) -> None:
    captured(tmp_path, "blue", rows(5, 900))
    captured(tmp_path, "green", rows(6, 700, later=9), first=2000)

    report = judged(tmp_path, reference)

    assert report.variant == "blue"
    assert roles(report) == {"blue": "production", "green": "production"}
    assert (report.n_rows, report.drifted_features) == (900, ())
    blue, green = report.variants
    assert (blue.verdict, green.verdict, green.n_rows) == (Verdict.NO_DRIFT, Verdict.DRIFT, 700)
    assert report.verdict is Verdict.DRIFT
    assert report.reason is not None
    assert report.reason.code == "variant_drifted"
    assert str(report.reason).startswith("variant green: drift in hours")
    violations = json.loads((tmp_path / "out" / "constraint_violations.json").read_text())["violations"]
    assert "hours" in {violation["feature_name"] for violation in violations}
    assert all(violation["description"].endswith("variant green") for violation in violations)
    assert {value.metric: value.value for value in of_report(report)}[Metric.DRIFT_VERDICT] == 1


def test_a_variant_with_too_few_rows_is_named(tmp_path: Path, reference: Path) -> None:
    captured(tmp_path, "blue", rows(5, 900))
    captured(tmp_path, "green", rows(6, 20), first=2000)

    report = judged(tmp_path, reference)

    assert (report.verdict, report.variant) == (Verdict.NO_DRIFT, "blue")
    assert "variant green is not judged: 20 rows" in str(report.reason)


def test_the_accuracy_of_every_production_variant_counts(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 1500)
    captured(tmp_path, "blue", content[:900])
    captured(tmp_path, "green", content[900:], turned, first=900)
    labelled(tmp_path, content)

    report = judged(tmp_path, reference)

    assert report.quality.windows[-1].verdict is Verdict.NO_DRIFT
    figures = {value.metric: value.value for value in of_report(report)}
    assert figures[Metric.REALISED_ACCURACY_DROP] == 1
    assert figures[Metric.REALISED_ACCURACY] == accuracy(report.quality.windows[-1])


def test_an_event_is_one_of_its_variant(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 400)
    captured(tmp_path, "AllTraffic", content, event="same", times=2)
    captured(tmp_path, "Shadow-01", content, turned, event="same")

    report = judged(tmp_path, reference)

    assert {one.variant: (one.records.used, dict(one.records.rejected)) for one in report.variants} == {
        "AllTraffic": (400, {"duplicate_event_id": 400}),
        "Shadow-01": (400, {}),
    }


def test_a_shadow_does_not_stand_in_for_production(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 600)
    write_capture(tmp_path / "capture", [b"{cut off"] * 3, "ep/AllTraffic/2026/11/22/12/30-00-000-a.jsonl")
    captured(tmp_path, "Shadow-01", content, turned)
    labelled(tmp_path, content)

    report = judged(tmp_path, reference)

    assert (report.variant, report.verdict) == ("AllTraffic", Verdict.NOT_JUDGED)
    assert report.reason is not None
    assert report.reason.code in {"no_usable_record", "rejected_fraction"}
    assert roles(report) == {"AllTraffic": "production", "Shadow-01": "shadow"}
    assert report.quality.latest_judged is None


def test_a_chosen_variant_is_judged_alone(tmp_path: Path, reference: Path) -> None:
    content = rows(5, 400)
    captured(tmp_path, "blue", content)
    captured(tmp_path, "green", content, turned)

    report = judged(tmp_path, reference, variant="green")

    assert report.variants == ()
    assert report.records.rejected == {"other_variant": 400}


def test_one_variant_is_the_window(tmp_path: Path, reference: Path) -> None:
    captured(tmp_path, "Shadow-01", rows(5, 400))

    report = judged(tmp_path, reference)

    assert (report.variant, report.variants, report.verdict) == (None, (), Verdict.NO_DRIFT)
