"""What SageMaker's XGBoost image calls in script mode, `model_fn` and `transform_fn`: rows in, probabilities out.

A row is the training columns in order without the target. The response speaks the request's own format unless
the caller's Accept names the other one. The image puts its own default (application/json) in place of an absent
Accept, so the endpoint sets SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT to */*.

The image turns any exception of these functions into status 500, which counts as a fault of the model and rolls a
deployment back. So a request that cannot be answered gets a response of its own, with status 400, 406 or 415.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from plumbline.contract.training import MODEL_BOOSTER, MODEL_PREPROCESSOR, PROBABILITY_COLUMN
from plumbline.drift.preprocessing import Preprocessor, RowError

CSV = "text/csv"
JSON = "application/json"
SUPPORTED = (CSV, JSON)
ANY = ("", "*/*")


class PayloadError(ValueError):
    """Raised when a request cannot be read as rows."""

    status_code = 400


class UnsupportedContentTypeError(PayloadError):
    """Raised for a content type this model does not read."""

    status_code = 415


class UnsupportedAcceptError(PayloadError):
    """Raised for a content type this model does not write."""

    status_code = 406


@dataclass(frozen=True)
class ServedModel:
    """A booster and the preprocessor it was trained with."""

    preprocessor: Preprocessor
    booster: xgboost.Booster


Row = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """Rows of text cells as they came, and the media type they came in."""

    rows: tuple[Row, ...]
    media_type: str


@dataclass(frozen=True)
class Prediction:
    """Probabilities of the positive class, shape (n_rows,), and the media type of their request."""

    probabilities: NDArray[np.float32]
    media_type: str


def model_fn(model_dir: str) -> ServedModel:
    """Load what the training job left in the model folder."""
    folder = Path(model_dir)
    booster = xgboost.Booster(model_file=str(folder / MODEL_BOOSTER))
    # One request is a few rows: a pool of threads costs more than it brings, and the server has a worker per core.
    booster.set_param({"nthread": 1})
    text = (folder / MODEL_PREPROCESSOR).read_text(encoding="utf-8")
    return ServedModel(Preprocessor.from_json(text), booster)


def transform_fn(model: ServedModel, content: str | bytes, content_type: str, accept: str | None) -> Any:
    """Answer one request: text and media type, or the image's own response with the status of a client's mistake.

    Parameters
    ----------
    content
        Text, as which the image decodes bare CSV and JSON; bytes of other content types, also of those with parameters.
    """
    try:
        return write_response(predict(read_request(content, content_type), model), accept)
    except PayloadError as error:
        # Deferred: only the image has its package.
        from sagemaker_containers.beta.framework import worker

        body = json.dumps({"error": type(error).__name__, "error-message": str(error)})
        return worker.Response(response=body, status=error.status_code, mimetype=JSON)


def read_request(input_data: str | bytes, content_type: str) -> Request:
    """Read a request's rows.

    Raises
    ------
    UnsupportedContentTypeError
        If the content type is neither CSV nor JSON.
    PayloadError
        If the text is not of its content type.
    """
    media_type = _media_type(content_type)
    if media_type not in SUPPORTED:
        raise UnsupportedContentTypeError(f"content type must be {' or '.join(SUPPORTED)}, got {content_type!r}")
    try:
        text = input_data.decode() if isinstance(input_data, bytes) else input_data
    except UnicodeDecodeError as error:
        raise PayloadError(f"the request must be text in UTF-8, got: {error}") from error
    if "\ufffd" in text:
        # What the image could not decode it replaces.
        raise PayloadError("the request must be text in UTF-8, got bytes that are none")
    # Text that the image decoded itself still has its byte order mark.
    text = text.removeprefix("\ufeff")
    rows = _csv_rows(text) if media_type == CSV else _json_rows(text)
    if not rows:
        raise PayloadError("the request must hold at least one row, got none")
    return Request(rows, media_type)


def predict(input_data: Request, model: ServedModel) -> Prediction:
    """Return one probability per row.

    Raises
    ------
    PayloadError
        If a row does not fit the columns that the model was trained on.
    """
    names = model.preprocessor.names
    try:
        rows = [_ordered(number, row, names) for number, row in enumerate(input_data.rows, 1)]
        inputs = model.preprocessor.transform(rows)
    except RowError as error:
        raise PayloadError(str(error)) from error
    return Prediction(model.booster.inplace_predict(inputs), input_data.media_type)


def write_response(prediction: Prediction, accept: str | None) -> tuple[str, str]:
    """Return the response's text and its media type; the server adds the charset to text types.

    Raises
    ------
    UnsupportedAcceptError
        If the caller accepts neither CSV nor JSON.
    """
    media_type = _response_type(accept or "", prediction.media_type)
    # Nine digits bring back the very same float32.
    texts = [f"{probability:.9g}" for probability in prediction.probabilities]
    if media_type == CSV:
        return "\n".join(texts) + "\n", CSV
    return json.dumps({"predictions": [{PROBABILITY_COLUMN: float(text)} for text in texts]}), JSON


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _response_type(accept: str, request_type: str) -> str:
    for choice in map(_media_type, accept.split(",")):
        if choice in ANY:
            return request_type
        if choice in SUPPORTED:
            return choice
    raise UnsupportedAcceptError(f"Accept must be {' or '.join(SUPPORTED)}, got {accept!r}")


def _csv_rows(text: str) -> tuple[Row, ...]:
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise PayloadError(f"the request must be CSV without a header, got: {error}") from error
    return tuple([cell.strip() for cell in line] for line in lines if line)


def _json_rows(text: str) -> tuple[Row, ...]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the request must be JSON, got: {error}") from error
    if isinstance(document, dict) and set(document) == {"instances"}:
        document = document["instances"]
    if not isinstance(document, list):
        raise PayloadError('a JSON request must be a list of rows or {"instances": [rows]}')
    return tuple(_json_row(number, row) for number, row in enumerate(document, 1))


def _json_row(number: int, row: Any) -> Row:
    if isinstance(row, list):
        return [_json_cell(number, cell) for cell in row]
    if isinstance(row, dict):
        return {name: _json_cell(number, cell) for name, cell in row.items()}
    raise PayloadError(f"row {number} must be a list or an object, got {row!r}")


def _json_cell(number: int, cell: Any) -> str:
    """Return the cell as a training CSV may spell it: null and NaN are missing, 40 and 40.0 are 40, true is true.

    The preprocessor reads texts of CSV and of JSON alike, and knows other spellings of a value too.
    """
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, int | float):
        raise PayloadError(f"row {number} must hold texts, numbers, booleans and null, got {cell!r}")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _ordered(number: int, row: Row, names: Sequence[str]) -> Sequence[str]:
    if not isinstance(row, Mapping):
        return row
    if set(row) != set(names):
        missing = ", ".join(name for name in names if name not in row) or "none"
        unknown = ", ".join(name for name in row if name not in names) or "none"
        raise RowError(f"row {number} must name every field once; missing: {missing}; unknown: {unknown}")
    return [row[name] for name in names]
