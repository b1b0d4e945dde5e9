"""One side of one record, whatever its encoding, as text; and input sides as rows.

Each side says by itself how it is encoded: with one content type in the capture options and another in the
request, input and output of one record differ.
"""

import base64
import binascii
import csv
import io
import json
from collections.abc import Sequence
from enum import Enum, auto
from itertools import chain
from typing import Any, TypeAlias

import msgspec

from drift.kernel.records import Payload, Side
from drift.rejection import Reason, Rejected

BYTE_ORDER_MARK = "\ufeff"
LONGEST_FIELD = csv.field_size_limit()
_SHAPE_LENGTH = 200


class Marker(Enum):
    """What a JSON cell says that no text could."""

    ABSENT = auto()
    """The object does not name the feature."""
    NOT_A_VALUE = auto()
    """Neither text, number, boolean nor null."""
    TRUE = auto()
    FALSE = auto()


Token: TypeAlias = str | int | float | Marker
"""One cell before it is read as a number or a label. Equal tokens say the same: True, which equals 1, is none."""
_ABSENT, _NOT_A_VALUE = Marker.ABSENT, Marker.NOT_A_VALUE
_TOKENS = frozenset({str, int, float})


def spelled(number: float) -> str:
    """Return a JSON number as the text that a CSV payload would hold: 40.0 is 40."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def decode_input(side: Payload, names: Sequence[str]) -> list[list[Token]]:
    """Return the rows of an input side, each with one token per feature name.

    JSON objects are read by name: a feature that an object does not name is absent in that row, so that a client
    that stops sending it shows up; an object that names no feature at all is not one of our rows; other names are
    ignored.

    Raises
    ------
    Rejected
        If the side is absent, undecodable, or any row of it does not fit.
    """
    if side is None:
        raise Rejected(Reason.NO_INPUT)
    is_json, text = text_of(side)
    rows = _json_rows(text, names) if is_json else _csv_rows(text, len(names))
    if not rows:
        raise Rejected(Reason.NO_INPUT)
    return rows


def unwrapped(side: Payload) -> Payload:
    """Return a side of CSV text in BASE64 as the text, and any other as it is."""
    if not isinstance(side, Side) or side.encoding != "BASE64":
        return side
    try:
        is_json, text = text_of(side)
    except Rejected:
        return side
    return side if is_json or text.startswith(BYTE_ORDER_MARK) else text


def text_of(side: str | Side) -> tuple[bool, str]:
    """Return whether the side is JSON, and its text without a byte order mark, which endpoints take in their stride."""
    if isinstance(side, str):
        return False, _unicode(side).removeprefix(BYTE_ORDER_MARK)
    if side.data is None:
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    if side.encoding == "BASE64":
        text = _from_base64(side.data).removeprefix(BYTE_ORDER_MARK)
        return _is_json(side.observed_content_type, text), text
    if side.encoding != "JSON":
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    return True, _unicode(side.data).removeprefix(BYTE_ORDER_MARK)


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # an escaped half of a surrogate pair, which no report could be written with
        raise Rejected(Reason.NOT_UTF8) from error
    return text


def _from_base64(data: str) -> str:
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except UnicodeDecodeError as error:
        raise Rejected(Reason.NOT_UTF8) from error
    except (binascii.Error, ValueError) as error:
        raise Rejected(Reason.INVALID_BASE64) from error


def _is_json(content_type: str | None, text: str) -> bool:
    """Decide by the content type; where the model server named none or another one, by the first character."""
    media_type = content_type.lower() if content_type else ""
    if "json" in media_type or "csv" in media_type:
        return "json" in media_type
    return text.lstrip().startswith(("[", "{"))


def load_json(text: str) -> Any:
    """Return the document; what Python reads and msgspec does not are NaN, 1e400 and half surrogate pairs."""
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Rejected(Reason.INPUT_NOT_JSON) from error


def csv_lines(text: str) -> list[list[str]]:
    """Return the fields of each line that has any; what is no CSV is rejected."""
    try:
        return [
            fields for fields in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True) if fields
        ]
    except csv.Error as error:
        raise Rejected(Reason.INPUT_NOT_CSV) from error


def _csv_rows(text: str, n_features: int) -> list[list[Token]]:
    rows: list[list[Token]] = [[*fields] for fields in csv_lines(text)]
    for row in rows:
        _require_fields(row, n_features)
    return rows


def _require_fields(row: Sequence[object], n_features: int) -> None:
    if len(row) != n_features:
        raise Rejected(Reason.FIELD_COUNT, f"{len(row)} fields")


def _json_rows(text: str, names: Sequence[str]) -> list[list[Token]]:
    """Return the rows of a list of lists or objects, bare or under ``instances``, or of a single such row."""
    document = load_json(text)
    instances = document.get("instances", [document]) if isinstance(document, dict) else document
    if not isinstance(instances, list):
        raise Rejected(Reason.INPUT_NOT_ROWS)
    if instances and not any(isinstance(instance, list | dict) for instance in instances):
        instances = [instances]
    rows = [_tokens(_values(instance, names)) for instance in instances]
    if "\\u" in text:
        for token in chain.from_iterable(rows):
            _unicode(token if isinstance(token, str) else "")
    return rows


def _values(instance: object, names: Sequence[str]) -> list[object]:
    if isinstance(instance, list):
        _require_fields(instance, len(names))
        return instance
    if not isinstance(instance, dict):
        raise Rejected(Reason.INPUT_NOT_ROWS)
    if instance.keys().isdisjoint(names):
        keys = ", ".join(sorted(instance))[:_SHAPE_LENGTH]
        raise Rejected(Reason.FIELD_COUNT, f"the keys {keys.encode(errors='backslashreplace').decode()}")
    return [instance.get(name, _ABSENT) for name in names]


def _tokens(values: Sequence[Any]) -> list[Token]:
    """Return JSON values as tokens; null is missing, as an empty field is."""
    return [value if type(value) in _TOKENS else _odd_token(value) for value in values]


def _odd_token(value: object) -> Token:
    if value is None:
        return ""
    if isinstance(value, bool):
        return Marker.TRUE if value else Marker.FALSE
    return _ABSENT if value is _ABSENT else _NOT_A_VALUE
