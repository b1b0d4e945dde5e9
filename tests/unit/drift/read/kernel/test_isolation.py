"""One record never stops a window: whatever step fails on it, it alone is rejected, and the others count as ever."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plumbline.contract.rejection import LabelRejectionReason, RejectionReason
from plumbline.drift.data.table import table
from plumbline.drift.ground_truth import labels
from plumbline.drift.ground_truth.labels import Classes, LabelBook
from plumbline.drift.read.capture import capture_files, count_folder, plan_of
from plumbline.drift.read.kernel import batches, columns, files, isolation, records
from plumbline.drift.read.kernel.partial_counts import PartialCounts
from plumbline.drift.read.kernel.partial_counts_file import to_json
from plumbline.drift.reference.learn import learn
from tests.unit.drift.builders import SPECS, record, side, write_capture

BASELINE = learn(train=table(SPECS, [(17.0, "Private", 1.0), (90.0, "Self", 99.0)]), target_label="income")
PLAN = plan_of(BASELINE)
POISON = "666.5"
"""No part of an address in an object's repr, which has no point."""


def rows(*, poison_at: int | None = None, n: int = 40) -> list[dict[str, Any]]:
    """JSON and quoted CSV requests in turn; one of them has the age that a patched step fails on."""
    entries = []
    for number in range(n):
        age = POISON if number == poison_at else str(17 + number)
        request = f'"{age}",Private,40' if number % 2 else side(f'[[{age},"Private",40]]', "JSON")
        entries.append(record(request, event_id=f"e{number}"))
    return entries


@pytest.fixture(autouse=True)
def nothing_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_logged", set())


def failing(real: Callable[..., Any]) -> Callable[..., Any]:
    """The real step, which fails where the poison is in what it is given."""

    def step(*given: Any, **named: Any) -> Any:
        if POISON in repr(given):
            raise ZeroDivisionError(f"a fault of ours: {POISON}")
        return real(*given, **named)

    return step


STEPS: list[tuple[Any, str]] = [
    (records, "_parse_line"),
    (batches, "decode_input"),
    (batches, "decode_output"),
    (batches, "_fast_rows"),
    (columns, "_cell"),
]


@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("position", [0, 17, 18, 39])
def test_the_record_that_a_step_fails_on_is_rejected_alone(
    module: Any, name: str, position: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = rows(poison_at=position)
    # The slow ways too: a line that is no record makes each line of the block be read on its own.
    write_capture(tmp_path / "with", [*entries, b"no record"])
    if name == "decode_output":
        entries[position] = record(response=side(POISON, "JSON"), event_id="e")
        write_capture(tmp_path / "with", [*entries, b"no record"])
    write_capture(tmp_path / "without", [entry for number, entry in enumerate(entries) if number != position])
    expected = count_folder(tmp_path / "without", PLAN)
    real = getattr(module, name)
    monkeypatch.setattr(module, name, failing(real))
    if name == "_cell":  # numbers that Arrow reads do not come there
        monkeypatch.setattr(columns, "_numbers", failing(columns._numbers))
    found = count_folder(tmp_path / "with", PLAN)
    assert dict(found.rejected) == {RejectionReason.NOT_JSON: 1, RejectionReason.INTERNAL_FAULT: 1}
    assert [place.line for place in found.examples[RejectionReason.INTERNAL_FAULT].first] == [position + 1]
    found.rejected.clear()
    found.examples.clear()
    assert to_json(found) == to_json(expected)


def test_the_log_has_the_traceback_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_capture(tmp_path, [record(f"{POISON},Private,40", event_id=f"e{number}") for number in range(30)])
    monkeypatch.setattr(files, "count_batch", failing(files.count_batch))
    monkeypatch.setattr(columns.ColumnReader, "read", failing(columns.ColumnReader.read))
    with caplog.at_level(logging.ERROR):
        found = count_folder(tmp_path, PLAN)
    assert (found.n_used, dict(found.rejected)) == (0, {RejectionReason.INTERNAL_FAULT: 30})
    (entry,) = caplog.records
    assert entry.exc_info is not None
    assert entry.exc_info[0] is ZeroDivisionError
    assert "ZeroDivisionError at " in entry.getMessage()


def test_a_step_that_fails_for_many_records_and_for_none_alone_costs_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_capture(tmp_path, rows())
    expected = to_json(count_folder(tmp_path, PLAN))

    def few(counts: PartialCounts, batch: batches.Batch, *rest: Any, real: Any = files.count_batch) -> None:
        if len(batch.positions) > 3:
            raise MemoryError
        real(counts, batch, *rest)

    monkeypatch.setattr(files, "count_batch", few)
    assert to_json(count_folder(tmp_path, PLAN)) == expected


def test_a_step_that_fails_midway_counts_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_capture(tmp_path, rows())
    expected = to_json(count_folder(tmp_path, PLAN))
    real, failures = files.count_batch, [3]

    def late(counts: PartialCounts, *rest: Any) -> None:
        real(counts, *rest)
        if failures[0]:
            failures[0] -= 1
            raise OverflowError

    monkeypatch.setattr(files, "count_batch", late)
    assert to_json(count_folder(tmp_path, PLAN)) == expected


def test_a_faulty_record_that_was_captured_twice_is_counted_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = record(f"{POISON},Private,40", event_id="twice")
    write_capture(tmp_path, [poison, record(event_id="twice"), record(event_id="twice"), poison])
    monkeypatch.setattr(columns, "_numbers", failing(columns._numbers))
    found = count_folder(tmp_path, PLAN)
    assert found.n_used == 1
    assert dict(found.rejected) == {RejectionReason.INTERNAL_FAULT: 2, RejectionReason.DUPLICATE_EVENT_ID: 1}


def test_a_label_that_a_step_fails_on_is_rejected_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        json.dumps({"groundTruthData": {"data": data, "encoding": "CSV"}, "eventMetadata": {"eventId": data}})
        for data in ("0", POISON, "1")
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr(labels, "parse_label_record", failing(labels.parse_label_record))
    book = LabelBook(Classes(("0", "1")))
    book.read(capture_files(tmp_path))
    assert [book.codes_of([key], 1) for key in ("0", "1")] == [(0,), (1,)]
    assert book.account().rejected == {LabelRejectionReason.INTERNAL_FAULT: 1}


HUGE = "1" + "0" * 310
NUMBERS = [HUGE, f"-{HUGE}", "1e400", "-1e400", "NaN", "Infinity", "1" * 5000, "0." + "1" * 5000, "1e-400", "9" * 20]


@pytest.mark.parametrize("number", NUMBERS, ids=[number[:12] for number in NUMBERS])
@pytest.mark.parametrize("shape", ["{}", "[{}]", '{{"predictions":[{}]}}', '{{"predictions":[{{"score":{}}}]}}'])
def test_a_number_of_any_size_in_an_answer_never_stops_a_window(number: str, shape: str, tmp_path: Path) -> None:
    poison = record(response=side(shape.format(number), "JSON"), event_id="p")
    write_capture(tmp_path, [record(event_id="a"), poison, record(event_id="b")])
    counts = count_folder(tmp_path, PLAN)
    assert counts.n_used + counts.rejected.total() == 3
    assert counts.n_used >= 2
    assert RejectionReason.INTERNAL_FAULT not in counts.rejected


@pytest.mark.parametrize("number", NUMBERS, ids=[number[:12] for number in NUMBERS])
@pytest.mark.parametrize("shape", ["[[{},1,1]]", '[[1,"x",{}]]', '{{"age":{}}}', '{{"workclass":{}}}'])
def test_a_number_of_any_size_in_a_request_never_stops_a_window(number: str, shape: str, tmp_path: Path) -> None:
    poison = record(side(shape.format(number), "JSON"), event_id="p")
    write_capture(tmp_path, [record(event_id="a"), poison, record(event_id="b")])
    counts = count_folder(tmp_path, PLAN)
    assert counts.n_used + counts.rejected.total() == 3
    assert counts.n_used >= 2
    assert RejectionReason.INTERNAL_FAULT not in counts.rejected


def test_what_a_step_rejects_counts_only_once_it_has_ended() -> None:
    rejected: list[int] = []
    given = records.NumberedLines([(1, b""), (2, b""), (3, b"")])

    def step(lines: records.NumberedLines, reject: records.Reject) -> int:
        for number in lines.positions:
            reject(records.Rejected(RejectionReason.NOT_JSON), number)
        if len(lines.positions) > 2:
            raise ValueError
        return len(lines.positions)

    made = isolation.isolated(given, step, lambda _, position: rejected.append(position))
    assert [count for _, count in made] == [1, 2]
    assert rejected == [1, 2, 3]


def test_nothing_to_do_is_nothing_to_reject() -> None:
    def step(lines: records.NumberedLines, _: records.Reject) -> None:
        raise ValueError(lines)

    rejected: list[int] = []
    none = records.NumberedLines([])
    assert [*isolation.isolated(none, step, lambda _, position: rejected.append(position))] == []
    assert rejected == []
