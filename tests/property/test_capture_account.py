"""Whatever happens to capture lines, the reader neither crashes nor loses a record."""

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from drift.capture import read_window
from drift.rejection import Reason
from drift.table import CapturedWindow, FeatureSpec
from hypothesis import given
from hypothesis import strategies as st

from contract.records import FeatureType, WindowBounds

SPECS = (FeatureSpec("age", FeatureType.NUMERIC), FeatureSpec("work", FeatureType.CATEGORICAL))
BOUNDS = WindowBounds("2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["age", "work", "instances"]), inner),
    max_leaves=8,
)
payloads = st.one_of(
    st.sampled_from(
        ["41,Private", "41, ?\n30,Self\n", "", "41", '[["41","a"]]', '{"instances": [[1,"a"]]}', "1e400,a"]
    ),
    st.text(max_size=20),
    json_values.map(json.dumps),
    st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode()),
)
sides = st.one_of(
    st.fixed_dictionaries(
        {"data": payloads | json_values, "encoding": st.sampled_from(["CSV", "JSON", "BASE64", "", None])},
        optional={"observedContentType": st.sampled_from([None, "text/csv; charset=utf-8", "application/json"])},
    ),
    json_values,
)
records = st.fixed_dictionaries(
    {
        "captureData": st.fixed_dictionaries({}, optional={"endpointInput": sides, "endpointOutput": sides}),
        "eventMetadata": st.fixed_dictionaries(
            {},
            optional={
                "eventId": st.sampled_from(["a", "b"]) | json_values,
                "inferenceTime": st.sampled_from(["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"]) | json_values,
            },
        ),
    }
)
GOOD = json.dumps(
    {
        "captureData": {
            "endpointInput": {"data": "41,Private", "encoding": "CSV"},
            "endpointOutput": {"data": "0.5", "encoding": "CSV"},
        },
        "eventMetadata": {"inferenceTime": "2026-11-22T12:30:00Z"},
    }
).encode()


@st.composite
def mutated_lines(draw: st.DrawFn) -> bytes:
    """A record's line, cut, with bytes written over, or as it is."""
    line = draw(records.map(lambda value: json.dumps(value).encode()) | st.just(GOOD))
    start, end = sorted((draw(st.integers(0, len(line))), draw(st.integers(0, len(line)))))
    change = draw(st.sampled_from(["none", "cut", "overwrite"]))
    if change == "cut":
        line = line[:end]
    elif change == "overwrite":
        line = line[:start] + draw(st.binary(max_size=4)) + line[end:]
    return line.replace(b"\n", b" ")


def read(lines: list[bytes], bounds: WindowBounds) -> CapturedWindow:
    with TemporaryDirectory() as folder:
        (Path(folder) / "a.jsonl").write_bytes(b"\n".join(lines))
        return read_window(Path(folder), SPECS, bounds)


def is_gzip(lines: list[bytes]) -> bool:
    return bool(lines) and lines[0].startswith(b"\x1f\x8b")


@given(lines=st.lists(mutated_lines(), max_size=6), bounds=st.sampled_from([BOUNDS, WindowBounds()]))
def test_every_record_read_is_used_or_rejected_for_a_known_reason(lines: list[bytes], bounds: WindowBounds) -> None:
    window = read(lines, bounds)
    counts = window.records
    assert counts.read == (1 if is_gzip(lines) else sum(1 for line in lines if line.strip()))
    assert counts.read == counts.used + sum(counts.rejected.values())
    assert set(counts.rejected) <= set(Reason)


@given(lines=st.lists(mutated_lines(), max_size=6))
def test_used_rows_are_whole_and_clean(lines: list[bytes]) -> None:
    window = read(lines, WindowBounds())
    n_rows = window.table.n_rows
    assert n_rows >= window.records.used
    assert all(len(column) == n_rows for column in window.table.columns.values())
    assert len(window.probabilities) == n_rows
    assert not np.isinf(window.table.columns["age"].astype(float)).any()
    known = window.probabilities[~np.isnan(window.probabilities)]
    assert ((known >= 0) & (known <= 1)).all()
    for label in window.table.columns["work"]:
        assert label is None or label.encode().decode() == label


@given(lines=st.lists(mutated_lines(), max_size=4))
def test_bad_neighbours_do_not_cost_a_good_record(lines: list[bytes]) -> None:
    assert read([GOOD, *lines, GOOD], BOUNDS).records.used >= 2


@given(json_row=st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text("ab ", min_size=1, max_size=5)))
def test_a_row_reads_the_same_in_every_encoding(json_row: tuple[float, str]) -> None:
    number, label = json_row
    csv_text, json_text = f"{number!r},{label}", json.dumps([[number, label]])
    variants: list[dict[str, Any]] = [
        {"data": csv_text, "encoding": "CSV"},
        {"data": json_text, "encoding": "JSON"},
        {"data": base64.b64encode(csv_text.encode()).decode(), "encoding": "BASE64"},
        {"data": base64.b64encode(json_text.encode()).decode(), "encoding": "BASE64"},
        {"data": json.dumps([{"work": label, "age": number}]), "encoding": "JSON"},
    ]
    lines = [json.dumps({"captureData": {"endpointInput": side}, "eventMetadata": {}}).encode() for side in variants]
    window = read(lines, WindowBounds())
    assert window.records.used == len(variants)
    assert window.table.columns["age"].tolist() == [number] * len(variants)
    assert window.table.columns["work"].tolist() == [label.strip() or None] * len(variants)
