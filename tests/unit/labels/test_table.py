"""A table of labels is read row by row, and no row is lost without a reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plumbline.labels.records import RequestLabels
from plumbline.labels.table import LabelTable, read_labels

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
WRITTEN = NOW - timedelta(minutes=10)


def read(folder: Path, text: str | bytes, suffix: str = ".csv") -> LabelTable:
    path = folder / f"labels{suffix}"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_labels(path, collected=WRITTEN, now=NOW)


def found(table: LabelTable) -> dict[str, tuple[str, ...]]:
    return {request.id: request.labels for request in table.requests if isinstance(request, RequestLabels)}


def test_a_row_is_a_request_with_the_time_of_the_file(tmp_path: Path) -> None:
    table = read(tmp_path, "id,label\na, >50K\nb,<=50K\n")

    assert found(table) == {"a": (">50K",), "b": ("<=50K",)}
    assert {request.collected for request in table.requests} == {WRITTEN}
    assert (table.counts.read, table.counts.used, table.counts.rejected) == (2, 2, {})


def test_columns_may_stand_in_any_order_and_others_are_named(tmp_path: Path) -> None:
    table = read(tmp_path, "\ufeffnote,label,id,customer\nx,1,a,y\n")

    assert found(table) == {"a": ("1",)}
    assert table.unused_columns == ("customer", "note")


def test_of_two_rows_for_one_id_the_later_one_counts(tmp_path: Path) -> None:
    text = "id,label,time\na,late,2026-01-05T10:00:00Z\na,early,2026-01-05T09:00:00Z\nb,0,2026-01-05T09:00:00Z\n"
    table = read(tmp_path, text)

    assert found(table) == {"a": ("late",), "b": ("0",)}
    assert (table.counts.read, table.counts.used, table.counts.rejected) == (3, 2, {"superseded": 1})
    assert table.counts.examples == {"superseded": ("labels.csv:3",)}


@pytest.mark.parametrize(
    "rows",
    [
        "a,1\na,1\n",
        "a,1\na,1.0\n",
        "a,true\na,True\n",
        "a,1\na,1\na,1\n",
        pytest.param("a,1\nid,label\na,1\n", id="the file with its header once more"),
    ],
)
def test_a_file_sent_twice_is_one(tmp_path: Path, rows: str) -> None:
    table = read(tmp_path, f"id,label\n{rows}b,0\n")

    assert {name: len(labels) for name, labels in found(table).items()} == {"a": 1, "b": 1}
    assert table.counts.used == 2
    assert table.counts.rejected["duplicate"] == table.counts.read - 2 - table.counts.rejected.get("not_a_row", 0) > 0
    assert table.contradicted == ()


@pytest.mark.parametrize(
    ("rows", "rejected"),
    [
        ("a,1,,\na,0,,\n", {"contradicted": 2}),
        ("a,1,,2026-01-05T09:00:00Z\na,0,,2026-01-05T10:00:00+01:00\n", {"contradicted": 2}),
        ("a,1,,2026-01-05T09:00:00Z\na,1,,\na,0,,\n", {"superseded": 1, "contradicted": 2}),
        ("a,1,0,\na,0,0,\n", {"contradicted": 2}),
        ("a,1,0,\na,0,0,\na,1,1,\n", {"contradicted": 2, "incomplete_request": 1}),
    ],
)
def test_what_cannot_be_decided_is_rejected_by_id_and_the_rest_is_used(
    tmp_path: Path, rows: str, rejected: dict[str, int]
) -> None:
    table = read(tmp_path, f"id,label,row,time\n{rows}b,0,,\n")

    assert found(table) == {"b": ("0",)}
    assert table.contradicted == ("a",)
    assert table.counts.rejected == rejected
    assert table.counts.read == table.counts.used + sum(rejected.values())


def test_a_label_that_came_later_than_its_row_is_used(tmp_path: Path) -> None:
    table = read(tmp_path, "id,label\na,\na,1\nb,?\n")

    assert found(table) == {"a": ("1",)}
    assert table.counts.rejected == {"no_label": 2}


def test_numbered_rows_may_come_in_any_order(tmp_path: Path) -> None:
    assert found(read(tmp_path, "id,row,label\na,2,z\na,0,x\na,1,y\n")) == {"a": ("x", "y", "z")}


def test_a_request_is_as_late_as_its_latest_label(tmp_path: Path) -> None:
    table = read(tmp_path, "id,row,label,time\na,0,1,2026-01-05T09:00:00Z\na,1,1,2026-01-05T11:30:00+01:00\n")

    assert [request.collected for request in table.requests] == [datetime(2026, 1, 5, 10, 30, tzinfo=UTC)]


def test_the_later_label_of_a_numbered_row_counts(tmp_path: Path) -> None:
    text = "id,row,label,time\na,0,late,2026-01-05T10:00:00Z\na,0,early,2026-01-05T09:00:00Z\n"
    table = read(tmp_path, text)

    assert found(table) == {"a": ("late",)}
    assert table.counts.rejected == {"superseded": 1}
    assert table.counts.examples == {"superseded": ("labels.csv:3",)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("b,1", "not_a_row"),
        ("b,1,0,2026-01-05,x", "not_a_row"),
        (",1,0,", "no_id"),
        ("b,,0,", "no_label"),
        ("b,?,0,", "no_label"),
        ("b,1,first,", "invalid_row"),
        ("b,1,-1,", "invalid_row"),
        ("b,1,1.0,", "invalid_row"),
        ("b,1,²,", "invalid_row"),
        pytest.param(f"b,1,{'9' * 5000},", "invalid_row", id="endless"),
        ("b,1,0,yesterday", "invalid_time"),
        ("b,1,0,2026-01-05T12:05:01Z", "invalid_time"),
        ("b,1,1,", "incomplete_request"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_by_its_reason_and_the_others_are_used(
    tmp_path: Path, row: str, reason: str
) -> None:
    table = read(tmp_path, f"id,label,row,time\na,1,0,\n{row}\nc,0,0,\n")

    assert found(table) == {"a": ("1",), "c": ("0",)}
    assert table.counts.rejected == {reason: 1}
    assert table.counts.examples == {reason: ("labels.csv:3",)}


def test_a_clock_may_be_a_little_ahead(tmp_path: Path) -> None:
    assert found(read(tmp_path, "id,label,time\na,1,2026-01-05T12:04:59Z\n")) == {"a": ("1",)}


@pytest.mark.parametrize(
    "rows", ["a,0,1\na,1,\n", "a,0,1\na,2,1\n", "a,0,1\na,,1\n", "a,1,1\na,2,1\n", "a,0,1\na,x,1\n"]
)
def test_a_request_with_a_gap_is_not_used_at_all(tmp_path: Path, rows: str) -> None:
    table = read(tmp_path, f"id,row,label\n{rows}b,0,1\n")

    assert found(table) == {"b": ("1",)}
    assert table.counts.read == 3
    assert table.counts.used == 1
    assert "incomplete_request" in table.counts.rejected


def test_no_more_than_five_places_are_named_for_a_reason(tmp_path: Path) -> None:
    table = read(tmp_path, "id,label\n" + ",1\n" * 9)

    assert table.counts.rejected == {"no_id": 9}
    assert table.counts.examples["no_id"] == tuple(f"labels.csv:{line}" for line in range(2, 7))


def test_json_lines_hold_texts_and_numbers_as_they_are_written(tmp_path: Path) -> None:
    text = (
        '{"id":"a","label":1}\n\n{"id":7,"label":"x","row":0,"time":"2026-01-05T10:00:00Z"}\n{"id":"c","label":1.50}\n'
    )
    table = read(tmp_path, text, ".jsonl")

    assert found(table) == {"a": ("1",), "7": ("x",), "c": ("1.50",)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id":"b","label"', "not_a_row"),
        (b'["b","1"]', "not_a_row"),
        (b'{"id":"b","label":NaN}', "not_a_row"),
        (b'{"id":"b","label":[["1"]]}', "not_a_row"),
        (b'{"id":"b","label":{"label":1}}', "not_a_row"),
        (b'{"id":true,"label":1}', "not_a_row"),
        (b'{"id":"b","label":[1],"row":0}', "invalid_row"),
        (b'{"id":"b","label":[null, "?"]}', "no_label"),
        (b'{"id":"b","label":[]}', "no_label"),
        (b'{"id":"\\ud800","label":"1"}', "not_a_row"),
        (b'{"id":"b","label":"\xff"}', "not_a_row"),
        pytest.param(b"[" * 100_000, "not_a_row", id="deep"),
        (b'{"id":"b","label":null}', "no_label"),
        (b'{"label":"1"}', "no_id"),
    ],
)
def test_a_bad_json_line_is_counted(tmp_path: Path, line: bytes, reason: str) -> None:
    table = read(tmp_path, b'{"id":"a","label":"1"}\n' + line + b"\n", ".jsonl")

    assert found(table) == {"a": ("1",)}
    assert table.counts.rejected == {reason: 1}
    assert table.counts.examples == {reason: ("labels.jsonl:2",)}


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        ("true", ("true",)),
        ("false", ("false",)),
        ("[1, 0]", ("1", "0")),
        ('["x", null, true]', ("x", "", "true")),
        ('["x"]', ("x",)),
    ],
)
def test_booleans_are_labels_and_lists_those_of_all_rows(tmp_path: Path, label: str, labels: tuple[str, ...]) -> None:
    table = read(tmp_path, f'{{"id":"a","label":{label}}}\n', ".jsonl")

    assert found(table) == {"a": labels}
    assert (table.counts.read, table.counts.used) == (1, 1)


def test_keys_without_a_meaning_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, '{"id":"a","label":"1","Time":{"x":1}}\n', ".jsonl").unused_columns == ("Time",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have one column each for id and label, and may have row and time, got an empty file"),
        ("id,income\na,1\n", "got id, income; correct its header row"),
        ("id,label,label\na,1,1\n", "got id, label, label"),
        (b"id,label\na,\xff\n", "must be CSV text in UTF-8"),
        ('id,label\na,"1\n', "must be CSV text in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"labels must be in a file named \.csv or \.jsonl, got"):
        read(tmp_path, "", ".xlsx")
