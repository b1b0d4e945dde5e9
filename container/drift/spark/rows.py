"""Partial counts as rows that add up, and back: what Spark shuffles between machines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.drift.read.kernel.columns import Hashes
from plumbline.drift.read.kernel.files import Lines
from plumbline.drift.read.kernel.partial_counts import ColumnCounts, Group, KeyTally, LabelTally, PartialCounts
from plumbline.drift.read.kernel.partial_counts_file import from_json, to_json
from plumbline.drift.read.kernel.plan import WindowPlan

SCHEMA: Final = "kind string, segment string, feature int, value binary, count long"
"""As Spark spells it. Rows with equal kind, segment, feature and value are one row, with the sum of their counts."""
_ARROW: Final = pa.schema(
    {"kind": pa.string(), "segment": pa.string(), "feature": pa.int32(), "value": pa.binary(), "count": pa.int64()}
)
_ONE: Final = np.ones(1, dtype=np.int64)

_Key: TypeAlias = tuple[str, str, int]
_Counted: TypeAlias = tuple[list[bytes], NDArray[np.int64]]


class RowKind(StrEnum):
    """What a row counts."""

    ROWS = "rows"
    """Rows of a segment."""
    VALUE = "value"
    """Cells of a feature with a value, in a segment."""
    STATE = "state"
    """Cells of a feature in a state, in a segment."""
    COLLAPSED = "collapsed"
    """Tasks that had to collapse the values of a feature in a segment."""
    ROW_HASH = "row_hash"
    """Rows by their hash."""
    ROW_HASHES_COLLAPSED = "row_hashes_collapsed"
    """Tasks that had to collapse them."""
    REST = "rest"
    """What does not grow with the window and is no sum, one text for each task."""
    EVENT = "event"
    """No sum: the segment is a file, the value an event id's hash, the count its line."""


def event_rows(name: str, hashes: Hashes, lines: Lines) -> pa.RecordBatch:
    """Return one row per event id of a file."""
    return _batch(RowKind.EVENT, name, 0, _eight_bytes(hashes.astype("<u8")), lines)


def rows_of(counts: PartialCounts) -> Iterator[pa.RecordBatch]:
    """Yield everything that partial counts hold."""
    for group, part in counts.groups.items():
        segment = json.dumps([group.variant, group.value])
        yield _batch(RowKind.ROWS, segment, 0, [b""], _ONE * part.n_rows)
        for feature, column in enumerate(part.columns):
            yield from _column_rows(segment, feature, column)
    hashes = counts.repetition.settle()
    yield _batch(RowKind.ROW_HASH, "", 0, _eight_bytes(hashes.keys.astype("<u8")), hashes.counts)
    if hashes.is_collapsed:
        yield _batch(RowKind.ROW_HASHES_COLLAPSED, "", 0, [b""], _ONE)
    rest = replace(counts, groups={}, repetition=KeyTally.of_hashes())
    yield _batch(RowKind.REST, "", 0, [to_json(rest)], _ONE)


def counts_of(rows: pa.Table, plan: WindowPlan) -> PartialCounts:
    """Return the partial counts that summed rows stand for, whatever their order."""
    counts, parts = PartialCounts(), _parts(rows)
    for key, counted in parts.items():
        kind, segment, feature = key
        if kind == RowKind.ROWS:
            counts.group(_group(segment), plan).n_rows += int(counted[1].sum())
        elif kind in {RowKind.VALUE, RowKind.STATE}:
            column = counts.group(_group(segment), plan).columns[feature]
            is_collapsed = (RowKind.COLLAPSED, segment, feature) in parts
            column.merge(_column(kind, column, counted, is_collapsed))
        elif kind == RowKind.ROW_HASH:
            hashes, is_collapsed = (
                np.frombuffer(b"".join(counted[0]), "<u8"),
                (RowKind.ROW_HASHES_COLLAPSED, "", 0) in parts,
            )
            counts.repetition.add(hashes, counted[1], is_collapsed)
        elif kind == RowKind.REST:
            for text in (text for text, n_tasks in zip(*counted, strict=True) for _ in range(n_tasks)):
                counts.merge(from_json(text, plan), plan)
    return counts


def _column_rows(segment: str, feature: int, column: ColumnCounts) -> Iterator[pa.RecordBatch]:
    (states,) = np.nonzero(column.states)
    yield _batch(RowKind.STATE, segment, feature, [bytes([state]) for state in states], column.states[states])
    values = column.values
    if isinstance(values, KeyTally):
        values.settle()
        yield _batch(RowKind.VALUE, segment, feature, _eight_bytes(values.keys.astype("<f8")), values.counts)
    else:
        labels = [label.encode() for label in values.counts]
        yield _batch(RowKind.VALUE, segment, feature, labels, np.array([*values.counts.values()], dtype=np.int64))
    if values.is_collapsed:
        yield _batch(RowKind.COLLAPSED, segment, feature, [b""], _ONE)


def _column(kind: str, column: ColumnCounts, counted: _Counted, is_collapsed: bool) -> ColumnCounts:
    """Return rows of one feature as counts that can be merged into `column`."""
    values, counts = counted
    if isinstance(column.values, KeyTally):
        part = ColumnCounts.empty(FeatureType.NUMERIC)
    else:
        part = ColumnCounts(LabelTally(column.values.known, is_collapsed=is_collapsed))
    if kind == RowKind.STATE:
        part.states[[value[0] for value in values]] = counts
    elif isinstance(part.values, KeyTally):
        part.values.add(np.frombuffer(b"".join(values), "<f8"), counts, is_collapsed)
    else:
        part.values.counts.update(zip((value.decode() for value in values), counts.tolist(), strict=True))
    return part


def _parts(rows: pa.Table) -> dict[_Key, _Counted]:
    """Return values and counts by kind, segment and feature."""
    names = ["kind", "segment", "feature"]
    numbered = rows.select(names).append_column("row", pa.array(np.arange(rows.num_rows)))
    parts = {}
    for part in numbered.group_by(names, use_threads=False).aggregate([("row", "list")]).to_pylist():
        chosen = rows.take(pa.array(part["row_list"]))
        parts[part["kind"], part["segment"], part["feature"]] = chosen["value"].to_pylist(), chosen["count"].to_numpy()
    return parts


def _group(segment: str) -> Group:
    return Group(*json.loads(segment))


def _batch(
    kind: RowKind, segment: str, feature: int, values: Sequence[bytes] | pa.Array, counts: NDArray[np.int64]
) -> pa.RecordBatch:
    keys = [
        pa.repeat(pa.scalar(key, _ARROW.field(n).type), len(values)) for n, key in enumerate([kind, segment, feature])
    ]
    return pa.record_batch([*keys, pa.array(values, pa.binary()), pa.array(counts, pa.int64())], schema=_ARROW)


def _eight_bytes(numbers: NDArray[Any]) -> pa.Array:
    """Return each number as its eight bytes."""
    buffer = pa.py_buffer(np.ascontiguousarray(numbers).tobytes())
    return pa.Array.from_buffers(pa.binary(8), len(numbers), [None, buffer]).cast(pa.binary())
