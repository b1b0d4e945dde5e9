"""Plain payloads, many at a time: CSV without quotes by Arrow's reader, single numbers by one JSON list.

Whatever is not plainly plain is None here, and read one by one by `drift.kernel.payloads`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from drift.kernel.payloads import BYTE_ORDER_MARK, LONGEST_FIELD, Token
from drift.kernel.records import Payload

_NUMBERS = msgspec.json.Decoder(list[float])
_UNUSUAL = ('"', "\r", BYTE_ORDER_MARK)
"""What makes a CSV text need more than splitting at commas and line feeds."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """One column: its distinct tokens, and the index of each row's, shape (n_rows,)."""

    codes: NDArray[np.int64]
    distinct: Sequence[Token] | pa.StringArray


Rows: TypeAlias = tuple[NDArray[np.int64], list[Encoded]]
"""How many rows each record has, and the columns of all of them."""


def is_plain(side: Payload, n_features: int) -> bool:
    """Return whether a side is one line of CSV that splitting at commas reads rightly."""
    if not isinstance(side, str):
        return False
    text = side.removesuffix("\n")
    return (
        text.count(",") == n_features - 1
        and len(text) <= LONGEST_FIELD
        and "\n" not in text
        and text.strip() != ""
        and not any(mark in text for mark in _UNUSUAL)
    )


def plain_rows(sides: Sequence[Payload], n_features: int) -> Rows | None:
    """Return the rows of input sides that are one CSV text together."""
    texts = _csv_texts(sides)
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
    return n_rows, columns


def plain_probabilities(sides: Sequence[Payload], n_rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the probabilities of output sides that are one number each, or NaN for each row where all are absent."""
    if all(side is None for side in sides):
        return np.full(int(n_rows.sum()), math.nan)
    texts = _csv_texts(sides)
    if texts is None or (n_rows != 1).any():
        return None
    try:
        # One list of numbers: a text with two of them makes it too long, and one without is no JSON.
        numbers = _NUMBERS.decode(f"[{','.join(texts)}]")
    except ValueError:
        return None
    probabilities = np.array(numbers, dtype=np.float64)
    fits = len(numbers) == len(sides) and ((probabilities >= 0) & (probabilities <= 1)).all()
    return probabilities if fits else None


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
