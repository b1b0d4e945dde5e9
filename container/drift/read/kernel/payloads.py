"""Sides of a record -> rows of tokens and predictions, whatever their encoding.

Each side names its own encoding: with one content type in the capture options and another in the
request, input and output of one record differ.
"""

import base64
import binascii
import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import msgspec

from plumbline.contract.rejection import RejectionReason
from plumbline.contract.training import PREDICTED_COLUMN, PROBABILITY_COLUMN, Task, finite_number
from plumbline.drift.read.kernel.records import CaptureSide, Payload, Rejected

BYTE_ORDER_MARK = "\ufeff"
MAX_FIELD_CHARACTERS = csv.field_size_limit()
_SHAPE_LENGTH = 200


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
        raise Rejected(RejectionReason.NO_INPUT)
    is_json, text = text_of(side)
    rows = _json_rows(text, names) if is_json else _csv_rows(text, len(names))
    if not rows:
        raise Rejected(RejectionReason.NO_INPUT)
    return rows


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
        return False, _unicode(side).removeprefix(BYTE_ORDER_MARK)
    if side.data is None:
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    if side.encoding == "BASE64":
        text = _from_base64(side.data).removeprefix(BYTE_ORDER_MARK)
        return _is_json(side.observed_content_type, text), text
    if side.encoding != "JSON":
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    return True, _unicode(side.data).removeprefix(BYTE_ORDER_MARK)


def _unicode(text: str) -> str:
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
            _unicode(token if isinstance(token, str) else "")
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


_SCORE = "score"
_PROBABILITIES = "probabilities"
_PREDICTED_LABEL = "predicted_label"
NO_CLASS = -1
"""Stands for the predicted class where there is none."""
_ROUNDING = 0.01
"""Probabilities of all classes, written with few digits, add up to 1 within this."""


@dataclass(frozen=True)
class Outputs:
    """What the endpoint's answers are made of; `classes` are the labels of more than two classes, in order."""

    task: Task = Task.BINARY
    classes: tuple[str, ...] = ()


class RowPrediction(NamedTuple):
    """The prediction for one row.

    `number` is the probability of the positive class, or of the predicted class, whose index among the classes is
    `predicted`; or the predicted number itself.
    """

    number: float
    predicted: int = NO_CLASS


NOT_CAPTURED = RowPrediction(math.nan)


def decode_output(side: Payload, n_rows: int, outputs: Outputs) -> list[RowPrediction]:
    """Return one prediction per row; `NOT_CAPTURED` for each where the output was not captured.

    Raises
    ------
    Rejected
        If the side is there and does not hold exactly one prediction for each row.
    """
    if side is None:
        return [NOT_CAPTURED] * n_rows
    try:
        is_json, text = text_of(side)
        values = _json_predictions(text) if is_json else [field for fields in csv_lines(text) for field in fields]
    except Rejected as error:
        raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION) from error
    predictions = _by_class(values, outputs) if outputs.task is Task.MULTICLASS else _numbers(values, outputs.task)
    if len(predictions) != n_rows:
        raise Rejected(RejectionReason.ROW_COUNT_MISMATCH)
    return predictions


def _json_predictions(text: str) -> list[Any]:
    """Return the values of a list, bare or under ``predictions``, or a single value."""
    document = load_json(text)
    predictions = document.get("predictions", document) if isinstance(document, dict) else document
    return predictions if isinstance(predictions, list) else [predictions]


def _numbers(values: Sequence[Any], task: Task) -> list[RowPrediction]:
    entries = [_answer(entry) if isinstance(entry, dict) else entry for entry in values]
    if task is Task.REGRESSION:
        return [RowPrediction(_number(entry)) for entry in entries]
    return [RowPrediction(_probability(entry)) for entry in entries]


def _answer(entry: Mapping[str, object]) -> object:
    """Return the probability of one answer object; SageMaker's own algorithms call it the score."""
    return entry.get(PROBABILITY_COLUMN, entry.get(_SCORE))


def _by_class(values: Sequence[Any], outputs: Outputs) -> list[RowPrediction]:
    """Return the most probable class of each row: rows are lists, objects, or so many numbers one after the other."""
    n_classes = len(outputs.classes)
    if any(isinstance(entry, list | dict) for entry in values):
        return [_of_row(entry, outputs.classes) for entry in values]
    if len(values) % n_classes:
        raise Rejected(RejectionReason.ROW_COUNT_MISMATCH)
    rows = [list(values[first : first + n_classes]) for first in range(0, len(values), n_classes)]
    return [_of_row(row, outputs.classes) for row in rows]


def _of_row(entry: Any, classes: Sequence[str]) -> RowPrediction:
    if isinstance(entry, dict):
        label = entry.get(_PREDICTED_LABEL, entry.get(PREDICTED_COLUMN))
        scores = entry.get(_PROBABILITIES, _answer(entry))
        if label is not None and not isinstance(scores, list):
            return _named(label, scores, classes)
        entry = scores
    if not isinstance(entry, list) or len(entry) != len(classes):
        raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION)
    probabilities = [_probability(value) for value in entry]
    if abs(sum(probabilities) - 1) > _ROUNDING:
        raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION)
    predicted = max(range(len(classes)), key=probabilities.__getitem__)
    return RowPrediction(probabilities[predicted], predicted)


def _named(label: object, score: object, classes: Sequence[str]) -> RowPrediction:
    text = str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
    if text not in classes:
        raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION)
    return RowPrediction(_probability(score), classes.index(text))


def _number(value: object) -> float:
    number = finite_number(value) if isinstance(value, str) else value
    if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
        return float(number)
    raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION)


def _probability(value: object) -> float:
    number = _number(value)
    if 0 <= number <= 1:
        return number
    raise Rejected(RejectionReason.OUTPUT_NOT_A_PREDICTION)
