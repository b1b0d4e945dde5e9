"""What Spark's tasks do, without Spark: rows come out, equal rows are summed, and the kernel's counts come back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from plumbline.contract.records import WindowBounds
from plumbline.drift.data.counts import MAX_DISTINCT, OTHER_LABELS, CategoricalCounts, NumericCounts
from plumbline.drift.read.capture import capture_files, count_folder
from plumbline.drift.read.kernel.partial_counts import Group, KeyTally, LabelTally, PartialCounts
from plumbline.drift.read.kernel.partial_counts_file import to_json
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.s3 import CaptureFile
from plumbline.drift.spark.counting import failure_of, read_files, reject_repeated, suspects_of
from plumbline.drift.spark.rows import RowKind, counts_of, rows_of
from tests.unit.drift.builders import AGE, HOURS, SPECS, WORK, record, write_capture

REFERENCE = {
    AGE.name: NumericCounts.of(np.arange(20.0, 60.0)),
    WORK.name: CategoricalCounts.of(np.array(["Private", "State-gov"], dtype=object)),
    HOURS.name: NumericCounts.of(np.arange(10.0, 50.0)),
}
PLAN = WindowPlan(
    specs=SPECS, reference=REFERENCE, segment=WORK.name, bounds=WindowBounds(None, "2026-11-22T13:00:00Z")
)
WORDS = ("Private", "State-gov", "Never seen", "")


def no_s3() -> Any:
    pytest.fail("a local path needs no S3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        records: list[Any] = [
            record(
                f"{20 + place % 7},{WORDS[(place + number) % 4]},{'forty' if place % 9 == 0 else place / 3}",
                "0.25" if place % 5 else None,
                event_id=f"event {number * 20 + place}",
                time=f"2026-11-22T1{2 + (place == 3)}:30:00Z",
            )
            for place in range(25)
        ]
        variant, hour = "AB"[number // 3], "2026/11/22/12"
        write_capture(tmp_path, [b"{broken", *records], f"ep/{variant}/{hour}/{number}.jsonl")
    return tmp_path


def cut(files: Sequence[tuple[Path, str]], n_tasks: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of several tasks over files in turn."""
    for task in range(n_tasks):
        chosen = files[task::n_tasks]
        columns = {"name": [name for _, name in chosen], "location": [str(file) for file, _ in chosen]}
        yield from read_files(PLAN, no_s3)(iter([pa.RecordBatch.from_pydict(columns)]))


def summed(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    """Stand for Spark's ``groupBy(...).sum()``, in an order of its own."""
    sums: Counter[tuple[str, str, int, bytes]] = Counter()
    for row in pa.Table.from_batches(batches).to_pylist():
        sums[row["kind"], row["segment"], row["feature"], row["value"]] += row["count"]
    rows = [(*key, count) for key, count in sorted(sums.items(), reverse=True)]
    return pa.Table.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], schema=batches[0].schema)


def split(batches: Sequence[pa.RecordBatch]) -> tuple[list[pa.RecordBatch], list[dict[str, Any]]]:
    kept = [batch for batch in batches if batch["kind"][0].as_py() != RowKind.EVENT] if batches else []
    events = [row for batch in batches if batch["kind"][0].as_py() == RowKind.EVENT for row in batch.to_pylist()]
    return kept, events


def repeated(events: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Stand for what Spark finds: the places of hashes that there are several of."""
    counts = Counter(row["value"] for row in events)
    places = [row for row in events if counts[row["value"]] > 1]
    lines = pa.array([row["count"] for row in places], pa.int64())
    return pa.table({"segment": pa.array([row["segment"] for row in places], pa.string()), "line": lines})


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_tasks_add_up_to_what_one_process_counts(folder: Path, n_tasks: int) -> None:
    files = [*capture_files(folder)]
    rows, events = split([batch for batch in cut(files, n_tasks) if batch.num_rows])

    counts = counts_of(summed(rows), PLAN)

    assert len(events) == counts.n_used
    places = [CaptureFile(name, str(file), 1) for file, name in files]
    reject_repeated(counts, suspects_of(repeated(events)), places, PLAN, no_s3)
    assert to_json(counts) == to_json(count_folder(folder, PLAN))
    assert counts.n_used < len(events)


def test_lines_of_one_event_are_suspects(folder: Path) -> None:
    _, events = split([batch for batch in cut([*capture_files(folder)], 2) if batch.num_rows])

    suspects = suspects_of(repeated(events))

    # Each file begins with the five events that the one before it ends with, but for one outside the window.
    assert {name[-7:] for name in suspects} == {f"{number}.jsonl" for number in range(6)}
    assert sum(map(len, suspects.values())) == 2 * 4 * 5
    assert all(lines.tolist() == sorted(lines) for lines in suspects.values())


def test_a_task_without_files_counts_nothing() -> None:
    rows, events = split([batch for batch in read_files(PLAN, no_s3)(iter([])) if batch.num_rows])

    assert to_json(counts_of(summed(rows), PLAN)) == to_json(PartialCounts())
    assert events == []


def many(first: int) -> PartialCounts:
    """Counts of so many distinct numbers, labels and rows that each had to be collapsed."""
    counts, n = PartialCounts(), MAX_DISTINCT + 10
    group = counts.group(Group("A", OTHER_LABELS), PLAN)
    group.n_rows = n
    for column in (*group.columns, None):
        values = counts.repetition if column is None else column.values
        if isinstance(values, KeyTally):
            values.add(np.arange(first, first + n).astype(values.keys.dtype), np.ones(n, dtype=np.int64))
        elif isinstance(values, LabelTally):
            values.add({str(first + number): 1 for number in range(n)} | {"Private": 3})
    return counts


def test_collapsed_counts_survive_and_meet_exact_ones() -> None:
    few = PartialCounts()
    few.group(Group("A", OTHER_LABELS), PLAN).columns[0].values.add(np.array([0.5]), np.array([2]))  # type: ignore[call-arg,arg-type]
    parts = [many(0), few, many(1000)]

    counts = counts_of(summed([batch for part in parts for batch in rows_of(part) if batch.num_rows]), PLAN)

    whole = PartialCounts()
    for part in (many(0), few, many(1000)):
        whole.merge(part, PLAN)
    assert to_json(counts) == to_json(whole)
    assert counts.groups[Group("A", OTHER_LABELS)].columns[0].values.is_collapsed


SPARKS_WORDS = """[PYTHON_EXCEPTION] An exception was thrown from the Python worker: Traceback (most recent call last):
  File "counting.py", line 1, in read
    raise ConfigError(
drift.errors.ConfigError: s3://bucket/a must be readable, got 403; check the monitoring role's rights
 SQLSTATE: 38000
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SPARKS_WORDS, "s3://bucket/a must be readable, got 403; check the monitoring role's rights"),
        (
            "Job aborted: lost executor 1\nDriver stacktrace:\n\tat scala.X",
            "Spark must read every capture file, got 'Job aborted: lost executor 1'; see the job's log",
        ),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_operator(text: str, message: str) -> None:
    assert str(failure_of(text)) == message
