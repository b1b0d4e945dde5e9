"""Partial counts as rows that add up, and back: what Spark shuffles between machines."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.records import FeatureType
from drift.kernel.columns import Hashes
from drift.kernel.files import Lines
from drift.kernel.partial import ColumnCounts, Group, LabelTally, PartialCounts, Tally
from drift.kernel.partial_file import from_json, to_json
from drift.kernel.plan import Plan

SCHEMA: Final = "kind string, segment string, feature int, value binary, count long"
"""As Spark spells it. Rows with equal kind, segment, feature and value are one row, with the sum of their counts."""
_ARROW: Final = pa.schema(
    {"kind": pa.string(), "segment": pa.string(), "feature": pa.int32(), "value": pa.binary(), "count": pa.int64()}
)
_ONE: Final = np.ones(1, dtype=np.int64)

_Key: TypeAlias = tuple[str, str, int]
_Counted: TypeAlias = tuple[list[bytes], NDArray[np.int64]]


class Kind(StrEnum):
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
    return _batch(Kind.EVENT, name, 0, _eight_bytes(hashes.astype("<u8")), lines)


def rows_of(counts: PartialCounts) -> Iterator[pa.RecordBatch]:
    """Yield everything that partial counts hold."""
    for group, part in counts.groups.items():
        segment = json.dumps([group.variant, group.value])
        yield _batch(Kind.ROWS, segment, 0, [b""], _ONE * part.n_rows)
        for feature, column in enumerate(part.columns):
            yield from _column_rows(segment, feature, column)
    hashes = counts.repetition.settle()
    yield _batch(Kind.ROW_HASH, "", 0, _eight_bytes(hashes.keys.astype("<u8")), hashes.counts)
    if hashes.is_collapsed:
        yield _batch(Kind.ROW_HASHES_COLLAPSED, "", 0, [b""], _ONE)
    rest = replace(counts, groups={}, repetition=Tally.of_hashes())
    yield _batch(Kind.REST, "", 0, [to_json(rest)], _ONE)


def counts_of(rows: pa.Table, plan: Plan) -> PartialCounts:
    """Return the partial counts that summed rows stand for, whatever their order."""
    counts, parts = PartialCounts(), _parts(rows)
    for key, counted in parts.items():
        kind, segment, feature = key
        if kind == Kind.ROWS:
            counts.group(_group(segment), plan).n_rows += int(counted[1].sum())
        elif kind in {Kind.VALUE, Kind.STATE}:
            column = counts.group(_group(segment), plan).columns[feature]
            is_collapsed = (Kind.COLLAPSED, segment, feature) in parts
            column.merge(_column(kind, column, counted, is_collapsed))
        elif kind == Kind.ROW_HASH:
            hashes, is_collapsed = (
                np.frombuffer(b"".join(counted[0]), "<u8"),
                (Kind.ROW_HASHES_COLLAPSED, "", 0) in parts,
            )
            counts.repetition.add(hashes, counted[1], is_collapsed)
        elif kind == Kind.REST:
            for text in (text for text, n_tasks in zip(*counted, strict=True) for _ in range(n_tasks)):
                counts.merge(from_json(text, plan), plan)
    return counts


def _column_rows(segment: str, feature: int, column: ColumnCounts) -> Iterator[pa.RecordBatch]:
    (states,) = np.nonzero(column.states)
    yield _batch(Kind.STATE, segment, feature, [bytes([state]) for state in states], column.states[states])
    values = column.values
    if isinstance(values, Tally):
        values.settle()
        yield _batch(Kind.VALUE, segment, feature, _eight_bytes(values.keys.astype("<f8")), values.counts)
    else:
        labels = [label.encode() for label in values.counts]
        yield _batch(Kind.VALUE, segment, feature, labels, np.array([*values.counts.values()], dtype=np.int64))
    if values.is_collapsed:
        yield _batch(Kind.COLLAPSED, segment, feature, [b""], _ONE)


def _column(kind: str, column: ColumnCounts, counted: _Counted, is_collapsed: bool) -> ColumnCounts:
    """Return rows of one feature as counts that can be merged into `column`."""
    values, counts = counted
    if isinstance(column.values, Tally):
        part = ColumnCounts.empty(FeatureType.NUMERIC)
    else:
        part = ColumnCounts(LabelTally(column.values.known, is_collapsed=is_collapsed))
    if kind == Kind.STATE:
        part.states[[value[0] for value in values]] = counts
    elif isinstance(part.values, Tally):
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
    kind: Kind, segment: str, feature: int, values: Sequence[bytes] | pa.Array, counts: NDArray[np.int64]
) -> pa.RecordBatch:
    keys = [
        pa.repeat(pa.scalar(key, _ARROW.field(n).type), len(values)) for n, key in enumerate([kind, segment, feature])
    ]
    return pa.record_batch([*keys, pa.array(values, pa.binary()), pa.array(counts, pa.int64())], schema=_ARROW)


def _eight_bytes(numbers: NDArray[Any]) -> pa.Array:
    """Return each number as its eight bytes."""
    buffer = pa.py_buffer(np.ascontiguousarray(numbers).tobytes())
    return pa.Array.from_buffers(pa.binary(8), len(numbers), [None, buffer]).cast(pa.binary())
