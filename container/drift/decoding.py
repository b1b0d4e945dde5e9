"""One side of a capture record: its text decoded into rows of cells, or into probabilities.

Each side says by itself how it is encoded: with one content type in the capture options and another in the
request, input and output of one record differ.
"""

import base64
import binascii
import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from contract.training import PROBABILITY_COLUMN, finite_number
from drift.rejection import Reason, Rejected
from drift.table import FeatureSpec
from drift.values import Cell, NotANumberError, cell

Row = tuple[Cell, ...]
_BYTE_ORDER_MARK = "\ufeff"


def decode_input(side: object, specs: Sequence[FeatureSpec]) -> list[Row]:
    """Return the rows of an input side, each with one cell per spec.

    JSON objects are read by name: a feature that an object does not name is missing in that row, so that a client
    that stops sending it shows up as missing values; an object that names no feature at all is not one of our
    rows; other names are ignored.

    Raises
    ------
    Rejected
        If the side is absent, undecodable, or any row of it does not fit.
    """
    if side is None:
        raise Rejected(Reason.NO_INPUT)
    is_json, text = _text(side)
    rows = _json_rows(text, specs) if is_json else _csv_rows(text, specs)
    if not rows:
        raise Rejected(Reason.NO_INPUT)
    return rows


def decode_output(side: object, n_rows: int) -> list[float]:
    """Return one probability per row; NaN for each where the output was not captured.

    Raises
    ------
    Rejected
        If the side is there and does not hold exactly one probability, 0 to 1, for each row.
    """
    if side is None:
        return [math.nan] * n_rows
    try:
        is_json, text = _text(side)
        values = _json_predictions(text) if is_json else _csv_fields(text)
    except Rejected as error:
        raise Rejected(Reason.OUTPUT_NOT_A_PREDICTION) from error
    probabilities = [_probability(value) for value in values]
    if len(probabilities) != n_rows:
        raise Rejected(Reason.ROW_COUNT_MISMATCH)
    return probabilities


def _text(side: object) -> tuple[bool, str]:
    """Return whether the side is JSON, and its text without a byte order mark, which endpoints take in their stride."""
    if not isinstance(side, Mapping) or not isinstance(side.get("data"), str):
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    data, encoding = side["data"], side.get("encoding")
    if encoding == "BASE64":
        text = _from_base64(data).removeprefix(_BYTE_ORDER_MARK)
        return _is_json(side.get("observedContentType"), text), text
    if not isinstance(encoding, str) or encoding not in {"CSV", "JSON"}:
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    return encoding == "JSON", _unicode(data).removeprefix(_BYTE_ORDER_MARK)


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


def _is_json(content_type: object, text: str) -> bool:
    """Decide by the content type; where the model server named none or another one, by the first character."""
    media_type = content_type.lower() if isinstance(content_type, str) else ""
    if "json" in media_type or "csv" in media_type:
        return "json" in media_type
    return text.lstrip().startswith(("[", "{"))


def _load_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Rejected(Reason.INPUT_NOT_JSON) from error


def _csv_lines(text: str) -> list[list[str]]:
    try:
        return [
            fields for fields in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True) if fields
        ]
    except csv.Error as error:
        raise Rejected(Reason.INPUT_NOT_CSV) from error


def _csv_fields(text: str) -> list[str]:
    return [field for fields in _csv_lines(text) for field in fields]


def _csv_rows(text: str, specs: Sequence[FeatureSpec]) -> list[Row]:
    return [_row(fields, specs) for fields in _csv_lines(text)]


def _json_rows(text: str, specs: Sequence[FeatureSpec]) -> list[Row]:
    """Return the rows of a list of lists or objects, bare or under ``instances``, or of a single such row."""
    document = _load_json(text)
    instances = document.get("instances", [document]) if isinstance(document, dict) else document
    if not isinstance(instances, list):
        raise Rejected(Reason.INPUT_NOT_ROWS)
    if instances and not any(isinstance(instance, list | dict) for instance in instances):
        instances = [instances]
    return [_row(_values(instance, specs), specs) for instance in instances]


def _values(instance: object, specs: Sequence[FeatureSpec]) -> list[object]:
    if isinstance(instance, list):
        return instance
    if not isinstance(instance, dict):
        raise Rejected(Reason.INPUT_NOT_ROWS)
    if not any(spec.name in instance for spec in specs):
        raise Rejected(Reason.FIELD_COUNT)
    return [instance.get(spec.name) for spec in specs]


def _row(values: Sequence[object], specs: Sequence[FeatureSpec]) -> Row:
    if len(values) != len(specs):
        raise Rejected(Reason.FIELD_COUNT)
    try:
        return tuple(cell(spec.type, _spelled(value)) for spec, value in zip(specs, values, strict=True))
    except NotANumberError as error:
        raise Rejected(Reason.NOT_A_NUMBER) from error


def _spelled(value: object) -> str:
    """Return a JSON value as the text that a CSV payload would hold: null is missing, 40.0 is 40."""
    if isinstance(value, str):
        return _unicode(value)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected(Reason.NOT_A_VALUE)
    if isinstance(value, float) and not math.isfinite(value):
        raise Rejected(Reason.NOT_A_NUMBER)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _json_predictions(text: str) -> list[object]:
    """Return the values of a list, bare or under ``predictions``, or a single value."""
    document = _load_json(text)
    predictions = document.get("predictions", document) if isinstance(document, dict) else document
    if not isinstance(predictions, list):
        predictions = [predictions]
    return [entry.get(PROBABILITY_COLUMN) if isinstance(entry, dict) else entry for entry in predictions]


def _probability(value: object) -> float:
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, int | float) else ""
    number = None if isinstance(value, bool) else finite_number(text)
    if number is None or not 0 <= number <= 1:
        raise Rejected(Reason.OUTPUT_NOT_A_PREDICTION)
    return number
