"""The windows that labels are waited for, from folders and from S3."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError

from plumbline.contract.quality import QualityReport
from plumbline.contract.records import Verdict, WindowBounds
from plumbline.drift.data.table import table
from plumbline.drift.ground_truth.backfill import backfill_of, quality_report, windows_awaiting_labels
from plumbline.drift.read.capture import plan_of
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.learn import learn
from plumbline.drift.settings.run import LabelSource
from tests.unit.drift.builders import SPECS, record
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.ground_truth.builders import label
from tests.unit.drift.ground_truth.test_quality import CONTEXT, Believer, Population

POPULATION = Population.drawn(2_000, 1)
BASELINE = POPULATION.baseline()
NOW = WindowBounds("2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z")


def capture(hour: int, n: int = 300) -> str:
    rows = Population.drawn(n, hour)
    lines = [
        json.dumps(
            record(",".join(map(str, row)), f"{score}\n", event_id=f"{hour}-{number}", time=f"2026-11-22T{hour}:30:00Z")
        )
        for number, (row, score) in enumerate(zip(rows.rows, rows.scores, strict=True))
    ]
    return "\n".join(lines)


def labels(hour: int, n: int = 300) -> str:
    rows = Population.drawn(n, hour)
    return "\n".join(json.dumps(label(f"{hour}-{number}", text)) for number, text in enumerate(rows.labels))


OBJECTS = {
    **{f"capture/ep/AllTraffic/2026/11/22/{hour}/30-00-000-a.jsonl": capture(hour) for hour in (11, 12, 13, 14)},
    "ground-truth/ep/2026/11/22/13/first.jsonl": labels(12) + "\n" + json.dumps(label("stranger", ">50K")),
    "ground-truth/ep/2026/11/22/14/second.jsonl": labels(13, 200),
    "ground-truth/ep/2026/11/22/15/too-late-for-this-run.jsonl": labels(14),
}
SOURCE = LabelSource(
    labels="s3://bucket/ground-truth/ep",
    captures="s3://bucket/capture/ep",
    lag_hours=2,
    merged="s3://bucket/merged",
)


def report(source: LabelSource, s3: FakeS3, bounds: WindowBounds = NOW, baseline: Baseline = BASELINE) -> QualityReport:
    context = replace(CONTEXT, label_lag_hours=source.lag_hours, endpoint="ep")
    backfill = backfill_of(source, connect=s3, plan=plan_of(baseline, bounds), context=context)
    return quality_report(backfill, baseline, Believer())


def test_each_window_of_the_lag_is_judged_with_the_labels_that_came() -> None:
    s3 = FakeS3(OBJECTS)
    found = report(SOURCE, s3)
    assert found.reason is None
    told = [(window.window.start, window.n_labelled, window.is_final, window.verdict) for window in found.windows]
    assert told == [
        ("2026-11-22T12:00:00Z", 300, True, Verdict.NO_DRIFT),
        ("2026-11-22T13:00:00Z", 200, False, Verdict.NO_DRIFT),
        ("2026-11-22T14:00:00Z", 0, False, Verdict.NOT_JUDGED),
    ]
    assert (found.labels.read, found.labels.used) == (501, 500)
    assert found.labels.rejected == {"no_captured_record": 1}
    assert found.labels.examples["no_captured_record"] == ("2026/11/22/13/first.jsonl:301",)
    assert found.latest_final == found.windows[0]
    assert found.latest_judged == found.windows[1]
    assert {key: text.count("\n") for key, text in s3.stored.items()} == {
        "merged/ep/AllTraffic/2026/11/22/12/part-00000.jsonl": 300,
        "merged/ep/AllTraffic/2026/11/22/13/part-00000.jsonl": 200,
    }


def test_labels_that_came_and_cannot_be_used_are_not_labels_that_have_not_come() -> None:
    unknown = "\n".join(json.dumps(label(f"13-{number}", "lots")) for number in range(300))
    captures = {key: text for key, text in OBJECTS.items() if key.startswith("capture/")}

    found = report(SOURCE, FakeS3({**captures, "ground-truth/ep/2026/11/22/14/a.jsonl": unknown}))
    assert (found.reason and found.reason.code) == "no_usable_label"
    assert str(found.reason) == "none of the 300 label records can be used (300 unknown_label)"
    told = [(window.reason and window.reason.code) for window in found.windows]
    assert told == ["no_usable_label", "labels_rejected", "no_usable_label"]
    assert str(found.windows[1].reason) == (
        "labels came for 300 requests, and none of them can be used (300 unknown_label)"
    )

    some = {"ground-truth/ep/2026/11/22/13/a.jsonl": labels(12), "ground-truth/ep/2026/11/22/14/a.jsonl": unknown}
    told = [(window.reason and window.reason.code) for window in report(SOURCE, FakeS3({**captures, **some})).windows]
    assert told == ["accuracy_within_chance", "labels_rejected", "no_labels_yet"]

    strangers = json.dumps(label("stranger", ">50K"))
    found = report(SOURCE, FakeS3({**captures, "ground-truth/ep/2026/11/22/14/a.jsonl": strangers}))
    assert str(found.reason) == "none of the 1 label records can be used (1 no_captured_record)"


def test_a_run_again_says_the_same_and_stores_the_same_bytes() -> None:
    first, second = FakeS3(OBJECTS), FakeS3(dict(reversed(OBJECTS.items())))
    assert report(SOURCE, first) == report(SOURCE, second)
    assert first.stored == second.stored


def test_folders_give_what_prefixes_give(tmp_path: Path) -> None:
    for key, text in OBJECTS.items():
        if "too-late" not in key:
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_text(text)
    source = LabelSource(
        labels=str(tmp_path / "ground-truth"),
        captures=str(tmp_path / "capture"),
        lag_hours=2,
        merged=str(tmp_path / "merged"),
    )
    s3 = FakeS3(OBJECTS)
    found, expected = report(source, FakeS3({})), report(SOURCE, s3)
    assert found.windows == expected.windows
    for key, text in s3.stored.items():
        assert (tmp_path / key).read_text() == text


@pytest.mark.parametrize(
    ("source", "bounds", "reason"),
    [
        (SOURCE, WindowBounds(), "the window must have times for its labels to be found in S3"),
        (LabelSource(labels="/nowhere", captures="/nowhere"), NOW, "dataset_source must be a folder of capture files"),
    ],
)
def test_labels_that_cannot_be_read_are_told_and_stop_nothing(
    source: LabelSource, bounds: WindowBounds, reason: str
) -> None:
    found = report(source, FakeS3(OBJECTS), bounds)
    assert str(found.reason).startswith(f"labels or captures could not be read: {reason}")
    assert found.windows == ()


def test_labels_that_may_not_be_read_are_told() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")
    found = report(SOURCE, FakeS3(OBJECTS, denied))
    assert "check the URI and the monitoring role's rights" in str(found.reason)


def test_a_fault_of_ours_takes_no_verdict_with_it() -> None:
    class BrokenPlan(WindowPlan):
        def within(self, bounds: WindowBounds) -> Self:
            raise ZeroDivisionError("by zero")

    context = replace(CONTEXT, label_lag_hours=SOURCE.lag_hours)
    plan = BrokenPlan(specs=BASELINE.specs, reference=BASELINE.counts, bounds=NOW)
    found = quality_report(
        backfill_of(SOURCE, connect=FakeS3(OBJECTS), plan=plan, context=context), BASELINE, Believer()
    )
    assert (str(found.reason), found.windows) == (
        "internal fault: ZeroDivisionError: by zero; the run's log has the traceback",
        (),
    )


def test_merged_records_that_cannot_be_kept_are_told_beside_the_verdicts(tmp_path: Path) -> None:
    (tmp_path / "merged").write_text("a file, not a folder")
    source = LabelSource(labels=SOURCE.labels, captures=SOURCE.captures, lag_hours=0, merged=str(tmp_path / "merged"))
    bounds = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T14:00:00Z")
    found = report(source, FakeS3(OBJECTS), bounds)
    assert str(found.reason).startswith("captures joined with labels could not be kept: ")
    assert [window.n_labelled for window in found.windows] == [300]


def refusing(**changes: Any) -> Mapping[str, Any]:
    rows = table(SPECS, POPULATION.rows)
    return {"train": rows, "target_label": "income", **changes}


def test_a_target_that_labels_cannot_judge_is_refused_before_anything_is_read() -> None:
    bare = learn(**refusing())
    assert str(report(SOURCE, FakeS3({}), baseline=bare).reason).startswith("the baseline has no labelled test set")
    rows = table(SPECS, POPULATION.rows)
    numeric = learn(**refusing(test=rows, test_labels=[str(number) for number in range(rows.n_rows)]))
    assert str(report(SOURCE, FakeS3({}), baseline=numeric).reason).startswith("the target is a number")


def test_the_lag_is_rounded_up_to_whole_windows() -> None:
    day = WindowBounds("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")
    assert [window.start for window in windows_awaiting_labels(day, 25)] == [
        "2026-11-20T00:00:00Z",
        "2026-11-21T00:00:00Z",
        "2026-11-22T00:00:00Z",
    ]
    assert windows_awaiting_labels(day, 0) == [day]
    assert windows_awaiting_labels(WindowBounds(), 5) == [WindowBounds()]
