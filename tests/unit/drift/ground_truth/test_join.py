import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumbline.contract.records import RecordCounts, WindowBounds
from plumbline.drift.data.table import table
from plumbline.drift.ground_truth import merged
from plumbline.drift.ground_truth.join import JoinedWindow, join
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.ground_truth.merged import write_merged
from plumbline.drift.read.capture import capture_files, plan_of
from plumbline.drift.read.kernel import files as kernel_files
from plumbline.drift.read.kernel import records as kernel_records
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS, record, write_capture
from tests.unit.drift.ground_truth.builders import label, write_labels

HOUR = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")
ROWS = table(SPECS, [(17.0, "Private", 1.0), (90.0, "Self", 99.0)])
BASELINE = learn(
    train=ROWS, target_label="income", test=ROWS, test_labels=["<=50K", ">50K"], probabilities=np.array([0.2, 0.8])
)
CLASSES = Classes(("<=50K", ">50K"))


def captured(event_id: str, rows: str, answers: str, inference_id: str | None = None, **more: Any) -> dict[str, Any]:
    entry = record(rows, answers, event_id=event_id, **more)
    if inference_id:
        entry["eventMetadata"]["inferenceId"] = inference_id
    return entry


def joined(capture: Path, labels: Path, bounds: WindowBounds = HOUR, **choices: Any) -> tuple[JoinedWindow, LabelBook]:
    book = LabelBook(CLASSES)
    book.read(capture_files(labels))
    plan = plan_of(BASELINE, bounds, **choices)
    # What is kept of a window are the records of every variant that may have answered callers.
    return join(capture_files(capture), plan, book).answered, book


def ages(window: JoinedWindow) -> dict[str, list[float]]:
    parts = {**window.by_label, "all": window.labelled, "none": window.unlabelled}
    return {
        name: np.repeat(part.columns["age"].values, part.columns["age"].counts).tolist() for name, part in parts.items()
    }


def test_each_row_is_counted_under_its_label(tmp_path: Path) -> None:
    capture = write_capture(
        tmp_path / "capture",
        [
            captured("e1", "41,Private,40", "0.7"),
            captured("e2", "42,Private,40\n43,Self,40\n44,Self,40", "0.1\n0.2\n0.9", inference_id="i2"),
            captured("e3", "45,Private,40", "0.4"),
            captured("e4", "46,Private", "0.4"),
            captured("e5", "47,Private,40", "0.4", time="2026-11-22T13:00:00Z"),
        ],
    )
    labels = write_labels(
        tmp_path / "labels",
        [label("e1", ">50K"), label("i2", "<=50K\n?\n>50K"), label("e4", ">50K"), label("e5", ">50K")],
    )
    found, book = joined(capture, labels, facet="workclass")
    assert ages(found) == {"<=50K": [42.0], ">50K": [41.0, 44.0], "all": [41.0, 42.0, 44.0], "none": [43.0, 45.0]}
    assert (found.n_rows, found.labelled_fraction) == (5, 0.6)
    assert found.by_label[">50K"].probabilities.values.tolist() == [0.7, 0.9]
    assert {value: part.values.tolist() for value, part in found.by_label[">50K"].facets.items()} == {
        "Private": [0.7],
        "Self": [0.9],
    }
    assert book.account().rejected == {"no_captured_record": 2}
    assert found.records == RecordCounts(5, 3, {"field_count": 1, "outside_window": 1})
    assert found.matches == {"ep/AllTraffic/2026/11/22/12/a.jsonl": [(1, (1,)), (2, (0, -1, 1))]}


def test_an_event_that_was_captured_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_files, "_BATCH_RECORDS", 2)
    same = [captured("e1", f"{age},Private,40", "0.7") for age in (41, 42, 43)]
    odd = captured("e1", '"44",Private,40', "0.7")
    capture = write_capture(tmp_path / "capture", [odd, *same[:2]], "ep/A/2026/11/22/12/a.jsonl")
    write_capture(tmp_path / "capture", same[2:], "ep/A/2026/11/22/12/b.jsonl")
    found, _ = joined(capture, write_labels(tmp_path / "labels", [label("e1", ">50K")]))
    assert ages(found) == {">50K": [44.0], "all": [44.0], "none": []}


def test_a_window_without_records_has_no_coverage(tmp_path: Path) -> None:
    (tmp_path / "capture").mkdir()
    found, book = joined(tmp_path / "capture", write_labels(tmp_path / "labels", [label("e1", ">50K")]))
    assert (found.n_rows, found.labelled_fraction, found.by_label) == (0, None, {})
    assert book.account().rejected == {"no_captured_record": 1}


def merge(tmp_path: Path, bounds: WindowBounds, output: str) -> dict[str, list[Mapping[str, Any]]]:
    found, _ = joined(tmp_path / "capture", tmp_path / "labels", bounds)
    files = {name: path for path, name in capture_files(tmp_path / "capture")}
    written = write_merged(tmp_path / output, files, found, CLASSES, "ep")
    assert written == sorted(path for path in (tmp_path / output).rglob("*") if path.is_file())
    return {
        path.relative_to(tmp_path / output).as_posix(): [json.loads(line) for line in path.read_text().splitlines()]
        for path in written
    }


def test_merged_records_lie_where_sagemaker_puts_them(tmp_path: Path) -> None:
    first, second = captured("e1", "41,Private,40", "0.7"), captured("e2", "42,Private,40\n43,Self,4", "0.1\n0.2")
    write_capture(tmp_path / "capture", [first, captured("e3", "45,Private,40", "0.4")])
    write_capture(tmp_path / "capture", [b"\xef\xbb\xbf" + json.dumps(second).encode()], "ep/B/2026/11/22/12/b.jsonl")
    write_labels(tmp_path / "labels", [label("e1", " 1e9 "), label("e1", ">50K"), label("e2", "<=50K\n")])
    write_labels(tmp_path / "labels", [label("e2", "\n>50K")], "2026/11/23/00/late.jsonl")
    found = merge(tmp_path, HOUR, "merged")
    assert found == {
        "ep/AllTraffic/2026/11/22/12/part-00000.jsonl": [
            {**first, "groundTruthData": {"data": ">50K", "encoding": "CSV"}}
        ],
        "ep/B/2026/11/22/12/part-00000.jsonl": [{**second, "groundTruthData": {"data": "\n>50K", "encoding": "CSV"}}],
    }
    again = merge(tmp_path, HOUR, "again")
    assert again == found
    for name in found:
        assert (tmp_path / "merged" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_records_of_a_shadow_are_not_kept(tmp_path: Path) -> None:
    for variant, answer in (("AllTraffic", "0.7"), ("Shadow-01", "0.1")):
        same = captured("e1", "41,Private,40", answer, inference_id="i1")
        write_capture(tmp_path / "capture", [same], f"ep/{variant}/2026/11/22/12/a.jsonl")
    write_labels(tmp_path / "labels", [label("i1", ">50K")])
    (name,) = merge(tmp_path, HOUR, "merged")
    assert name.startswith("ep/AllTraffic/")
    window, book = joined(tmp_path / "capture", tmp_path / "labels")
    assert window.labelled.probabilities.values.tolist() == [0.7]
    assert (book.account().read, book.account().used) == (1, 1)


def test_merged_records_survive_the_bounds_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "blocks", lambda path: kernel_records.blocks(path, 1))
    write_capture(tmp_path / "capture", [captured(f"e{n}", "41,Private,40", "0.7") for n in range(5)])
    write_labels(tmp_path / "labels", [label(f"e{n}", ">50K") for n in range(5)])
    (records,) = merge(tmp_path, HOUR, "merged").values()
    assert [record["eventMetadata"]["eventId"] for record in records] == ["e0", "e1", "e2", "e3", "e4"]


def test_windows_that_begin_within_an_hour_do_not_overwrite_each_other(tmp_path: Path) -> None:
    write_capture(
        tmp_path / "capture",
        [
            captured("e1", "41,Private,40", "0.7", time="2026-11-22T12:29:00Z"),
            captured("e2", "42,Private,40", "0.7", time="2026-11-22T12:31:00Z"),
        ],
    )
    write_labels(tmp_path / "labels", [label("e1", ">50K"), label("e2", ">50K")])
    merge(tmp_path, WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T12:30:00Z"), "merged")
    names = merge(tmp_path, WindowBounds("2026-11-22T12:30:00Z", "2026-11-22T13:00:00Z"), "merged2")
    assert [*names] == ["ep/AllTraffic/2026/11/22/12/part-30000.jsonl"]


def test_a_record_without_a_time_is_kept_apart(tmp_path: Path) -> None:
    write_capture(tmp_path / "capture", [captured("e1", "41,Private,40", "0.7", time=None)], "plain.jsonl")
    write_labels(tmp_path / "labels", [label("e1", ">50K")])
    assert [*merge(tmp_path, WindowBounds(), "merged")] == ["ep/AllTraffic/no-time/part-00000.jsonl"]
