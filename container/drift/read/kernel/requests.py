"""Requests -> rows of tokens, one for each feature of the reference, whatever their encoding and shape."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.payloads import Marker, Token, csv_lines, load_json, require_unicode, text_of
from plumbline.drift.read.kernel.records import Payload, Rejected

_SHAPE_LENGTH = 200
_ABSENT, _NOT_A_VALUE = Marker.ABSENT, Marker.NOT_A_VALUE
_TOKENS = frozenset({str, int, float})


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
        raise Rejected(RejectionReason.NO_INPUT)
    is_json, text = text_of(side)
    rows = _json_rows(text, names) if is_json else _csv_rows(text, len(names))
    if not rows:
        raise Rejected(RejectionReason.NO_INPUT)
    return rows


def _csv_rows(text: str, n_features: int) -> list[list[Token]]:
    rows: list[list[Token]] = [[*fields] for fields in csv_lines(text)]
    for row in rows:
        _require_fields(row, n_features)
    return rows


def _require_fields(row: Sequence[object], n_features: int) -> None:
    if len(row) != n_features:
        raise Rejected(RejectionReason.FIELD_COUNT, f"{len(row)} fields")


def _json_rows(text: str, names: Sequence[str]) -> list[list[Token]]:
    """Return the rows of a list of lists or objects, bare or under ``instances``, or of a single such row."""
    document = load_json(text)
    instances = document.get("instances", [document]) if isinstance(document, dict) else document
    if not isinstance(instances, list):
        raise Rejected(RejectionReason.INPUT_NOT_ROWS)
    if instances and not any(isinstance(instance, list | dict) for instance in instances):
        instances = [instances]
    rows = [_tokens(_values(instance, names)) for instance in instances]
    if "\\u" in text:
        for token in chain.from_iterable(rows):
            require_unicode(token if isinstance(token, str) else "")
    return rows


def _values(instance: object, names: Sequence[str]) -> list[object]:
    if isinstance(instance, list):
        _require_fields(instance, len(names))
        return instance
    if not isinstance(instance, dict):
        raise Rejected(RejectionReason.INPUT_NOT_ROWS)
    if instance.keys().isdisjoint(names):
        keys = ", ".join(sorted(instance))[:_SHAPE_LENGTH]
        raise Rejected(RejectionReason.FIELD_COUNT, f"the keys {keys.encode(errors='backslashreplace').decode()}")
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
