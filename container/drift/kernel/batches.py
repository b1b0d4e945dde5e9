"""Records -> batches of rows, column by column: the plain ones all at once, the others one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract.training import Task
from drift.kernel.hashes import Hashes, text_hashes
from drift.kernel.payloads import Token, decode_input, unwrapped
from drift.kernel.plain import Encoded, is_plain, plain_probabilities, plain_rows
from drift.kernel.plan import Plan
from drift.kernel.predictions import NO_CLASS, Outputs, Prediction, decode_output
from drift.kernel.records import Records, Reject
from drift.rejection import Rejected


@dataclass(frozen=True, eq=False)
class Batch:
    """Used records of some files.

    `positions` (`drift.kernel.places.POSITIONS`), `event_ids`, `inference_ids`, `event_hashes` (0 without id) and
    `n_rows` have one entry per record and `columns` has one per spec. `probabilities` has one per row, NaN where no
    prediction was captured, and so has `predicted`: the index of the predicted class, where there are more than two.
    """

    positions: NDArray[np.int64]
    event_ids: list[str | None]
    inference_ids: list[str | None]
    event_hashes: Hashes
    n_rows: NDArray[np.int64]
    columns: list[Encoded]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of the records."""
        return self.rows_where(np.repeat(chosen, self.n_rows))

    def rows_where(self, rows: NDArray[np.bool_]) -> Self:
        """Return some of the rows, and the records that have any of them."""
        record_of_row = np.repeat(np.arange(len(self.n_rows)), self.n_rows)
        n_rows = np.bincount(record_of_row[rows], minlength=len(self.n_rows))
        chosen = n_rows > 0
        return type(self)(
            positions=self.positions[chosen],
            event_ids=[*compress(self.event_ids, chosen)],
            inference_ids=[*compress(self.inference_ids, chosen)],
            event_hashes=self.event_hashes[chosen],
            n_rows=n_rows[chosen],
            columns=[Encoded(column.codes[rows], column.distinct) for column in self.columns],
            probabilities=self.probabilities[rows],
            predicted=self.predicted[rows],
        )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded inputs of some records; the rest of a batch is still to be decoded."""

    records: Records
    n_rows: NDArray[np.int64]
    columns: list[Encoded]

    def where(self, used: NDArray[np.bool_]) -> Self:
        """Return the rows of some of the records."""
        kept = np.repeat(used, self.n_rows)
        columns = [Encoded(column.codes[kept], column.distinct) for column in self.columns]
        return type(self)(self.records.where(used.tolist()), self.n_rows[used], columns)


def batches(records: Records, plan: Plan, reject: Reject) -> Iterator[Batch]:
    """Yield the usable records; reject the others under their positions."""
    records = _inside(records, plan, reject)
    names = [spec.name for spec in plan.specs]
    if not records:
        return
    rows = _plain_rows(records, len(names))
    if rows is not None:
        yield _with_outputs(rows, plan.outputs, reject)
        return
    inputs, outputs = [*map(unwrapped, records.inputs)], [*map(unwrapped, records.outputs)]
    records = replace(records, inputs=inputs, outputs=outputs)
    plain = [is_plain(side, len(names)) for side in inputs]
    rows = _plain_rows(records.where(plain), len(names))
    if rows is None:
        plain = [False] * len(records)
    else:
        yield _with_outputs(rows, plan.outputs, reject)
    odd = [not flag for flag in plain]
    yield _with_outputs(_odd_rows(records.where(odd), names, reject), plan.outputs, reject)


def _inside(records: Records, plan: Plan, reject: Reject) -> Records:
    refusals = {time: plan.time_refusal(time) for time in set(records.times)}
    if not any(refusals.values()):
        return records
    inside = []
    for time, position in zip(records.times, records.positions, strict=True):
        refusal = refusals[time]
        inside.append(refusal is None)
        if refusal is not None:
            reject(Rejected(refusal), position)
    return records.where(inside)


def _plain_rows(records: Records, n_features: int) -> _Rows | None:
    rows = plain_rows(records.inputs, n_features)
    return rows and _Rows(records, *rows)


def _odd_rows(records: Records, names: Sequence[str], reject: Reject) -> _Rows:
    rows: list[list[Token]] = []
    n_rows: list[int] = []
    for side, position in zip(records.inputs, records.positions, strict=True):
        try:
            decoded = decode_input(side, names)
        except Rejected as error:
            reject(error, position)
            decoded = []
        n_rows.append(len(decoded))
        rows += decoded
    used = [*map(bool, n_rows)]
    columns = [_encode(column) for column in zip(*rows, strict=True)] or [_encode(())] * len(names)
    return _Rows(records.where(used), np.array([*filter(None, n_rows)], np.int64), columns)


def _encode(column: Sequence[Token]) -> Encoded:
    index: dict[Token, int] = {}
    codes = np.array([index.setdefault(token, len(index)) for token in column], dtype=np.int64)
    return Encoded(codes, [*index])


def _with_outputs(rows: _Rows, outputs: Outputs, reject: Reject) -> Batch:
    records = rows.records
    probabilities = plain_probabilities(records.outputs, rows.n_rows) if outputs.task is Task.BINARY else None
    predicted = None
    if probabilities is None:
        used, predictions = _predictions(rows, outputs, reject)
        probabilities = np.array([prediction.number for prediction in predictions], dtype=np.float64)
        predicted = np.array([prediction.predicted for prediction in predictions], dtype=np.int64)
        rows = rows.where(used)
    return Batch(
        positions=np.array(rows.records.positions, dtype=np.int64),
        event_ids=rows.records.event_ids,
        inference_ids=rows.records.inference_ids,
        event_hashes=text_hashes(rows.records.event_ids),
        n_rows=rows.n_rows,
        columns=rows.columns,
        probabilities=probabilities,
        predicted=np.full(len(probabilities), NO_CLASS) if predicted is None else predicted,
    )


def _predictions(rows: _Rows, outputs: Outputs, reject: Reject) -> tuple[NDArray[np.bool_], list[Prediction]]:
    """Return which records are usable, and the predictions of their rows."""
    records = rows.records
    predictions: list[Prediction] = []
    used = np.ones(len(records), dtype=bool)
    for record, (output, position, n_rows) in enumerate(
        zip(records.outputs, records.positions, rows.n_rows, strict=True)
    ):
        try:
            predictions += decode_output(output, int(n_rows), outputs)
        except Rejected as error:
            reject(error, position)
            used[record] = False
    return used, predictions
