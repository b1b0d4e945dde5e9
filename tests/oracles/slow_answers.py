"""Answers of an endpoint of two classes read slowly and obviously: one half of the slow reader.

The answer is taken apart in every way that gives one entry a row, and each entry is read in every way that makes sense.
Exactly one result must be left.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from tests.oracles.slow_requests import Reject, Side, csv_of

LABEL = ("label", "labels", "class")
SCORE = ("probabilities", "probability", "scores", "score")
WRAPPER = ("predictions", "outputs", "results", "data")


def predictions(side: object, n_rows: int, classes: Sequence[str] = ()) -> list[float] | None:
    """The probability of the last class for each row, or None where the answer cannot be read, or in two ways."""
    try:
        read = Side(_without_html(side))
        start = read.text.lstrip()[:2].lower()
        if start[:1] == "<" and (start[1:] in "!?/" or "a" <= start[1:] <= "z"):
            return None
        documents = _documents(read)
        lines = csv_of(read.text, read.delimiter or ",") if documents is None else []
    except Reject:
        return None
    for entries in _of_lines(lines, n_rows) if documents is None else _of_documents(documents, n_rows):
        if len(entries) != n_rows:
            continue
        found = [{round(value, 12) for value in _meanings(entry, classes)} for entry in entries]
        if all(len(values) == 1 for values in found):
            return [value for values in found for value in values]
        if any(len(values) > 1 for values in found):
            return None
    return None


def _without_html(side: object) -> object:
    if not isinstance(side, dict) or "html" not in str(side.get("observedContentType")).lower():
        return side
    return {**side, "observedContentType": None}


def _documents(read: Side) -> list[Any] | None:
    if not read.is_json and not read.text.lstrip().startswith(("[", "{")):
        return None
    for texts in ([read.text], [line for line in read.text.split("\n") if line.strip()]):
        try:
            if texts:
                return [json.loads(text) for text in texts]
        except (ValueError, RecursionError):
            continue
    if read.is_json:
        raise Reject("no_text")
    return None


def _of_lines(lines: list[list[str]], n_rows: int) -> Iterator[list[Any]]:
    if len(lines) == n_rows:
        yield list(lines)
    if len(lines) == 1 or n_rows > 1:
        yield [field for line in lines for field in line]


def _of_documents(documents: list[Any], n_rows: int) -> Iterator[list[Any]]:
    if len(documents) > 1:
        yield documents if len(documents) == n_rows else []
        parts = [_below(document) for document in documents]
        if len(documents) != n_rows > 1:
            yield [entry for part in parts for entry in (part if isinstance(part, list) else [part])]
        return
    document = _below(documents[0])
    while True:
        yield [document]
        if not isinstance(document, list):
            break
        yield document
        if len(document) != n_rows > 1 and all(isinstance(part, list) for part in document):
            yield [entry for part in document for entry in part]
        if len(document) != 1:
            break
        (document,) = document


def _below(document: Any) -> Any:
    while isinstance(document, dict):
        keys = [key for key in WRAPPER if document.get(key) is not None]
        if len(keys) != 1 or any(document.get(key) is not None for key in (*LABEL, *SCORE)):
            break
        document = document[keys[0]]
    return document


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or "_" in str(value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _meanings(entry: Any, classes: Sequence[str]) -> Iterator[float]:
    """Yield the probability of the last class by each reading."""
    while isinstance(entry, list) and len(entry) == 1:
        (entry,) = entry
    number = _number(entry)
    if number is not None and 0 <= number <= 1:
        yield number
    if isinstance(entry, str) and entry.strip() in classes:
        yield float(entry.strip() == classes[-1])
    if isinstance(entry, list) and len(entry) == 2 and classes:
        yield from _of_pair(entry, classes)
    if isinstance(entry, dict):
        label = next((entry[key] for key in LABEL if entry.get(key) is not None), None)
        score = next((entry[key] for key in SCORE if entry.get(key) is not None), None)
        if label is None and score is not None:
            yield from _meanings(score, classes)
        elif label is not None and score is None:
            yield from ([float(place)] if (place := _place(label, classes)) is not None else [])
        elif label is not None:
            yield from _of_label(_place(label, classes), _number(score), classes)
        elif len(entry) == 2 and {*entry} == {*classes}:
            yield from _meanings([entry[name] for name in classes], classes)


def _place(label: Any, classes: Sequence[str]) -> int | None:
    """The class that a label names by its text, or by its number."""
    if isinstance(label, str) and label.strip() in classes:
        return classes.index(label.strip())
    number = _number(label)
    return int(number) if number is not None and number in range(len(classes)) else None


def _of_pair(pair: list[Any], classes: Sequence[str]) -> Iterator[float]:
    first, second = _number(pair[0]), _number(pair[1])
    if first is not None and second is not None:
        if min(first, second) >= 0 and abs(first + second - 1) <= 0.001:
            yield second
    else:
        yield from _of_label(_place(pair[0], classes), second, classes)


def _of_label(place: int | None, score: float | None, classes: Sequence[str]) -> Iterator[float]:
    if place is None or score is None or not 0 <= score <= 1:
        return
    is_last = place == len(classes) - 1
    yield score if is_last else 1 - score
    if not is_last and score < 0.5:  # then the score may also be that of the last class
        yield score
