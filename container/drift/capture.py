"""A folder of data capture files -> the rows of one window, with an account of every record read.

The format is SageMaker's: one JSON object per line, input and output side, eventMetadata with the time.
Source: SageMaker Developer Guide, "Capture data from real-time endpoint".
"""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from contract.records import RecordCounts, WindowBounds
from drift.decoding import Row, decode_input, decode_output
from drift.errors import ConfigError
from drift.rejection import Reason, Rejected
from drift.table import CapturedWindow, FeatureSpec
from drift.times import parse_time
from drift.values import table

_LOG = logging.getLogger(__name__)
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_EXAMPLES = 5


def read_window(folder: Path, specs: Sequence[FeatureSpec], bounds: WindowBounds) -> CapturedWindow:
    """Read every ``*.jsonl`` file below `folder`, in the order of their paths, line by line.

    Compressed files are not read, but counted. Without bounds every record counts. A record that is not used is
    counted under its reason (`drift.rejection.Reason`); the log names up to five places per reason and never their
    content. Blank lines are no records.

    Raises
    ------
    ConfigError
        If `folder` is no folder that can be read, or a bound is no time.
    """
    if not folder.is_dir():
        raise ConfigError(f"dataset_source must be a folder of capture files, got {str(folder)!r}; check the path")
    reader = _Reader(tuple(specs), _bound(bounds.start), _bound(bounds.end))
    try:
        for file in sorted(folder.rglob("*.jsonl*")):
            if file.name.endswith((".jsonl", ".jsonl.gz")):
                reader.read_file(file, str(file.relative_to(folder)))
    except OSError as error:
        raise ConfigError(f"{error.filename} must be readable, got {error.strerror}; check its permissions") from error
    reader.log_rejections()
    return CapturedWindow(
        bounds=bounds,
        table=table(specs, reader.rows),
        probabilities=np.array(reader.probabilities, dtype=np.float64),
        records=reader.counts(),
    )


def _bound(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise ConfigError(
            f"a window bound must be an ISO 8601 time, got {text!r}; write 2026-01-31T13:00:00Z"
        ) from error


@dataclass
class _Reader:
    """State of one reading: the rows so far and the account of the records."""

    specs: tuple[FeatureSpec, ...]
    start: datetime | None
    end: datetime | None
    rows: list[Row] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    n_used: int = 0
    places: dict[Reason, list[str]] = field(default_factory=dict)
    rejected: Counter[Reason] = field(default_factory=Counter)
    event_ids: set[str] = field(default_factory=set)

    def read_file(self, file: Path, name: str) -> None:
        """Read one file; `name` is what the log calls it."""
        with file.open("rb") as handle:
            for number, line in enumerate(handle, 1):
                if number == 1 and line.startswith(_GZIP_MAGIC):
                    self._reject(Reason.COMPRESSED_FILE, name)
                    return
                if line.strip():
                    self._read_line(line, f"{name}:{number}")

    def _read_line(self, line: bytes, place: str) -> None:
        try:
            rows, probabilities = self._decode(_parse(line))
        except Rejected as error:
            self._reject(error.reason, place)
        else:
            self.n_used += 1
            self.rows.extend(rows)
            self.probabilities.extend(probabilities)

    def _decode(self, record: Mapping[str, object]) -> tuple[list[Row], list[float]]:
        sides, metadata = record.get("captureData"), record.get("eventMetadata")
        if not isinstance(sides, dict) or not isinstance(metadata, dict):
            raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
        self._require_inside(metadata)
        event_id = metadata.get("eventId")
        if isinstance(event_id, str) and event_id in self.event_ids:
            raise Rejected(Reason.DUPLICATE_EVENT_ID)
        rows = decode_input(sides.get("endpointInput"), self.specs)
        probabilities = decode_output(sides.get("endpointOutput"), len(rows))
        if isinstance(event_id, str):
            self.event_ids.add(event_id)
        return rows, probabilities

    def _require_inside(self, metadata: Mapping[str, object]) -> None:
        if self.start is None and self.end is None:
            return
        text = metadata.get("inferenceTime")
        try:
            moment = parse_time(text if isinstance(text, str) else "")
        except ValueError as error:
            raise Rejected(Reason.INVALID_TIME) from error
        if (self.start and moment < self.start) or (self.end and moment >= self.end):
            raise Rejected(Reason.OUTSIDE_WINDOW)

    def _reject(self, reason: Reason, place: str) -> None:
        self.rejected[reason] += 1
        examples = self.places.setdefault(reason, [])
        if len(examples) < _MOST_EXAMPLES:
            examples.append(place)

    def counts(self) -> RecordCounts:
        """Return the account: read is used plus rejected."""
        rejected = {str(reason): self.rejected[reason] for reason in sorted(self.rejected)}
        return RecordCounts(self.n_used + self.rejected.total(), self.n_used, rejected)

    def log_rejections(self) -> None:
        """Log one line per reason."""
        for reason in sorted(self.rejected):
            # The platform hands over neighbouring hours as a matter of course: that is no cause for a warning.
            level = logging.INFO if reason is Reason.OUTSIDE_WINDOW else logging.WARNING
            places = ", ".join(self.places[reason])
            _LOG.log(level, "%d records rejected as %s, for example %s", self.rejected[reason], reason, places)


def _parse(line: bytes) -> Mapping[str, object]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejected(Reason.NOT_UTF8) from error
    except (ValueError, RecursionError) as error:
        raise Rejected(Reason.NOT_JSON) from error
    if not isinstance(record, dict):
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    return record
