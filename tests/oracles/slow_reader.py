"""Capture files read slowly and obviously, by the standard library alone: what the kernel is held against.

Nothing here is the product's: not its enumerations, not its rules for a cell. Names of reasons are spelled out.
"""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracles.slow_answers import predictions
from tests.oracles.slow_requests import Absent, Reject, request_rows

MISSING, ABSENT = "missing", "absent"
MISSING_TEXTS = (
    *("", "?", "-", "--", "NaN", "nan", "NAN", "-nan", "-NaN", "NaT", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA"),
    *("#N/A N/A", "NULL", "Null", "null", "(null)", "\\N", "None", "NONE"),
)
Cell = tuple[str, Any]
"""("value", number or label), ("missing", None), ("absent", None) or ("unreadable", reason)."""


class Unreadable(Exception):
    """One answer."""


@dataclass
class Row:
    cells: tuple[Cell, ...]
    probability: float | None
    variant: str


@dataclass
class SlowWindow:
    rows: list[Row] = field(default_factory=list)
    used: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    answer_places: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    unreadable_places: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)


@dataclass
class Question:
    """What is asked of the files: (name, is numeric) of each feature, the window, the one variant."""

    features: Sequence[tuple[str, bool]]
    start: datetime | None = None
    end: datetime | None = None
    variant: str | None = None


def read(folder: Path, question: Question) -> SlowWindow:  # noqa: C901 - one obvious loop
    window = SlowWindow()
    events: dict[str, set[str | None]] = {}
    names = sorted(
        file.relative_to(folder).as_posix() for pattern in ("*.jsonl", "*.jsonl.gz") for file in folder.rglob(pattern)
    )
    for name in names:
        content = (folder / name).read_bytes()
        found = re.search(r"(^|/)([^/]+)/\d{4}/\d\d/\d\d/\d\d/[^/]+$", name)
        variant = found[2] if found else None
        if content.startswith(b"\x1f\x8b"):
            _reject(window, "compressed_file", name, 0)
            continue
        for number, line in enumerate(content.split(b"\n"), 1):
            if not line.strip() and len(line) <= 10_000_000:
                continue
            try:
                if question.variant is not None and variant not in (None, question.variant):
                    raise Reject("other_variant")
                event_id, rows, answer = _record(line, question)
                seen = events.get(event_id or "", set())
                if event_id is not None and (variant in seen or (seen and (variant is None or None in seen))):
                    raise Reject("duplicate_event_id")
            except Reject as error:
                _reject(window, str(error), name, number)
                continue
            window.used += 1
            window.answers[answer] += 1
            window.answer_places.setdefault(answer, []).append((name, number))
            if event_id is not None:
                events.setdefault(event_id, set()).add(variant)
            for cells, probability in rows:
                window.rows.append(Row(cells, probability, variant or ""))
                for (feature, _), (state, reason) in zip(question.features, cells, strict=True):
                    if state == "unreadable":
                        places = window.unreadable_places.setdefault((feature, reason), [])
                        if (name, number) not in places:
                            places.append((name, number))
    return window


def _reject(window: SlowWindow, reason: str, name: str, number: int) -> None:
    window.rejected[reason] += 1
    window.places.setdefault(reason, []).append((name, number))


def _record(line: bytes, question: Question) -> tuple[str | None, list[tuple[tuple[Cell, ...], float | None]], str]:
    """The event, the rows with their predictions, and what became of the answer: "absent", "used" or a reason."""
    if len(line) > 10_000_000:
        raise Reject("line_too_long")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Reject("not_utf8") from None
    is_manifest = re.match(r'\s*(\[\s*)?\{\s*"prefix"\s*:\s*"', text, re.ASCII)
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("batch_transform" if is_manifest else "not_json") from None
    sides = record.get("captureData") if isinstance(record, dict) else None
    metadata = record.get("eventMetadata") if isinstance(record, dict) else None
    if not isinstance(sides, dict) or not isinstance(metadata, dict):
        of_batch = ("SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput")
        has_key = isinstance(record, dict) and any(record.get(key) is not None for key in of_batch)
        raise Reject("batch_transform" if has_key or is_manifest else "not_a_capture_record")
    if sides.get("batchTransformOutput") is not None and sides.get("endpointInput") is None:
        raise Reject("batch_transform")
    _check_time(metadata.get("inferenceTime"), question)
    rows = _input(sides.get("endpointInput"), question.features)
    output = sides.get("endpointOutput")
    probabilities: list[float | None] = [None] * len(rows)
    answer = "absent"
    if output is not None:
        try:
            probabilities, answer = _output(output, len(rows)), "used"
        except Unreadable as error:
            answer = str(error)
    event_id = metadata.get("eventId")
    return event_id if isinstance(event_id, str) else None, list(zip(rows, probabilities, strict=True)), answer


def _check_time(value: object, question: Question) -> None:
    if question.start is None and question.end is None:
        return
    try:
        text = value if isinstance(value, str) else ""
        moment = datetime.fromisoformat("".join(text.split()) if "T" in text else text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Reject("invalid_time") from None
    if (question.start and moment < question.start) or (question.end and moment >= question.end):
        raise Reject("outside_window")


def _input(side: object, features: Sequence[tuple[str, bool]]) -> list[tuple[Cell, ...]]:
    rows = request_rows(side, [name for name, _ in features])
    return [tuple(_cell(value, numeric) for value, (_, numeric) in zip(row, features, strict=True)) for row in rows]


def _cell(value: Any, numeric: bool) -> Cell:  # noqa: PLR0911 - one case after the other
    if value is Absent:
        return ABSENT, None
    if value is None:
        return MISSING, None
    if isinstance(value, (bool, list, dict)):
        return "unreadable", "not_a_value"
    if isinstance(value, float) and math.isnan(value):
        return MISSING, None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFC", str(value).strip())
    if text in MISSING_TEXTS or (numeric and text.casefold() in [one.casefold() for one in MISSING_TEXTS]):
        return MISSING, None
    if not numeric:
        return "value", _spelled(text)
    try:
        number = float(text)
    except ValueError:
        return "unreadable", "not_a_number"
    if "_" in text:
        return "unreadable", "not_a_number"
    return ("value", number + 0.0) if math.isfinite(number) else ("unreadable", "not_finite")


def _spelled(text: str) -> str:
    """One spelling of equal numbers and booleans; zeros in front make a code of it, which is no number."""
    if text.lower() in ("true", "false"):
        return text.lower()
    if not re.fullmatch(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]{1,4})?", text) or not re.match(
        r"[+-]?\.?[0-9]", text
    ):
        return text
    sign, digits, exponent = Decimal(text).as_tuple()
    number = "".join(map(str, digits)).lstrip("0")
    significant = number.rstrip("0")
    if not significant:
        return "0"
    exponent = int(exponent) + len(number) - len(significant)
    if -25 < exponent + len(significant) <= 25:
        return format(Decimal((sign, tuple(map(int, significant)), exponent)), "f")
    return f"{'-' * sign}{significant}e{exponent}"


def _output(side: object, n_rows: int) -> list[float | None]:
    found = predictions(side, n_rows)
    if found is None:
        raise Unreadable("unreadable")
    return [*found]


def value_counts(window: SlowWindow, position: int) -> Mapping[Cell, int]:
    """How often each cell of one feature occurs."""
    return Counter(row.cells[position] for row in window.rows)
