"""Sides of a record -> their text, whatever its encoding, and the tokens that their cells are read as.

Each side names its own encoding: with one content type in the capture options and another in the
request, input and output of one record differ.
"""

import base64
import binascii
import csv
import io
import json
import re
from enum import Enum, auto
from typing import Any, NamedTuple, TypeAlias

import msgspec

from plumbline.contract.decoding import MAX_DEPTH, require_flat
from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.content_types import ContentType, content_type, recognised
from plumbline.drift.read.kernel.records import CaptureSide, Payload, Rejected

BYTE_ORDER_MARK = "\ufeff"
MAX_FIELD_CHARACTERS = csv.field_size_limit()
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""What stands in no text."""


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


class Body(NamedTuple):
    """The text of a side without a byte order mark, which endpoints take in their stride, and how it is to be read."""

    text: str
    is_json: bool
    type: ContentType


def unwrapped(side: Payload) -> Payload:
    """Return a side that is CSV, divided by commas, as its text, and any other as it is."""
    if not isinstance(side, CaptureSide):
        return side
    try:
        body = body_of(side)
    except Rejected:
        return side
    return side if body.is_json or not body.type.is_usual or body.text.startswith(BYTE_ORDER_MARK) else body.text


def body_of(side: str | CaptureSide) -> Body:
    """Return the text of a side.

    Raises
    ------
    Rejected
        If it is no text, or of a content type whose bodies are none.
    """
    if isinstance(side, str):
        return Body(require_unicode(side).removeprefix(BYTE_ORDER_MARK), False, ContentType())
    if side.data is None or side.encoding is None:
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    named = content_type(side.observed_content_type)
    if named.unsupported:
        raise Rejected(RejectionReason.UNSUPPORTED_CONTENT_TYPE, named.unsupported)
    if side.encoding == "BASE64":
        text = _from_base64(side.data, named).removeprefix(BYTE_ORDER_MARK)
        return Body(text, _is_json(named, text), named)
    # The character set is that of the body: what was captured as text has been decoded.
    return Body(require_unicode(side.data).removeprefix(BYTE_ORDER_MARK), side.encoding == "JSON", named)


def text_of(side: str | CaptureSide) -> tuple[bool, str]:
    """Return whether the side is JSON, and its text."""
    body = body_of(side)
    return body.is_json, body.text


def require_unicode(text: str) -> str:
    """Return the text, which has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # an escaped half of a surrogate pair, which no report could be written with
        raise Rejected(RejectionReason.NOT_UTF8) from error
    return text


def _from_base64(data: str, named: ContentType) -> str:
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected(RejectionReason.INVALID_BASE64) from error
    try:
        text = content.decode(named.charset)
    except UnicodeDecodeError as error:
        raise _no_text(content, named) from error
    if not named.is_text and named.media_type and _CONTROL.search(text):
        raise _no_text(content, named)
    return text


def _no_text(content: bytes, named: ContentType) -> Rejected:
    """Return the rejection of bytes that are no text: by their content type where it does not promise text."""
    found = recognised(content)
    if named.is_text or not (found or named.media_type):
        return Rejected(RejectionReason.NOT_UTF8, found or "")
    return Rejected(RejectionReason.UNSUPPORTED_CONTENT_TYPE, found or named.media_type)


def _is_json(named: ContentType, text: str) -> bool:
    """Decide by the content type; where the model server named none or another one, by the first character."""
    return named.is_json or (not named.is_csv and _begins_like_json(text))


def _begins_like_json(text: str) -> bool:
    return text.lstrip().startswith(("[", "{"))


def load_json(text: str) -> Any:
    """Return the document; what Python reads and msgspec does not are NaN, 1e400 and half surrogate pairs."""
    try:
        document = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            seen = "" if _begins_like_json(text) else "text that begins like CSV"
            raise Rejected(RejectionReason.INPUT_NOT_JSON, seen) from error
    if text.count("[") + text.count("{") > MAX_DEPTH:
        try:
            require_flat(document)
        except ValueError as error:  # whoever takes it apart would go as deep
            raise Rejected(RejectionReason.INPUT_NOT_ROWS, "rows nested too deeply") from error
    return document


def json_documents(text: str) -> list[Any]:
    """Return the document of a text, or those of its lines where it is JSON Lines; blank lines are nothing.

    A text that is one document is read as one, over however many lines it goes.
    """
    try:
        return [load_json(text)]
    except Rejected as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if error.reason is not RejectionReason.INPUT_NOT_JSON or len(lines) < 2:
            raise
        return [load_json(line) for line in lines]


def csv_lines(text: str, delimiter: str = ",") -> list[list[str]]:
    """Return the fields of each line that has any; what is no CSV is rejected."""
    try:
        # Blanks after a delimiter are part of no field, but a tab that divides fields is no blank.
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
        return [fields for fields in lines if fields]
    except csv.Error as error:
        seen = "text that begins like JSON" if _begins_like_json(text) else ""
        raise Rejected(RejectionReason.INPUT_NOT_CSV, seen) from error
