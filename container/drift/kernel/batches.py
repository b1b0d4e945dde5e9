"""Records -> batches of rows, column by column: the plain ones all at once, the others one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from drift.kernel.hashes import Hashes, text_hashes
from drift.kernel.payloads import Token, decode_input, decode_output, unwrapped
from drift.kernel.plain import Encoded, is_plain, plain_probabilities, plain_rows
from drift.kernel.plan import Plan
from drift.kernel.records import Record, Reject
from drift.rejection import Rejected


@dataclass(frozen=True, eq=False)
class Batch:
    """Used records of some files.

    `positions` (`drift.kernel.places.POSITIONS`), `event_ids`, `event_hashes` (0 without id) and `n_rows` have one
    entry per record, `columns` has one per spec, and `probabilities` one per row: NaN where no prediction was captured.
    """

    positions: NDArray[np.int64]
    event_ids: list[str | None]
    event_hashes: Hashes
    n_rows: NDArray[np.int64]
    columns: list[Encoded]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded inputs of some records; the rest of a batch is still to be decoded."""

    records: Sequence[Record]
    positions: Sequence[int]
    n_rows: NDArray[np.int64]
    columns: list[Encoded]


def batches(records: Sequence[Record], positions: Sequence[int], plan: Plan, reject: Reject) -> Iterator[Batch]:
    """Yield the usable records; reject the others under their positions."""
    records, positions = _inside(records, positions, plan, reject)
    names = [spec.name for spec in plan.specs]
    if not records:
        return
    rows = _plain_rows(records, positions, len(names))
    if rows is not None:
        yield _with_outputs(rows, reject)
        return
    for record in records:
        sides = record.capture_data
        sides.endpoint_input, sides.endpoint_output = unwrapped(sides.endpoint_input), unwrapped(sides.endpoint_output)
    plain = [is_plain(record.capture_data.endpoint_input, len(names)) for record in records]
    rows = _plain_rows([*compress(records, plain)], [*compress(positions, plain)], len(names))
    if rows is None:
        plain = [False] * len(records)
    else:
        yield _with_outputs(rows, reject)
    odd = [not flag for flag in plain]
    yield _with_outputs(_odd_rows([*compress(records, odd)], [*compress(positions, odd)], names, reject), reject)


def _inside(
    records: Sequence[Record], positions: Sequence[int], plan: Plan, reject: Reject
) -> tuple[Sequence[Record], Sequence[int]]:
    times = [record.event_metadata.inference_time for record in records]
    refusals = {time: plan.time_refusal(time) for time in set(times)}
    if not any(refusals.values()):
        return records, positions
    inside = []
    for time, position in zip(times, positions, strict=True):
        refusal = refusals[time]
        inside.append(refusal is None)
        if refusal is not None:
            reject(Rejected(refusal), position)
    return [*compress(records, inside)], [*compress(positions, inside)]


def _plain_rows(records: Sequence[Record], positions: Sequence[int], n_features: int) -> _Rows | None:
    rows = plain_rows([record.capture_data.endpoint_input for record in records], n_features)
    return rows and _Rows(records, positions, *rows)


def _odd_rows(records: Sequence[Record], positions: Sequence[int], names: Sequence[str], reject: Reject) -> _Rows:
    rows: list[list[Token]] = []
    n_rows: list[int] = []
    for record, position in zip(records, positions, strict=True):
        try:
            decoded = decode_input(record.capture_data.endpoint_input, names)
        except Rejected as error:
            reject(error, position)
            decoded = []
        n_rows.append(len(decoded))
        rows += decoded
    used = [*map(bool, n_rows)]
    columns = [_encode(column) for column in zip(*rows, strict=True)] or [_encode(())] * len(names)
    return _Rows(
        [*compress(records, used)], [*compress(positions, used)], np.array([*filter(None, n_rows)], np.int64), columns
    )


def _encode(column: Sequence[Token]) -> Encoded:
    index: dict[Token, int] = {}
    codes = np.array([index.setdefault(token, len(index)) for token in column], dtype=np.int64)
    return Encoded(codes, [*index])


def _with_outputs(rows: _Rows, reject: Reject) -> Batch:
    outputs = [record.capture_data.endpoint_output for record in rows.records]
    probabilities = plain_probabilities(outputs, rows.n_rows)
    used = np.ones(len(rows.records), dtype=bool)
    if probabilities is None:
        values: list[float] = []
        for record, (output, position, n_rows) in enumerate(zip(outputs, rows.positions, rows.n_rows, strict=True)):
            try:
                values += decode_output(output, int(n_rows))
            except Rejected as error:
                reject(error, position)
                used[record] = False
        probabilities = np.array(values, dtype=np.float64)
    kept = np.repeat(used, rows.n_rows)
    event_ids = [record.event_metadata.event_id for record in compress(rows.records, used)]
    return Batch(
        positions=np.array(rows.positions, dtype=np.int64)[used],
        event_ids=event_ids,
        event_hashes=text_hashes(event_ids),
        n_rows=rows.n_rows[used],
        columns=[Encoded(column.codes[kept], column.distinct) for column in rows.columns],
        probabilities=probabilities,
    )
