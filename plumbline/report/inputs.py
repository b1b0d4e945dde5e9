"""True accuracies and events as files."""

import csv
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import read_json
from plumbline.report.collect import ReportError
from plumbline.report.timeline import Event


def read_truth(path: Path) -> dict[str, float]:
    """Read true accuracies by window start: a JSON object, or CSV with the columns ``window,accuracy``.

    Raises
    ------
    ReportError
        If the file is neither.
    """
    text = _text(path)
    if path.suffix.lower() == ".csv":
        return _truth_of_csv(path, text)
    data = _json(path, text)
    if not isinstance(data, dict):
        raise ReportError(
            f"{path} must hold a JSON object {{window start: accuracy}}, got a {type(data).__name__}; correct the file"
        )
    return data


def _truth_of_csv(path: Path, text: str) -> dict[str, float]:
    truth = {}
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            truth[row["window"]] = float(row["accuracy"])
        except (KeyError, TypeError, ValueError) as error:
            raise ReportError(
                f"{path} line {number} must have a window and an accuracy, got {row!r}; correct or remove the line"
            ) from error
    return truth


def read_events(path: Path) -> tuple[Event, ...]:
    """Read a JSON list of objects with ``time`` or ``window``, ``kind`` and ``text``.

    Raises
    ------
    ReportError
        If the file is no such list.
    """
    data = _json(path, _text(path))
    if not isinstance(data, list):
        raise ReportError(f"{path} must hold a JSON list of events, got a {type(data).__name__}; correct the file")
    return tuple(_event(path, entry) for entry in data)


def _event(path: Path, entry: Any) -> Event:
    fields = entry if isinstance(entry, dict) else {}
    at, kind, text = fields.get("time", fields.get("window")), fields.get("kind"), fields.get("text", "")
    if not (isinstance(at, str) and isinstance(kind, str) and isinstance(text, str)):
        raise ReportError(
            f'{path}: an event must have "time" or "window", and "kind", as texts, got {entry!r}; correct or remove it'
        )
    return Event(at, kind, text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{path} must be a readable text file, got {error}; name another file") from error


def _json(path: Path, text: str) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        raise ReportError(f"{path} must be JSON, got {error}; correct the file") from error
