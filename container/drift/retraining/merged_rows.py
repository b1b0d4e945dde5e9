"""Captures joined with labels, as `drift.ground_truth.merged` writes them -> labelled rows as the model saw them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import msgspec

from plumbline.contract.enums import StrEnum
from plumbline.contract.prepared import PreparedHour
from plumbline.contract.rejection import CellReason, RejectionReason
from plumbline.drift.data.table import CellReader, NotANumberError
from plumbline.drift.data.times import parse_time
from plumbline.drift.ground_truth.labels import NO_LABEL, Classes, UnknownLabelError
from plumbline.drift.read.kernel.payloads import Marker, Token, spelled
from plumbline.drift.read.kernel.records import CaptureRecord, Rejected, TooLong, blocks, is_compressed, payload
from plumbline.drift.read.kernel.requests import decode_input


class RowReason(StrEnum):
    """Reasons under which labelled rows are counted as rejected: keys of prepared.json."""

    NOT_A_MERGED_RECORD = "not_a_merged_record"
    """A line that is no captured record with ground truth."""
    LABEL_COUNT_MISMATCH = "label_count_mismatch"
    """The record does not have one label, be it empty, for each row."""
    NO_LABEL = "no_label"
    UNKNOWN_LABEL = "unknown_label"
    """A label that the training data do not have."""
    REPEATED_EVENT = "repeated_event"
    """Another record of the same inference or event id follows, in order of path and line, and counts."""
    HOLDOUT_ROW_IN_TRAINING_DATA = "holdout_row_in_training_data"
    """Both models have seen its features."""
    FRESH_ROW_IN_HOLDOUT = "fresh_row_in_holdout"
    """The challenger would be judged on what it was trained on."""
    FRESH_ROW_IN_TEST_SET = "fresh_row_in_test_set"
    """The same of the original test set."""


@dataclass(eq=False)
class Account:
    """Counts the rows that were read and those that were given up."""

    n_read: int = 0
    _rejected: Counter[str] = field(default_factory=Counter)
    _labelled: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)

    def reject(self, reason: str, n_rows: int = 1) -> None:
        """Count rows under a reason."""
        if n_rows:
            self._rejected[reason] += n_rows

    def see_file(self, hour: str, n_bytes: int) -> None:
        """Count a file of an hour."""
        self._bytes[hour] += n_bytes

    def see_labels(self, hour: str, labels: Iterable[str]) -> None:
        """Count the labelled rows of a record, as the controller counts them before it starts a run."""
        self._labelled[hour] += sum(1 for label in labels if label.strip())

    @property
    def hours(self) -> Mapping[str, PreparedHour]:
        """What was read of each hour, in order."""
        return {hour: PreparedHour(self._labelled[hour], self._bytes[hour]) for hour in sorted(self._bytes)}

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rows by reason, in the order of the reasons' names."""
        return dict(sorted(self._rejected.items()))


Cells: TypeAlias = tuple[str, ...]
"""One text for each feature, in the training file's order."""


@dataclass(frozen=True, slots=True)
class LabelledRecord:
    """One captured record: when, the id that makes it one, and its labelled rows."""

    time: datetime
    key: tuple[str, str]
    rows: tuple[tuple[Cells, str], ...]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows are read: the payload's columns, the target's labels, and inference times in [start, end)."""

    readers: tuple[CellReader, ...]
    classes: Classes
    start: datetime
    end: datetime


class _Truth(msgspec.Struct):
    data: str


class _Merged(CaptureRecord, rename="camel"):
    ground_truth_data: _Truth


_DECODER = msgspec.json.Decoder(_Merged)


def read_merged(files: Iterable[tuple[Path, str]], wanted: Wanted, account: Account) -> list[LabelledRecord]:
    """Return the usable records of some files, each with its name, ordered by time and id.

    An event that was joined twice, or sent again under the same inference id, counts once: its last record in order of
    path and line, as of labels the last one counts.
    """
    found: dict[tuple[str, str], LabelledRecord] = {}
    texts: dict[str, str] = {}
    for path, name in sorted(files, key=lambda file: file[1]):
        hour = "/".join(name.split("/")[-5:-1])
        account.see_file(hour, path.stat().st_size)
        for merged in _records(path, account):
            account.see_labels(hour, merged.ground_truth_data.data.split("\n"))
            record = _labelled(merged, wanted, account, texts)
            if record is None:
                continue
            earlier = found.get(record.key)
            if earlier is not None:
                account.reject(RowReason.REPEATED_EVENT, len(earlier.rows))
            found[record.key] = record
    return sorted(found.values(), key=lambda record: (record.time, record.key))


def _records(path: Path, account: Account) -> Iterator[_Merged]:
    if is_compressed(path):
        account.n_read += 1
        account.reject(RejectionReason.COMPRESSED_FILE)
        return
    for block in blocks(path):
        if isinstance(block, TooLong):
            account.n_read += 1
            account.reject(RejectionReason.LINE_TOO_LONG)
            continue
        for _, line in block.numbered():
            if not line.strip():
                continue
            try:
                yield _DECODER.decode(line)
            except (ValueError, RecursionError):
                account.n_read += 1
                account.reject(RowReason.NOT_A_MERGED_RECORD)


def _labelled(merged: _Merged, wanted: Wanted, account: Account, texts: dict[str, str]) -> LabelledRecord | None:
    labels = merged.ground_truth_data.data.split("\n")
    account.n_read += len(labels)
    metadata = merged.event_metadata
    try:
        time = _time(metadata.inference_time, wanted)
        rows = decode_input(
            payload(merged.capture_data.endpoint_input), [reader.spec.name for reader in wanted.readers]
        )
    except Rejected as error:
        account.reject(error.reason, len(labels))
        return None
    if len(rows) != len(labels):
        account.reject(RowReason.LABEL_COUNT_MISMATCH, len(labels))
        return None
    key = ("inference", metadata.inference_id) if metadata.inference_id else ("event", metadata.event_id or "")
    usable = tuple(_usable(rows, labels, wanted, account, texts))
    return LabelledRecord(time, key, usable) if usable else None


def _time(text: str | None, wanted: Wanted) -> datetime:
    try:
        time = parse_time(text or "")
    except ValueError as error:
        raise Rejected(RejectionReason.INVALID_TIME) from error
    if not wanted.start <= time < wanted.end:
        raise Rejected(RejectionReason.OUTSIDE_WINDOW)
    return time


def _usable(
    rows: Sequence[Sequence[Token]], labels: Sequence[str], wanted: Wanted, account: Account, texts: dict[str, str]
) -> Iterator[tuple[Cells, str]]:
    for row, text in zip(rows, labels, strict=True):
        try:
            code = wanted.classes.code(text)
            # Columns repeat themselves: of equal texts one stays in memory.
            cells = tuple(texts.setdefault(cell, cell) for cell in map(_readable, wanted.readers, row))
        except UnknownLabelError:
            account.reject(RowReason.UNKNOWN_LABEL)
        except _UnreadableError as error:
            account.reject(error.reason)
        else:
            if code == NO_LABEL:
                account.reject(RowReason.NO_LABEL)
            else:
                yield cells, wanted.classes.labels[code]


class _UnreadableError(ValueError):
    def __init__(self, reason: CellReason) -> None:
        super().__init__(reason)
        self.reason = reason


_BOOLEANS = {Marker.TRUE: "true", Marker.FALSE: "false"}


def _readable(reader: CellReader, token: Token) -> str:
    """Return the cell's text; training would take a column of numbers with any other text in it for a column of names.

    JSON values that are neither texts, numbers nor null are rejected, as the model rejects them; so are booleans where
    training has none.
    """
    if isinstance(token, Marker):
        if token not in _BOOLEANS or not reader.has_booleans:
            raise _UnreadableError(CellReason.NOT_A_VALUE)
        return _BOOLEANS[token]
    if token != token:  # noqa: PLR0124 - NaN in JSON, which is missing
        return ""
    text = token.strip() if isinstance(token, str) else spelled(token)
    try:
        reader.read(text)
    except NotANumberError as error:
        raise _UnreadableError(error.reason) from error
    return text
