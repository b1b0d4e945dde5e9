"""Answers of the endpoint -> one prediction a row, whatever their encoding and shape."""

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import jmespath  # type: ignore[import-untyped]

from plumbline.contract.rejection import AnswerReason
from plumbline.contract.training import Task, finite_number
from plumbline.drift.read.kernel.payloads import Body, body_of, csv_lines, json_documents
from plumbline.drift.read.kernel.predictions import (
    LABEL_KEYS,
    SCORE_KEYS,
    Outputs,
    RowPrediction,
    Unreadable,
    ambiguous,
    prediction_of,
)
from plumbline.drift.read.kernel.records import CaptureSide, Payload, Rejected

NO_PREDICTION = RowPrediction(math.nan)
"""Of a row whose answer was not captured, or cannot be read."""
_WRAPPERS = ("predictions", "outputs", "results", "output", "result", "data", "response", "body")
"""Keys below which servers put the predictions of all rows."""
_KEYS = frozenset({*LABEL_KEYS, *SCORE_KEYS})
_ERROR_TEXT = re.compile(r"error|exception|traceback|failed|failure|unavailable|timed out|timeout|denied|invalid", re.I)
_MARKUP = re.compile(r"\s*<[a-z!?/]", re.I)
"""A page of a proxy or server. Labels may begin with the same character: ``<=50K``, ``<18``."""
_PATH_ERRORS = (jmespath.exceptions.JMESPathError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What an expression raises where its functions do not suit what an answer holds."""


def decode_output(side: Payload, n_rows: int, outputs: Outputs) -> list[RowPrediction]:
    """Return one prediction per row; `NO_PREDICTION` for each where the output was not captured.

    Raises
    ------
    Unreadable
        If the side is there and does not hold exactly one prediction for each row.
    """
    if side is None:
        return [NO_PREDICTION] * n_rows
    body = _body(side)
    if _MARKUP.match(body.text):
        raise Unreadable(AnswerReason.ERROR)
    documents = _documents(body)
    entries = _csv_entries(_lines(body), n_rows, outputs) if documents is None else _entries(documents, n_rows, outputs)
    try:
        return [prediction_of(entry, outputs) for entry in entries]
    except RecursionError as error:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION) from error
    except Unreadable as error:
        if documents is None and error.reason in _VAGUE and _ERROR_TEXT.search(body.text):
            raise Unreadable(AnswerReason.ERROR) from error
        raise


_VAGUE = {AnswerReason.NOT_A_PREDICTION, AnswerReason.UNKNOWN_LABEL}


def compiled(path: str) -> Any:
    """Return what finds the predictions by a path: a JMESPath expression, or the place of a column.

    Raises
    ------
    ValueError
        If the path is neither; the text is a rule, for an error message.
    """
    if path.isascii() and path.isdigit():
        return int(path)
    try:
        return _expression(path)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"must be a JMESPath expression or a column's number from 0, got {path!r}") from error


@cache
def _expression(path: str) -> Any:
    return jmespath.compile(path)


def _body(side: str | CaptureSide) -> Body:
    try:
        return body_of(side)
    except Rejected as error:
        # Web servers call any text HTML unless they are told otherwise: its first character decides.
        if isinstance(side, CaptureSide) and "html" in error.shape:
            return _body(_without_type(side))
        raise Unreadable(AnswerReason.NO_TEXT) from error


def _without_type(side: CaptureSide) -> CaptureSide:
    """Return the side without a content type."""
    return CaptureSide(side.data, side.encoding, None)


def _documents(body: Body) -> list[Any] | None:
    """Return the JSON documents of an answer; None where it is CSV. What is JSON is read so, whatever it is called."""
    if not body.is_json and not body.text.lstrip().startswith(("[", "{")):
        return None
    try:
        return json_documents(body.text)
    except Rejected as error:
        if body.is_json:
            is_error = _ERROR_TEXT.search(body.text) is not None
            raise Unreadable(AnswerReason.ERROR if is_error else AnswerReason.NO_TEXT) from error
        return None


def _lines(body: Body) -> list[list[str]]:
    try:
        return csv_lines(body.text, body.type.delimiter)
    except Rejected as error:
        raise Unreadable(AnswerReason.NO_TEXT) from error


def _csv_entries(lines: list[list[str]], n_rows: int, outputs: Outputs) -> Sequence[Any]:
    if len(lines) == n_rows + 1 and (header := _header(lines[0])):
        lines = lines[1:]
        if outputs.stated.path is None:
            return [dict(zip(header, fields, strict=False)) for fields in lines]
    if outputs.stated.path is not None:
        return _at_path([lines], n_rows, outputs)
    if len(lines) == n_rows > 1:
        return lines
    if len(lines) > 1 and n_rows == 1:
        raise Unreadable(AnswerReason.ROW_COUNT)
    fields = lines[0] if len(lines) == n_rows else [field for line in lines for field in line]
    return _of_list(fields, n_rows, outputs)


def _header(fields: Sequence[str]) -> list[str]:
    """Return the keys that a first line names; empty where it names none, or something else too."""
    keys = [field.strip().lower() for field in fields]
    return keys if set(keys) <= _KEYS else []


def _entries(documents: list[Any], n_rows: int, outputs: Outputs) -> Sequence[Any]:
    if outputs.stated.path is not None:
        return _at_path(documents, n_rows, outputs)
    if len(documents) == 1:
        return _of_document(documents[0], n_rows, outputs)
    if len(documents) == n_rows:
        return [entry for document in documents for entry in _of_document(document, 1, outputs)]
    found = _flat([_below(document) for document in documents])
    if n_rows == 1 or len(found) != n_rows:
        raise Unreadable(AnswerReason.ROW_COUNT)
    return found


def _at_path(documents: list[Any], n_rows: int, outputs: Outputs) -> Sequence[Any]:
    path = compiled(outputs.stated.path or "")
    if isinstance(path, int):
        rows = documents if len(documents) > 1 else _of_document(documents[0], n_rows, outputs)
        # The fields of one row of CSV, or of a JSON list, are the row itself.
        rows = [rows] if n_rows == 1 and len(rows) != 1 else rows
        rows = [row if isinstance(row, list) else [row] for row in rows]
        if any(len(row) <= path for row in rows):
            raise Unreadable(AnswerReason.NOT_AT_PATH)
        return _of_list([row[path] for row in rows], n_rows, outputs)
    found = []
    for document in documents:
        try:
            part = path.search(document)
        except _PATH_ERRORS as error:
            raise Unreadable(AnswerReason.NOT_AT_PATH) from error
        if part is None or part == []:
            raise Unreadable(AnswerReason.NOT_AT_PATH)
        found.append(part)
    if len(found) > 1:
        return found if len(found) == n_rows else _of_list(_flat(found), n_rows, outputs)
    return _of_list(found[0], n_rows, outputs) if isinstance(found[0], list) else _only(found[0], n_rows)


def _of_document(document: Any, n_rows: int, outputs: Outputs) -> Sequence[Any]:
    """Return one entry per row of a document."""
    found = _below(document)
    if isinstance(found, list):
        return _of_list(found, n_rows, outputs)
    if isinstance(found, dict) and n_rows > 1:
        columns = {key: value for key, value in found.items() if isinstance(value, list) and len(value) == n_rows}
        if columns and (set(map(str.lower, columns)) & _KEYS or len(columns) == len(found)):
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return _only(found, n_rows)


def _only(entry: Any, n_rows: int) -> list[Any]:
    if n_rows != 1:
        _raise_error(entry)
        raise Unreadable(AnswerReason.ROW_COUNT)
    return [entry]


def _raise_error(entry: Any) -> None:
    """Give up an answer that is the body of a failed request."""
    if isinstance(entry, dict):
        try:
            prediction_of(entry, Outputs(None))
        except Unreadable as error:
            if error.reason is AnswerReason.ERROR:
                raise


def _below(document: Any) -> Any:
    """Return what lies below the keys that servers put predictions under; elsewhere the document itself."""
    while isinstance(document, dict):
        keys = {key.lower(): key for key in document}
        wrappers = [key for key in _WRAPPERS if key in keys and document[keys[key]] is not None]
        others = keys.keys() & (_KEYS - {*_WRAPPERS})
        if not wrappers or others:
            break
        if len(wrappers) > 1:
            ambiguous(f"predictions below {wrappers[0]!r}", f"below {wrappers[1]!r}")
        inner = document[keys[wrappers[0]]]
        document = _tensor(inner) if isinstance(inner, list) else inner
    return document


def _tensor(values: list[Any]) -> list[Any]:
    """Return the rows of a named tensor of the Open Inference Protocol; other values as they are."""
    if not values or not all(isinstance(one, dict) and {"name", "data"} <= one.keys() for one in values):
        return values
    if len(values) > 1:
        ambiguous(f"predictions in the tensor {values[0]['name']!r}", f"in {values[1]['name']!r}")
    data, shape = values[0]["data"], values[0].get("shape")
    if not isinstance(data, list) or any(isinstance(one, list) for one in data):
        return data if isinstance(data, list) else [data]
    if not (isinstance(shape, list) and len(shape) == 2 and all(isinstance(one, int) and one > 0 for one in shape)):
        return data
    n_rows, width = shape
    if n_rows * width != len(data):
        return data
    return [data[start : start + width] for start in range(0, len(data), width)]


def _of_list(values: Sequence[Any], n_rows: int, outputs: Outputs) -> Sequence[Any]:
    """Return one entry per row of a list: of rows, of a single row's numbers, or of lists of rows."""
    n_classes = len(outputs.classes)
    if len(values) == n_rows > 1 or len(values) == n_rows == 1:
        return values
    if n_rows == 1:
        return _of_one_row(values, outputs)
    if len(values) == 1:
        return _of_document(values[0], n_rows, outputs)
    if not any(isinstance(one, list | dict) for one in values):
        if n_classes > 1 and len(values) == n_rows * n_classes:
            return [values[start : start + n_classes] for start in range(0, len(values), n_classes)]
    elif all(isinstance(one, list) for one in values) and sum(map(len, values)) == n_rows:
        return _flat(values)
    raise Unreadable(AnswerReason.ROW_COUNT)


def _of_one_row(values: Sequence[Any], outputs: Outputs) -> list[Any]:
    """Return a list as the one row's entry: numbers of all classes, labels with scores, a label with its score."""
    if not values:
        raise Unreadable(AnswerReason.ROW_COUNT)
    if any(isinstance(one, list | dict) for one in values):
        return [[*values]]
    numbers = [one for one in values if finite_number(one) is not None]
    wanted = {len(outputs.classes)} if outputs.classes or outputs.task is Task.REGRESSION else {2}
    if len(numbers) == len(values) and len(values) not in wanted:
        raise Unreadable(AnswerReason.ROW_COUNT)
    return [[*values]]


def _flat(parts: Sequence[Any]) -> list[Any]:
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]
