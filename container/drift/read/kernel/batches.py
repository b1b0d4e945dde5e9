"""Records -> batches of rows by column: simple CSV and single numbers all at once, other payloads one by one."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import compress
from typing import Any, Self, TypeAlias, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from plumbline.contract.predictions import PredictionKind
from plumbline.contract.rejection import AnswerReason
from plumbline.contract.training import Task
from plumbline.drift.read.kernel.answers import NO_PREDICTION, decode_output
from plumbline.drift.read.kernel.columns import Hashes, text_hashes
from plumbline.drift.read.kernel.payloads import BYTE_ORDER_MARK, MAX_FIELD_CHARACTERS, Token, unwrapped
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.kernel.predictions import NO_CLASS, Outputs, RowPrediction, Unreadable, sigmoids
from plumbline.drift.read.kernel.records import CaptureRecords, Payload, Reject, Rejected
from plumbline.drift.read.kernel.requests import BLANKS, decode_input, header_fields, is_header

_NUMBERS = msgspec.json.Decoder(list[float])
_UNUSUAL = ('"', "\r", BYTE_ORDER_MARK)
"""What makes a CSV text need more than splitting at commas and line feeds."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """One column: its distinct tokens, and the index of each row's, shape (n_rows,)."""

    codes: NDArray[np.int64]
    distinct: Sequence[Token] | pa.StringArray

    def compact(self) -> Self:
        """Return the column without the tokens that no row has."""
        used, codes = np.unique(self.codes, return_inverse=True)
        if isinstance(self.distinct, pa.Array):
            return type(self)(codes, self.distinct.take(pa.array(used)))
        return type(self)(codes, [self.distinct[position] for position in used.tolist()])


AnswerStates: TypeAlias = NDArray[np.int8]
"""Of each record: `NOT_CAPTURED`, `READ`, or the state of the reason why its answer is unreadable (`ANSWER_STATES`)."""
NOT_CAPTURED, READ, _FIRST_UNREADABLE = np.int8(0), np.int8(1), 2
ANSWER_STATES: Mapping[AnswerReason, int] = {reason: n for n, reason in enumerate(AnswerReason, _FIRST_UNREADABLE)}

Rows: TypeAlias = tuple[NDArray[np.int64], list[Encoded]]
"""How many rows each record has, and the columns of all of them."""


def is_fast_path(side: Payload, n_features: int) -> bool:
    """Return whether a side is one line of CSV that needs no more than splitting at commas."""
    if not isinstance(side, str):
        return False
    text = side.removesuffix("\n")
    return (
        text.count(",") == n_features - 1
        and len(text) <= MAX_FIELD_CHARACTERS
        and "\n" not in text
        and text.strip() != ""
        and not any(mark in text for mark in _UNUSUAL)
    )


def fast_rows(sides: Sequence[Payload], names: Sequence[str]) -> Rows | None:
    """Return the rows of input sides that are one CSV text together."""
    texts = _csv_texts(sides)
    if not texts or max(map(len, texts)) > MAX_FIELD_CHARACTERS:
        return None
    joined = "\n".join(texts)
    if any(mark in joined for mark in _UNUSUAL):
        return None
    n_rows = np.ones(len(texts), dtype=np.int64)
    if joined.count("\n") != len(texts) - 1:
        texts = [text.rstrip("\n") for text in texts]
        n_rows = np.array([text.count("\n") + 1 for text in texts], dtype=np.int64)
    columns = _parse_csv(joined, len(names))
    # A line without text is no row: where one was counted, the numbers differ.
    if columns is None or len(columns[0].codes) != n_rows.sum():
        return None
    if _may_hold_headers(columns, names) and any(_begins_with_header(text, names) for text in texts):
        return None
    return n_rows, columns


def _may_hold_headers(columns: Sequence[Encoded], names: Sequence[str]) -> bool:
    """Return whether a line may be a header: most of its cells are then names, hence one of any half of the columns."""
    tokens = sorted((cast("pa.StringArray", column.distinct) for column in columns), key=len)
    known = _texts(tuple(names))
    return any(
        pc.any(pc.is_in(pc.utf8_trim(distinct, BLANKS), known)).as_py()
        for distinct in tokens[: len(columns) - len(columns) // 2]
    )


@cache
def _texts(texts: tuple[str, ...]) -> pa.StringArray:
    # By its buffers: Python values handed to Arrow make it look for pandas, and load it where it is.
    content = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, content)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(content)))


def _begins_with_header(text: str, names: Sequence[str]) -> bool:
    first, *rest = text.split("\n", 1)
    return is_header(header_fields(first.split(",")), names, 1 + len(rest))


def fast_probabilities(
    sides: Sequence[Payload], n_rows: NDArray[np.int64], outputs: Outputs
) -> NDArray[np.float64] | None:
    """Return the predictions of output sides that are one number each, or NaN for each row where all are absent.

    Returns
    -------
    array or None
        One per row; None where the sides have to be read one by one.
    """
    if all(side is None for side in sides):
        return np.full(int(n_rows.sum()), math.nan)
    meaning = _meaning_of_number(outputs)
    texts = _csv_texts(sides)
    if meaning is None or texts is None or (n_rows != 1).any():
        return None
    try:
        # One list of numbers: a text with two of them makes it too long, and one without is no JSON.
        numbers = np.array(_NUMBERS.decode(f"[{','.join(texts)}]"), dtype=np.float64)
    except ValueError:
        return None
    return meaning(numbers) if len(numbers) == len(sides) and np.isfinite(numbers).all() else None


def _meaning_of_number(outputs: Outputs) -> Callable[[NDArray[np.float64]], NDArray[np.float64] | None] | None:
    """Return how numbers alone become predictions; None where each answer has to be looked at."""
    kind = outputs.stated.kind
    if outputs.stated.path is not None or outputs.task is Task.MULTICLASS or outputs.label_or_probability:
        return None
    if outputs.task is not Task.BINARY:
        return _as_they_are
    if kind is PredictionKind.LOG_ODDS:
        return lambda numbers: _of_positive(sigmoids(numbers), outputs)
    if kind in {None, PredictionKind.PROBABILITY}:
        return lambda numbers: _of_positive(numbers, outputs) if ((numbers >= 0) & (numbers <= 1)).all() else None
    return None


def _as_they_are(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return numbers


def _of_positive(numbers: NDArray[np.float64], outputs: Outputs) -> NDArray[np.float64]:
    return 1 - numbers if outputs.is_flipped else numbers


def _csv_texts(sides: Sequence[Payload]) -> Sequence[str] | None:
    """Return the sides' texts if all of them are CSV."""
    return cast("Sequence[str]", sides) if set(map(type, sides)) <= {str} else None


def _parse_csv(text: str, n_features: int) -> list[Encoded] | None:
    try:
        data = text.encode()
        names, convert, parse = _csv_options(n_features)
        # One block, so that each column is one piece with one dictionary.
        read = pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=max(len(data) + 1, 1024))
        table = pyarrow.csv.read_csv(pa.BufferReader(data), read, parse, convert)
    except (ValueError, pa.ArrowException):  # a row of another number of fields, or half a surrogate pair
        return None
    chunks = [column.combine_chunks() for column in table.columns]
    return [Encoded(np.from_dlpack(chunk.indices).astype(np.int64), chunk.dictionary) for chunk in chunks]


@cache
def _csv_options(n_features: int) -> tuple[list[str], Any, Any]:
    names = [str(position) for position in range(n_features)]
    types = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string()))
    convert = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    return names, convert, pyarrow.csv.ParseOptions(quote_char=False, double_quote=False)


@dataclass(frozen=True, eq=False)
class Batch:
    """Used records of some files.

    `positions` (`drift.read.kernel.records.POSITIONS`), `event_ids`, `inference_ids`, `event_hashes` (0 without id) and
    `n_rows`, `answers` have one entry per record and `columns` has one per spec. `probabilities` has one per row, NaN
    where no prediction was captured or it cannot be read, and so has `predicted`: the index of the predicted class,
    where there are more than two. `readings` has those of ambiguous answers, in words, by the record's position.
    """

    positions: NDArray[np.int64]
    event_ids: list[str | None]
    inference_ids: list[str | None]
    event_hashes: Hashes
    n_rows: NDArray[np.int64]
    answers: AnswerStates
    columns: list[Encoded]
    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int64]
    readings: Mapping[int, str]

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of the records, and of the columns the tokens that these have."""
        part = self.rows_where(np.repeat(chosen, self.n_rows))
        return replace(part, columns=[column.compact() for column in part.columns])

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
            answers=self.answers[chosen],
            columns=[Encoded(column.codes[rows], column.distinct) for column in self.columns],
            probabilities=self.probabilities[rows],
            predicted=self.predicted[rows],
            readings=self.readings,
        )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded inputs of some records; the rest of a batch is still to be decoded."""

    records: CaptureRecords
    n_rows: NDArray[np.int64]
    columns: list[Encoded]


def batches(records: CaptureRecords, plan: WindowPlan, reject: Reject) -> Iterator[Batch]:
    """Yield the usable records; reject the others under their positions."""
    records = _inside(records, plan, reject)
    names = [spec.name for spec in plan.specs]
    if not records:
        return
    rows = _fast_rows(records, names)
    if rows is not None:
        yield _with_outputs(rows, plan.outputs)
        return
    inputs, outputs = [*map(unwrapped, records.inputs)], [*map(unwrapped, records.outputs)]
    records = replace(records, inputs=inputs, outputs=outputs)
    simple = [is_fast_path(side, len(names)) for side in inputs]
    rows = _fast_rows(records.where(simple), names)
    if rows is None:
        simple = [
            flag and not _begins_with_header(cast("str", side), names)
            for flag, side in zip(simple, inputs, strict=True)
        ]
        rows = _fast_rows(records.where(simple), names)
    if rows is None:
        simple = [False] * len(records)
    else:
        yield _with_outputs(rows, plan.outputs)
    others = [not flag for flag in simple]
    yield _with_outputs(_decoded_rows(records.where(others), names, reject), plan.outputs)


def _inside(records: CaptureRecords, plan: WindowPlan, reject: Reject) -> CaptureRecords:
    rejections = {time: plan.time_rejection(time) for time in set(records.times)}
    if not any(rejections.values()):
        return records
    inside = []
    for time, position in zip(records.times, records.positions, strict=True):
        rejection = rejections[time]
        inside.append(rejection is None)
        if rejection is not None:
            reject(Rejected(rejection), position)
    return records.where(inside)


def _fast_rows(records: CaptureRecords, names: Sequence[str]) -> _Rows | None:
    rows = fast_rows(records.inputs, names)
    return rows and _Rows(records, *rows)


def _decoded_rows(records: CaptureRecords, names: Sequence[str], reject: Reject) -> _Rows:
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


def _with_outputs(rows: _Rows, outputs: Outputs) -> Batch:
    records = rows.records
    probabilities = fast_probabilities(records.outputs, rows.n_rows, outputs)
    readings: dict[int, str] = {}
    if probabilities is None:
        answers, predictions = _predictions(rows, outputs, readings)
        probabilities = np.array([prediction.number for prediction in predictions], dtype=np.float64)
        predicted = np.array([prediction.predicted for prediction in predictions], dtype=np.int64)
    else:
        is_captured = bool(records) and records.outputs[0] is not None
        answers = np.full(len(records), READ if is_captured else NOT_CAPTURED)
        predicted = np.full(len(probabilities), NO_CLASS)
    return Batch(
        positions=np.array(records.positions, dtype=np.int64),
        event_ids=records.event_ids,
        inference_ids=records.inference_ids,
        event_hashes=text_hashes(records.event_ids),
        n_rows=rows.n_rows,
        answers=answers,
        columns=rows.columns,
        probabilities=probabilities,
        predicted=predicted,
        readings=readings,
    )


def _predictions(rows: _Rows, outputs: Outputs, readings: dict[int, str]) -> tuple[AnswerStates, list[RowPrediction]]:
    """Return the state of each record's answer, and the predictions of the rows of all; note readings by position."""
    predictions: list[RowPrediction] = []
    states = np.full(len(rows.records), READ)
    for record, (output, n_rows) in enumerate(zip(rows.records.outputs, rows.n_rows.tolist(), strict=True)):
        if output is None:
            states[record] = NOT_CAPTURED
        try:
            predictions += decode_output(output, n_rows, outputs)
        except Unreadable as error:
            states[record] = ANSWER_STATES[error.reason]
            if error.readings:
                readings[rows.records.positions[record]] = error.readings
            predictions += [NO_PREDICTION] * n_rows
    return states, predictions
