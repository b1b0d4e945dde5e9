"""Whatever a table of labels holds, no row is lost and every label written is one that was read."""

import csv
import io
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from plumbline.labels.records import label_files
from plumbline.labels.table import LabelTable, read_labels

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CELLS = {
    "id": st.sampled_from(["", "a", "b", "c"]),
    "label": st.sampled_from(["", "?", "0", "1", 'x"y', "p,q", "two\nlines"]),
    "row": st.sampled_from(["", "0", "1", "2", "x"]),
    "time": st.sampled_from(["", "2026-01-05T09:00:00Z", "2026-01-05T10:59:59Z", "soon", "2030-01-01"]),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), max_size=12)


def read(text: str, suffix: str) -> LabelTable:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"labels{suffix}")
        path.write_bytes(text.encode())
        return read_labels(path, collected=NOW - timedelta(hours=2), now=NOW)


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(CELLS))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@given(ROWS)
def test_no_row_is_lost_and_no_label_is_invented(rows: list[dict[str, str]]) -> None:
    table = read(as_csv(rows), ".csv")

    assert table.counts.read == len(rows)
    written = [
        (record["eventMetadata"]["eventId"], label)
        for file in label_files(table.requests)
        for record in map(json.loads, file.body.splitlines())
        for (label,) in csv.reader(io.StringIO(record["groundTruthData"]["data"], newline=""))
    ]
    assert len(written) == table.counts.used
    assert set(written) <= {(row["id"], row["label"]) for row in rows}


@given(ROWS)
def test_csv_and_json_lines_say_the_same(rows: list[dict[str, str]]) -> None:
    first, second = read(as_csv(rows), ".csv"), read("".join(f"{json.dumps(row)}\n" for row in rows), ".jsonl")

    assert first.requests == second.requests
    assert first.counts.rejected == second.counts.rejected


@given(ROWS)
def test_the_same_table_makes_the_same_files(rows: list[dict[str, str]]) -> None:
    once, again = (list(label_files(read(as_csv(rows), ".csv").requests)) for _ in range(2))

    assert once == again
    assert len({file.key for file in once}) == len(once)
