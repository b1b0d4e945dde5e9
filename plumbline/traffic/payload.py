"""Bodies of requests to the endpoint, and of its responses."""

import csv
import io
import json
from collections.abc import Sequence

from plumbline.contract.training import MISSING_TEXTS, PROBABILITY_COLUMN
from plumbline.data.rows import Row
from plumbline.traffic.choices import JSON_TYPE


def encode(rows: Sequence[Row], content_type: str) -> bytes:
    """Return the request's body: one CSV line per row without a header, or JSON ``{"instances": [[...], ...]}``."""
    if content_type == JSON_TYPE:
        return json.dumps({"instances": [[_json_cell(cell) for cell in row] for row in rows]}).encode()
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().removesuffix("\n").encode()


def decode_probabilities(body: bytes, content_type: str) -> list[float]:
    """Return the probabilities that a response holds, one per row of its request.

    Raises
    ------
    ValueError
        If the body is not the endpoint's answer in this content type.
    """
    try:
        if content_type.partition(";")[0].strip() == JSON_TYPE:
            return [float(entry[PROBABILITY_COLUMN]) for entry in json.loads(body)["predictions"]]
        return [float(line) for line in body.decode().splitlines() if line]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"response must hold one probability per row, got {body[:80]!r}") from error


def _json_cell(cell: str) -> str | int | None:
    """Return a whole number as a number and a missing cell as null, as a JSON client writes them."""
    if cell in MISSING_TEXTS:
        return None
    is_whole = cell.removeprefix("-").isdecimal() and str(int(cell)) == cell
    return int(cell) if is_whole else cell
