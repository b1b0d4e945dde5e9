"""One row's part of an answer -> its prediction, by what is stated of the answers and what its shape says.

Nothing is guessed: a number that can be read in two ways with two results is refused as ambiguous, with both readings.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.predictions import PredictionFormat, PredictionKind, sigmoid
from plumbline.contract.rejection import AnswerReason
from plumbline.contract.training import DECISION_THRESHOLD, Task, finite_number
from plumbline.contract.values import canonical

NO_CLASS = -1
"""Stands for the predicted class where there is none."""
_FLOAT_ERROR = 1e-3
"""Probabilities of all classes in single or half precision add up to 1 within this."""
_MAX_ROUNDING = 0.5
LABEL_KEYS = (
    "predicted_label", "predicted", "predicted_class", "label", "labels", "class", "classes", "class_name",
    "prediction", "predictions",
)  # fmt: skip
"""Keys of a label, the more telling first."""
SCORE_KEYS = (
    "probabilities", "probability", "scores", "score", "prob", "probs", "proba", "predict_proba", "confidence",
    "confidences", "logits",
)  # fmt: skip
"""Keys of the numbers that belong to labels; SageMaker's own algorithms say score."""
VALUE_KEYS = ("value", "values", "output", "result")
_KNOWN_KEYS = frozenset({*LABEL_KEYS, *SCORE_KEYS, *VALUE_KEYS})
_ERROR_KEYS = frozenset(
    "error errors error_message errormessage errorcode error_code message messages detail details exception "
    "traceback code status statuscode status_code failure reason originalmessage originalstatuscode".split()
)
_NOT_FINITE = {"", "nan", "inf", "-inf", "infinity", "-infinity"}
_DEFAULT_NAMES = ("label_", "class_", "__label__")
"""What programs call classes that they know the numbers of only: LABEL_1 of Transformers, __label__1 of BlazingText."""


class Unreadable(Exception):
    """Raised to give up one answer, and no more of its record; `readings` are those of an ambiguous one, in words."""

    def __init__(self, reason: AnswerReason, readings: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.readings = readings


class RowPrediction(NamedTuple):
    """The prediction for one row.

    `number` is the probability of the positive class, or of the predicted class, whose index among the classes is
    `predicted`; or the predicted number itself. A label alone has a probability of 1, or 0 where it is the negative.
    """

    number: float
    predicted: int = NO_CLASS


@dataclass(frozen=True)
class Outputs:
    """What the endpoint's answers are made of.

    `task` is None where nothing says what the model predicts: numbers are then read as they are. `classes` are the
    labels in order; empty: not known. `positive_label` is the class whose probability is read; None: the last of two.
    """

    task: Task | None = Task.BINARY
    classes: tuple[str, ...] = ()
    positive_label: str | None = None
    stated: PredictionFormat = field(default_factory=PredictionFormat)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Each class's place, by its one spelling."""
        return {canonical(label): place for place, label in enumerate(self.classes)}

    @property
    def is_binary(self) -> bool:
        """Whether a probability of one class says all."""
        return self.task is Task.BINARY

    @cached_property
    def positive(self) -> int:
        """Place of the class whose probability is read."""
        return 1 if self.positive_label is None else self.index.get(canonical(self.positive_label), 1)

    @cached_property
    def is_flipped(self) -> bool:
        """Whether a number alone is stated to be that of the other class than the one whose probability is read."""
        stated = self.stated.positive_label
        return stated is not None and self.index.get(canonical(stated), self.positive) != self.positive

    @cached_property
    def label_or_probability(self) -> bool:
        """Whether there is a number that is one probability as a label and another one as a number."""
        if self.stated.kind is not None:
            return False
        numbers = ((finite_number(label), place) for label, place in self.index.items())
        found = [(number, place) for number, place in numbers if number is not None and 0 <= number <= 1]
        return any(self.of_number(number) != self.of_label(place) for number, place in found)

    def of_number(self, number: float) -> float:
        """Return the probability that is read, of a number alone that is a probability."""
        return 1 - number if self.is_flipped else number

    def of_label(self, place: int) -> float:
        """Return the probability that is read where a label alone is the answer."""
        return float(place == self.positive)


def prediction_of(entry: Any, outputs: Outputs) -> RowPrediction:
    """Return the prediction of one row.

    Raises
    ------
    Unreadable
        If the entry is no prediction, or can be read in two ways.
    """
    entry = _single(entry)
    if outputs.task in {Task.REGRESSION, None}:
        return RowPrediction(_value(entry, outputs))
    if isinstance(entry, dict):
        return _of_object(_lowered(entry), outputs)
    if isinstance(entry, list):
        return _of_list(entry, outputs)
    return _of_scalar(entry, outputs)


def resolved(value: object, outputs: Outputs) -> int | None:
    """Return the place of the class that a label names, or None.

    A whole number names the class with that place, from 0, where no label is such a number; LABEL_1 does so too where
    no label is called that.
    """
    if isinstance(value, bool):
        found = outputs.index.get(str(value).lower())
        return outputs.index.get(str(int(value))) if found is None else found
    if not isinstance(value, str) and finite_number(value) is None:
        return None
    text = canonical(str(value))
    if text in outputs.index:
        return outputs.index[text]
    for prefix in _DEFAULT_NAMES:
        if text.lower().startswith(prefix):
            rest = canonical(text[len(prefix) :])
            return outputs.index[rest] if rest in outputs.index else _place(rest, outputs)
    return None if _has_places_as_labels(outputs) else _place(text, outputs)


def _place(text: str, outputs: Outputs) -> int | None:
    return (
        int(text) if len(text) < 6 and text.isascii() and text.isdigit() and int(text) < len(outputs.classes) else None
    )


def _has_places_as_labels(outputs: Outputs) -> bool:
    """Return whether a label is a number that could also be a place."""
    return any(str(place) in outputs.index for place in range(len(outputs.classes)))


def _single(entry: Any) -> Any:
    while isinstance(entry, list) and len(entry) == 1:
        (entry,) = entry
    return entry


def _lowered(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with the keys that are known, or those of errors, in lower case."""
    known = _KNOWN_KEYS | _ERROR_KEYS
    return {key.lower() if key.lower() in known else key: value for key, value in entry.items()}


def _of_scalar(value: object, outputs: Outputs) -> RowPrediction:
    kind, number = outputs.stated.kind, finite_number(value)
    if kind is PredictionKind.LABEL or number is None:
        return _of_label(value, outputs)
    if not outputs.is_binary:
        return _of_classfinite_number(value, number, outputs)
    if kind is PredictionKind.LOG_ODDS:
        return RowPrediction(outputs.of_number(sigmoid(number)))
    place = outputs.index.get(canonical(str(value))) if kind is None else None
    if not 0 <= number <= 1:
        if place is None:
            raise Unreadable(AnswerReason.NOT_A_PROBABILITY)
        return RowPrediction(outputs.of_label(place))
    found = outputs.of_number(number)
    if place is not None and outputs.of_label(place) != found:
        of = outputs.stated.positive_label or outputs.classes[outputs.positive]
        ambiguous(f"the label {outputs.classes[place]!r}", f"a probability of {number:g} for {of!r}")
    return RowPrediction(found)


def _of_classfinite_number(value: object, number: float, outputs: Outputs) -> RowPrediction:
    """Return the class that a number alone names: by its label, or by its place where no label is such a number."""
    by_label, by_place = outputs.index.get(canonical(str(value))), _place(canonical(repr(number)), outputs)
    if by_label is not None and by_place is not None and by_label != by_place:
        ambiguous(
            f"the label {outputs.classes[by_label]!r}", f"the class with that place, {outputs.classes[by_place]!r}"
        )
    return _of_label(value, outputs, by_place)


def _of_label(value: object, outputs: Outputs, by_place: int | None = None) -> RowPrediction:
    if value is None or isinstance(value, list | dict) or outputs.stated.kind not in {None, PredictionKind.LABEL}:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    place = _resolved(value, outputs, by_place)
    return RowPrediction(outputs.of_label(place)) if outputs.is_binary else RowPrediction(1.0, place)


def _resolved(label: object, outputs: Outputs, by_place: int | None = None) -> int:
    place = resolved(label, outputs)
    place = by_place if place is None else place
    if place is None:
        is_label = bool(outputs.classes) and label is not None and str(label).strip().lower() not in _NOT_FINITE
        raise Unreadable(AnswerReason.UNKNOWN_LABEL if is_label else AnswerReason.NOT_A_PREDICTION)
    return place


def _of_list(entry: Sequence[Any], outputs: Outputs) -> RowPrediction:
    """Return the prediction of a list: numbers of all classes in order, labels with scores, or one label with its."""
    if entry and all(isinstance(one, dict) for one in entry):
        return _of_pairs([_pair(_lowered(one)) for one in entry], outputs)
    if entry and all(isinstance(one, list) and len(one) == 2 for one in entry):
        return _of_pairs([(label, score) for label, score in entry], outputs)
    numbers = [finite_number(one) for one in entry]
    known = [number for number in numbers[1:] if number is not None]
    if entry and numbers[0] is not None and len(known) == len(entry) - 1:
        if len(entry) == 2 and _is_label_with_score(entry[0], [numbers[0], *known], outputs):
            return _labelled(entry[0], known[0], outputs)
        return _of_scores([numbers[0], *known], outputs)
    if len(entry) == 2 and len(known) == 1:
        return _labelled(entry[0], known[0], outputs)
    if entry and len(known) == len(entry) - 1 == len(outputs.classes):
        return _with_label(entry[0], known, outputs)
    raise Unreadable(AnswerReason.NOT_A_PREDICTION)


def _is_label_with_score(label: object, numbers: Sequence[float], outputs: Outputs) -> bool:
    """Return whether two numbers are a label and its score: the first is a label, and the two are no distribution."""
    if outputs.stated.kind not in {None, PredictionKind.LABEL} or canonical(str(label)) not in outputs.index:
        return False
    if outputs.is_binary and min(numbers) >= 0 and adds_up(numbers):
        if outputs.stated.kind is None and isinstance(label, str) and label.strip() in outputs.classes:
            ambiguous(f"the label {label.strip()!r} with its score", "a probability of each class")
        return False
    return True


def _of_object(entry: Mapping[str, Any], outputs: Outputs) -> RowPrediction:
    label_key, score_key = _first(LABEL_KEYS, entry), _first(SCORE_KEYS, entry)
    label = _single(entry[label_key]) if label_key else None
    score = _single(entry[score_key]) if score_key else None
    if label is None and score is None:
        return _of_other_object(entry, outputs)
    is_label = outputs.stated.kind is PredictionKind.LABEL and not isinstance(label, list)
    if label is None:
        return prediction_of(score, outputs)
    if score is None or is_label:
        is_named = label_key not in {"prediction", "predictions"} and not isinstance(label, list | dict)
        return _of_label(label, outputs) if is_named else prediction_of(label, outputs)
    if isinstance(label, list) and isinstance(score, list) and len(label) == len(score):
        return _of_pairs([*zip(label, map(_single, score), strict=True)], outputs)
    if isinstance(score, list | dict):
        return _with_label(label, _scores_of(score, outputs), outputs)
    is_built_in = (label_key, score_key) == ("predicted_label", "score") and outputs.is_binary
    return (_built_in if is_built_in else _labelled)(label, _required(score), outputs)


def _of_other_object(entry: Mapping[str, Any], outputs: Outputs) -> RowPrediction:
    value_key = _first(VALUE_KEYS, entry)
    if value_key is not None:
        return prediction_of(entry[value_key], outputs)
    if len(entry) > 1 and all(resolved(key, outputs) is not None for key in entry):
        return _of_scores(_scores_of(entry, outputs), outputs)
    raise Unreadable(AnswerReason.ERROR if _ERROR_KEYS & entry.keys() else AnswerReason.NOT_A_PREDICTION)


def _first(keys: Sequence[str], entry: Mapping[str, Any]) -> str | None:
    return next((key for key in keys if entry.get(key) is not None), None)


def _required(value: object) -> float:
    number = finite_number(value)
    if number is None:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    return number


def _scores_of(scores: Any, outputs: Outputs) -> list[float]:
    """Return the number of each class, in order, of a list or of an object by label."""
    if isinstance(scores, dict):
        places = {_resolved(key, outputs): value for key, value in scores.items()}
        if len(places) != len(scores) or len(places) != len(outputs.classes):
            raise Unreadable(AnswerReason.NOT_A_PREDICTION)
        scores = [places[place] for place in range(len(places))]
    if len(scores) != len(outputs.classes):
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    return [_required(_single(score)) for score in scores]


def _pair(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    label_key, score_key = _first(LABEL_KEYS, entry), _first(SCORE_KEYS, entry)
    if label_key is None or score_key is None:
        raise Unreadable(AnswerReason.ERROR if _ERROR_KEYS & entry.keys() else AnswerReason.ROW_COUNT)
    return _single(entry[label_key]), _single(entry[score_key])


def _of_pairs(pairs: Sequence[tuple[Any, Any]], outputs: Outputs) -> RowPrediction:
    """Return the prediction of several labels with a score each: those of all classes, or the best few of them."""
    scores = {_resolved(label, outputs): _required(score) for label, score in pairs}
    if len(scores) != len(pairs):
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    if len(scores) == len(outputs.classes):
        return _of_scores([scores[place] for place in range(len(scores))], outputs)
    best = max(scores, key=scores.__getitem__)
    if len(scores) == 1:
        return _labelled(outputs.classes[best], scores[best], outputs)
    if min(scores.values()) < 0 or math.fsum(scores.values()) > 1 + _FLOAT_ERROR:
        raise Unreadable(AnswerReason.NOT_A_PROBABILITY)
    return _labelled(outputs.classes[best], scores[best], outputs)


def _of_scores(scores: Sequence[float], outputs: Outputs) -> RowPrediction:
    """Return the prediction of a number for each class, in the order of the classes."""
    if not outputs.classes and len(scores) == 2:
        ambiguous("the probability of the negative class first", "that of the positive class first")
    if len(scores) != len(outputs.classes) or outputs.stated.kind is PredictionKind.LABEL:
        raise Unreadable(AnswerReason.NOT_A_PREDICTION)
    probabilities = _distribution(scores, outputs)
    if outputs.is_binary:
        return RowPrediction(probabilities[outputs.positive])
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    return RowPrediction(probabilities[best], best)


def _with_label(label: object, scores: Sequence[float], outputs: Outputs) -> RowPrediction:
    """Return the prediction of a label beside a number for each class: the label decides which class is predicted."""
    place = _resolved(label, outputs)
    if outputs.is_binary:
        return _of_scores(scores, outputs)
    return RowPrediction(_distribution(scores, outputs)[place], place)


def _distribution(scores: Sequence[float], outputs: Outputs) -> Sequence[float]:
    if outputs.stated.kind is PredictionKind.LOG_ODDS:
        weights = [math.exp(max(score - max(scores), -700.0)) for score in scores]
        return [weight / math.fsum(weights) for weight in weights]
    if not all(0 <= score <= 1 for score in scores) or not adds_up(scores):
        raise Unreadable(AnswerReason.NOT_A_PROBABILITY)
    return scores


def adds_up(probabilities: Sequence[float]) -> bool:
    """Return whether probabilities of all classes add up to 1, as far as the digits that they are written with allow.

    Each may be off by half a unit of the last digit that any of them has.

    Examples
    --------
    >>> adds_up([0.33, 0.33, 0.33]), adds_up([0.333, 0.333, 0.33]), adds_up([1.0, 1.0, 0.0])
    (True, False, False)
    """
    gap = abs(math.fsum(probabilities) - 1)
    if gap <= _FLOAT_ERROR:
        return True
    digits = max(-int(Decimal(repr(one)).normalize().as_tuple().exponent) for one in probabilities)
    return digits > 0 and gap <= min(_MAX_ROUNDING, len(probabilities) * 0.5 * 10**-digits) + 1e-9


def _built_in(label: object, score: float, outputs: Outputs) -> RowPrediction:
    """Return the prediction of SageMaker's built-in algorithms for two classes: the score is that of the positive one.

    Source: SageMaker Developer Guide, "Linear learner response formats".
    """
    # Its labels are 0 and 1 where no others are known.
    known = outputs if outputs.classes else replace(outputs, classes=("0", "1"))
    place = _resolved(label, known)
    probability = outputs.of_number(_probability(score, outputs))
    if outputs.stated.kind is None and (probability >= DECISION_THRESHOLD) != (place == known.positive):
        _of_which(place, known)
    return RowPrediction(probability)


def _labelled(label: object, score: float, outputs: Outputs) -> RowPrediction:
    """Return the prediction of a label with its own score."""
    if outputs.stated.kind is PredictionKind.LABEL:
        return _of_label(label, outputs)
    place = _resolved(label, outputs)
    probability = _probability(score, outputs)
    if not outputs.is_binary:
        return RowPrediction(probability, place)
    if outputs.stated.kind is None and probability < DECISION_THRESHOLD and place != outputs.positive:
        _of_which(place, outputs)
    return RowPrediction(probability if place == outputs.positive else 1 - probability)


def _of_which(place: int, outputs: Outputs) -> NoReturn:
    positive = outputs.classes[outputs.positive]
    ambiguous(f"the score of the label {outputs.classes[place]!r} beside it", f"that of {positive!r}")


def _probability(number: float, outputs: Outputs) -> float:
    if outputs.stated.kind is PredictionKind.LOG_ODDS and outputs.is_binary:
        return sigmoid(number)
    if 0 <= number <= 1:
        return number
    raise Unreadable(AnswerReason.NOT_A_PROBABILITY)


def _value(entry: Any, outputs: Outputs) -> float:
    """Return the number of a target that is a quantity, or of one of which nothing is known."""
    if isinstance(entry, dict):
        entry = _lowered(entry)
        label_key, key = _first(LABEL_KEYS, entry), _first((*VALUE_KEYS, *SCORE_KEYS, *LABEL_KEYS), entry)
        if key is None:
            raise Unreadable(AnswerReason.ERROR if _ERROR_KEYS & entry.keys() else AnswerReason.NOT_A_PREDICTION)
        if outputs.task is None and label_key not in {None, key}:
            ambiguous("the probability of a label", "a number of its own")
        entry = _single(entry[key])
    if isinstance(entry, list) and outputs.task is None and entry:
        ambiguous("a number for each class", "several predicted numbers")
    return _required(entry)


def ambiguous(one: str, other: str) -> NoReturn:
    """Give up an answer that can be read in two ways.

    Raises
    ------
    Unreadable
        Always, with both readings.
    """
    raise Unreadable(AnswerReason.AMBIGUOUS, f"{one}, or {other}")


def sigmoids(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what `sigmoid` returns of each; same shape."""
    return np.array([*map(sigmoid, log_odds.tolist())], dtype=np.float64)
