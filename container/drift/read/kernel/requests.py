"""Requests -> rows of tokens, one for each feature of the reference, whatever their encoding and shape."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.json_rows import Entry, by_position, counted_fields, entries
from plumbline.drift.read.kernel.payloads import (
    Body,
    Marker,
    Token,
    body_of,
    csv_lines,
    json_documents,
    require_unicode,
)
from plumbline.drift.read.kernel.records import Payload, Rejected

_ABSENT, _NOT_A_VALUE = Marker.ABSENT, Marker.NOT_A_VALUE
_TOKENS = frozenset({str, int, float})
BLANKS = " \t"
"""What may surround a name in a header row."""


def decode_input(side: Payload, names: Sequence[str]) -> list[list[Token]]:
    """Return the rows of an input side, each with one token per feature name.

    What names its values is read by name (JSON objects, columns, CSV below a header row): a feature that it does not
    name is absent in that row, so that a client that stops sending it shows up; what names no feature at all is not
    one of our rows; other names are ignored. One row that does not fit rejects the whole side.

    Raises
    ------
    Rejected
        If the side is absent, undecodable, or any row of it does not fit.
    """
    if side is None:
        raise Rejected(RejectionReason.NO_INPUT)
    body = body_of(side)
    rows = _json_rows(body.text, names) if body.is_json else _csv_rows(body, names)
    if not rows:
        raise Rejected(RejectionReason.NO_INPUT)
    return rows


def is_header(texts: Sequence[str], names: Sequence[str], n_rows: int) -> bool:
    """Return whether the first of some rows names the columns of those below it.

    It does if most of its texts are features, or all features are among them. Of a single column it takes a row below
    it: alone it is a value.
    """
    known = {*names}.intersection(texts)
    if not known or (len(names) == 1 and n_rows == 1):
        return False
    return sum(text in known for text in texts) * 2 > len(texts) or len(known) == len(names)


def header_fields(fields: Sequence[str]) -> list[str]:
    """Return the fields of a line of CSV as the names that it would have as a header row."""
    return [field.strip(BLANKS) for field in fields]


def _csv_rows(body: Body, names: Sequence[str]) -> list[list[Token]]:
    lines = csv_lines(body.text, body.type.delimiter)
    has_header = body.type.has_header
    if has_header is None:
        has_header = bool(lines) and is_header(header_fields(lines[0]), names, len(lines))
    if has_header and lines:
        header = header_fields(lines[0])
        if {*names}.isdisjoint(header):
            # Where the content type is wrong these are values of a row, which no report may hold.
            raise Rejected(RejectionReason.FIELD_COUNT, f"a header row of {counted_fields(header)}, none a feature")
        return [_by_name(row, names) for row in by_position(lines[1:], header, names)]
    for fields in lines:
        _require_fields(fields, len(names))
    return [[*fields] for fields in lines]


def _require_fields(row: Sequence[Any], n_features: int) -> None:
    if len(row) == n_features:
        return
    text, hint = row[0] if row and isinstance(row[0], str) else "", ""
    otherwise = [mark for mark in ";\t|" if len(row) == 1 and text.count(mark) == n_features - 1]
    if text.lstrip().startswith(("[", "{")):
        hint = " of text that begins like JSON"
    elif otherwise:
        hint = f", {n_features} if {otherwise[0]!r} divided them, which the content type has to say"
    raise Rejected(RejectionReason.FIELD_COUNT, f"{counted_fields(row)}{hint}")


def _json_rows(text: str, names: Sequence[str]) -> list[list[Token]]:
    documents = json_documents(text)
    found: list[Any] = [entry for document in documents for entry in entries(document, names)]
    if (
        found
        and {*map(type, found[0])} == {str}
        and isinstance(found[0], list)
        and is_header(found[0], names, len(found))
    ):
        found = by_position(found[1:], found[0], names)
    rows = [_tokens(_values(entry, names)) for entry in found]
    if "\\u" in text:
        for token in chain.from_iterable(rows):
            require_unicode(token if isinstance(token, str) else "")
    return rows


def _values(entry: Entry, names: Sequence[str]) -> list[Any]:
    if isinstance(entry, dict):
        return _by_name(entry, names)
    _require_fields(entry, len(names))
    return entry


def _by_name(row: Any, names: Sequence[str]) -> list[Any]:
    return [row.get(name, _ABSENT) for name in names]


def _tokens(values: Sequence[Any]) -> list[Token]:
    """Return JSON values as tokens; null is missing, as an empty field is."""
    return [value if type(value) in _TOKENS else _odd_token(value) for value in values]


def _odd_token(value: object) -> Token:
    if value is None:
        return ""
    if isinstance(value, bool):
        return Marker.TRUE if value else Marker.FALSE
    return _ABSENT if value is _ABSENT else _NOT_A_VALUE
