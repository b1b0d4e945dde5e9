"""Answers of the endpoint -> one prediction a row, whatever their encoding and shape."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from plumbline.contract.rejection import AnswerReason
from plumbline.contract.training import PREDICTED_COLUMN, PROBABILITY_COLUMN, Task, finite_number
from plumbline.drift.read.kernel.payloads import csv_lines, load_json, text_of
from plumbline.drift.read.kernel.records import Payload, Rejected

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


NO_PREDICTION = RowPrediction(math.nan)
"""Of a row whose answer was not captured, or cannot be read."""


class Unreadable(Exception):
    """Raised to give up one answer, and no more of its record."""

    def __init__(self, reason: AnswerReason) -> None:
        super().__init__(reason)
        self.reason = reason


def decode_output(side: Payload, n_rows: int, outputs: Outputs) -> list[RowPrediction]:
    """Return one prediction per row; `NO_PREDICTION` for each where the output was not captured.

    Raises
    ------
    Unreadable
        If the side is there and does not hold exactly one prediction for each row.
    """
    if side is None:
        return [NO_PREDICTION] * n_rows
    try:
        is_json, text = text_of(side)
        values = _json_predictions(text) if is_json else [field for fields in csv_lines(text) for field in fields]
    except Rejected as error:
        raise Unreadable(AnswerReason.NO_TEXT) from error
    predictions = _by_class(values, outputs) if outputs.task is Task.MULTICLASS else _numbers(values, outputs.task)
    if len(predictions) != n_rows:
        raise Unreadable(AnswerReason.ROW_COUNT)
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
        raise Unreadable(AnswerReason.ROW_COUNT)
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
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    probabilities = [_probability(value) for value in entry]
    if abs(sum(probabilities) - 1) > _ROUNDING:
        raise Unreadable(AnswerReason.NOT_A_PROBABILITY)
    predicted = max(range(len(classes)), key=probabilities.__getitem__)
    return RowPrediction(probabilities[predicted], predicted)


def _named(label: object, score: object, classes: Sequence[str]) -> RowPrediction:
    text = str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
    if text not in classes:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    return RowPrediction(_probability(score), classes.index(text))


def _number(value: object) -> float:
    number = finite_number(value)
    if number is None:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    return number


def _probability(value: object) -> float:
    number = _number(value)
    if 0 <= number <= 1:
        return number
    raise Unreadable(AnswerReason.NOT_A_PROBABILITY)
