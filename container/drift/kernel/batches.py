"""Records -> batches of rows, column by column: the plain ones by Arrow's CSV reader, the others one by one."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from drift.kernel.hashes import Hashes, text_hashes
from drift.kernel.payloads import BYTE_ORDER_MARK, LONGEST_FIELD, Token, decode_input, decode_output, unwrapped
from drift.kernel.plan import Plan
from drift.kernel.records import Record, Reject, Side
from drift.rejection import Rejected

_NUMBERS = msgspec.json.Decoder(list[float])
_UNUSUAL = ('"', "\r", BYTE_ORDER_MARK)
"""What makes a CSV text need more than splitting at commas and line feeds."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """One column: its distinct tokens, and the index of each row's, shape (n_rows,)."""

    codes: NDArray[np.int64]
    distinct: Sequence[Token] | pa.StringArray


@dataclass(frozen=True, eq=False)
class Batch:
    """Used records of one file.

    `numbers` (of the lines), `event_ids`, `event_hashes` (0 without id) and `n_rows` have one entry per record,
    `columns` has one per spec, and `probabilities` one per row: NaN where no prediction was captured.
    """

    numbers: NDArray[np.int64]
    event_ids: list[str | None]
    event_hashes: Hashes
    n_rows: NDArray[np.int64]
    columns: list[Encoded]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Decoded inputs of some records; the rest of a batch is still to be decoded."""

    records: Sequence[Record]
    numbers: Sequence[int]
    n_rows: NDArray[np.int64]
    columns: list[Encoded]


def batches(records: Sequence[Record], numbers: Sequence[int], plan: Plan, reject: Reject) -> Iterator[Batch]:
    """Yield the usable records; reject the others under their line numbers."""
    records, numbers = _inside(records, numbers, plan, reject)
    names = [spec.name for spec in plan.specs]
    if not records:
        return
    rows = _plain_rows(records, numbers, len(names))
    if rows is not None:
        yield _with_outputs(rows, reject)
        return
    for record in records:
        sides = record.capture_data
        sides.endpoint_input, sides.endpoint_output = unwrapped(sides.endpoint_input), unwrapped(sides.endpoint_output)
    plain = [_is_plain(record.capture_data.endpoint_input, len(names)) for record in records]
    rows = _plain_rows([*compress(records, plain)], [*compress(numbers, plain)], len(names))
    if rows is None:
        plain = [False] * len(records)
    else:
        yield _with_outputs(rows, reject)
    odd = [not flag for flag in plain]
    yield _with_outputs(_odd_rows([*compress(records, odd)], [*compress(numbers, odd)], names, reject), reject)


def _inside(
    records: Sequence[Record], numbers: Sequence[int], plan: Plan, reject: Reject
) -> tuple[Sequence[Record], Sequence[int]]:
    times = [record.event_metadata.inference_time for record in records]
    refusals = {time: plan.time_refusal(time) for time in set(times)}
    if not any(refusals.values()):
        return records, numbers
    inside = []
    for time, number in zip(times, numbers, strict=True):
        refusal = refusals[time]
        inside.append(refusal is None)
        if refusal is not None:
            reject(Rejected(refusal), number)
    return [*compress(records, inside)], [*compress(numbers, inside)]


def _is_plain(side: Side | None, n_features: int) -> bool:
    """Return whether a side is one line of CSV that splitting at commas reads rightly."""
    if side is None or side.encoding != "CSV" or side.data is None:
        return False
    text = side.data.removesuffix("\n")
    return (
        text.count(",") == n_features - 1
        and len(text) <= LONGEST_FIELD
        and "\n" not in text
        and text.strip() != ""
        and not any(mark in text for mark in _UNUSUAL)
    )


def _plain_rows(records: Sequence[Record], numbers: Sequence[int], n_features: int) -> _Rows | None:
    """Read all inputs as one CSV text; None where they have to be looked at one by one."""
    texts = _csv_texts([record.capture_data.endpoint_input for record in records])
    if not texts or max(map(len, texts)) > LONGEST_FIELD:
        return None
    joined = "\n".join(texts)
    if any(mark in joined for mark in _UNUSUAL):
        return None
    n_rows = np.ones(len(texts), dtype=np.int64)
    if joined.count("\n") != len(texts) - 1:
        texts = [text.rstrip("\n") for text in texts]
        n_rows = np.array([text.count("\n") + 1 for text in texts], dtype=np.int64)
    columns = _parse_csv(joined, n_features)
    # A line without text is no row: where one was counted, the numbers differ.
    if columns is None or len(columns[0].codes) != n_rows.sum():
        return None
    return _Rows(records, numbers, n_rows, columns)


def _csv_texts(sides: Sequence[Side | None]) -> list[str] | None:
    """Return the sides' texts if all of them are CSV."""
    texts = [side.data for side in sides if side and side.encoding == "CSV" and side.data is not None]
    return texts if len(texts) == len(sides) else None


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


def _odd_rows(records: Sequence[Record], numbers: Sequence[int], names: Sequence[str], reject: Reject) -> _Rows:
    rows: list[list[Token]] = []
    n_rows: list[int] = []
    for record, number in zip(records, numbers, strict=True):
        try:
            decoded = decode_input(record.capture_data.endpoint_input, names)
        except Rejected as error:
            reject(error, number)
            decoded = []
        n_rows.append(len(decoded))
        rows += decoded
    used = [*map(bool, n_rows)]
    columns = [_encode(column) for column in zip(*rows, strict=True)] or [_encode(())] * len(names)
    return _Rows(
        [*compress(records, used)], [*compress(numbers, used)], np.array([*filter(None, n_rows)], np.int64), columns
    )


def _encode(column: Sequence[Token]) -> Encoded:
    index: dict[Token, int] = {}
    codes = np.array([index.setdefault(token, len(index)) for token in column], dtype=np.int64)
    return Encoded(codes, [*index])


def _with_outputs(rows: _Rows, reject: Reject) -> Batch:
    probabilities = _plain_probabilities(rows)
    used = np.ones(len(rows.records), dtype=bool)
    if probabilities is None:
        values: list[float] = []
        for position, (record, number, n_rows) in enumerate(zip(rows.records, rows.numbers, rows.n_rows, strict=True)):
            try:
                values += decode_output(record.capture_data.endpoint_output, int(n_rows))
            except Rejected as error:
                reject(error, number)
                used[position] = False
        probabilities = np.array(values, dtype=np.float64)
    kept = np.repeat(used, rows.n_rows)
    event_ids = [record.event_metadata.event_id for record in compress(rows.records, used)]
    return Batch(
        numbers=np.array(rows.numbers, dtype=np.int64)[used],
        event_ids=event_ids,
        event_hashes=text_hashes(event_ids),
        n_rows=rows.n_rows[used],
        columns=[Encoded(column.codes[kept], column.distinct) for column in rows.columns],
        probabilities=probabilities,
    )


def _plain_probabilities(rows: _Rows) -> NDArray[np.float64] | None:
    """Read all outputs as one number each; None where they have to be looked at one by one."""
    outputs = [record.capture_data.endpoint_output for record in rows.records]
    if not any(outputs):
        return np.full(int(rows.n_rows.sum()), math.nan)
    texts = _csv_texts(outputs)
    if texts is None or (rows.n_rows != 1).any():
        return None
    try:
        # One list of numbers: a text with two of them makes it too long, and one without is no JSON.
        numbers = _NUMBERS.decode(f"[{','.join(texts)}]")
    except ValueError:
        return None
    probabilities = np.array(numbers, dtype=np.float64)
    fits = len(numbers) == len(outputs) and ((probabilities >= 0) & (probabilities <= 1)).all()
    return probabilities if fits else None
