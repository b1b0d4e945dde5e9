"""Sides of a record -> their text, whatever its encoding, and the tokens that their cells are read as.

Each side names its own encoding: with one content type in the capture options and another in the
request, input and output of one record differ.
"""

import base64
import binascii
import csv
import io
import json
from enum import Enum, auto
from typing import Any, TypeAlias

import msgspec

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.records import CaptureSide, Payload, Rejected

BYTE_ORDER_MARK = "\ufeff"
MAX_FIELD_CHARACTERS = csv.field_size_limit()


class Marker(Enum):
    """JSON values that no text stands for."""

    ABSENT = auto()
    """The object does not name the feature."""
    NOT_A_VALUE = auto()
    """Neither text, number, boolean nor null."""
    TRUE = auto()
    FALSE = auto()


Token: TypeAlias = str | int | float | Marker
"""One cell before it is read as a number or a label. Equal tokens are the same cell; True, equal to 1, is no token."""


def spelled(number: float) -> str:
    """Return a JSON number as the text that a CSV payload would hold: 40.0 is 40."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def unwrapped(side: Payload) -> Payload:
    """Return a side of CSV text in BASE64 as the text, and any other as it is."""
    if not isinstance(side, CaptureSide) or side.encoding != "BASE64":
        return side
    try:
        is_json, text = text_of(side)
    except Rejected:
        return side
    return side if is_json or text.startswith(BYTE_ORDER_MARK) else text


def text_of(side: str | CaptureSide) -> tuple[bool, str]:
    """Return whether the side is JSON, and its text without a byte order mark, which endpoints take in their stride."""
    if isinstance(side, str):
        return False, require_unicode(side).removeprefix(BYTE_ORDER_MARK)
    if side.data is None:
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    if side.encoding == "BASE64":
        text = _from_base64(side.data).removeprefix(BYTE_ORDER_MARK)
        return _is_json(side.observed_content_type, text), text
    if side.encoding != "JSON":
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    return True, require_unicode(side.data).removeprefix(BYTE_ORDER_MARK)


def require_unicode(text: str) -> str:
    """Return the text, which has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # an escaped half of a surrogate pair, which no report could be written with
        raise Rejected(RejectionReason.NOT_UTF8) from error
    return text


def _from_base64(data: str) -> str:
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except UnicodeDecodeError as error:
        raise Rejected(RejectionReason.NOT_UTF8) from error
    except (binascii.Error, ValueError) as error:
        raise Rejected(RejectionReason.INVALID_BASE64) from error


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
            raise Rejected(RejectionReason.INPUT_NOT_JSON) from error


def csv_lines(text: str) -> list[list[str]]:
    """Return the fields of each line that has any; what is no CSV is rejected."""
    try:
        return [
            fields for fields in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True) if fields
        ]
    except csv.Error as error:
        raise Rejected(RejectionReason.INPUT_NOT_CSV) from error
