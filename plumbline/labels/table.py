"""A table of labels -> the labels of requests, with an account of every row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from plumbline.contract.training import MISSING_TEXTS
from plumbline.contract.verdicts import RecordCounts
from plumbline.drift.data.times import parse_time
from plumbline.labels.cells import COLUMNS, Cells, read_lines
from plumbline.labels.records import RequestLabels

EXAMPLES = 5
MAX_AHEAD = timedelta(minutes=5)
"""Clocks differ; a time further in the future is wrong, as a local time without its zone is."""
MAX_DIGITS = 9


class LabelRowReason(StrEnum):
    """Why a row of the table is not used; a row has one reason, the first that applies."""

    NOT_A_ROW = "not_a_row"
    """Another number of fields than the header has, or no JSON object of texts and numbers."""
    NO_ID = "no_id"
    NO_LABEL = "no_label"
    INVALID_ROW = "invalid_row"
    """`row` is no whole number from 0."""
    INVALID_TIME = "invalid_time"
    """`time` is not ISO 8601, or lies in the future."""
    SUPERSEDED = "superseded"
    """The table has a later label for the same row of the same request."""
    INCOMPLETE_REQUEST = "incomplete_request"
    """Another row of the request has no usable label; the format has room for all of a request's labels or none."""


@dataclass(frozen=True)
class LabelTable:
    """The labels of a table; `counts` counts its rows, `unused_columns` are those that were ignored."""

    requests: tuple[RequestLabels, ...]
    counts: RecordCounts
    unused_columns: tuple[str, ...]


def read_labels(path: Path, *, collected: datetime, now: datetime) -> LabelTable:
    """Read a table of labels, CSV or JSON Lines.

    Rows with one id are the rows of one request: in the order of the column ``row`` where there is one, counted from 0,
    else in the table's own. The whole table is held in memory.

    Parameters
    ----------
    collected
        When the labels without a ``time`` were collected.
    now
        No label is collected later.

    Raises
    ------
    ValueError
        If the file is no such table at all.
    """
    account = _Account(path.name)
    requests = _Requests(account)
    parse = _Parser(collected, now + MAX_AHEAD)
    columns: set[str] = set()
    for line, cells in read_lines(path):
        columns.update(cells)
        try:
            requests.add(parse(line, cells))
        except _RejectedError as error:
            account.reject(error.reason, line)
            requests.spoil(cells.get("id", ""))
    return LabelTable(tuple(requests.finished()), account.counts(), tuple(sorted(columns - set(COLUMNS))))


class _RejectedError(Exception):
    """Raised inside to give up one row; never leaves the module."""

    def __init__(self, reason: LabelRowReason) -> None:
        super().__init__(reason)
        self.reason = reason


def _require(holds: bool, reason: LabelRowReason) -> None:
    if not holds:
        raise _RejectedError(reason)


@dataclass(frozen=True, slots=True)
class _Label:
    line: int
    id: str
    label: str
    row: int | None
    collected: datetime


@dataclass(frozen=True)
class _Parser:
    """Reads one row; `latest` is the last moment at which a label can have been collected."""

    collected: datetime
    latest: datetime

    def __call__(self, line: int, cells: Cells) -> _Label:
        _require(bool(cells), LabelRowReason.NOT_A_ROW)
        name, label, row = (cells.get(column, "") for column in ("id", "label", "row"))
        _require(bool(name), LabelRowReason.NO_ID)
        _require(label not in MISSING_TEXTS, LabelRowReason.NO_LABEL)
        is_number = row.isascii() and row.isdecimal() and len(row) <= MAX_DIGITS
        _require(not row or is_number, LabelRowReason.INVALID_ROW)
        return _Label(line, name, label, int(row) if row else None, self._time(cells.get("time", "")))

    def _time(self, text: str) -> datetime:
        if not text:
            return self.collected
        try:
            moment = parse_time(text)
        except ValueError:
            raise _RejectedError(LabelRowReason.INVALID_TIME) from None
        _require(moment <= self.latest, LabelRowReason.INVALID_TIME)
        return moment


@dataclass
class _Account:
    """Counts rows; `name` is the file's."""

    name: str
    used: int = 0
    rejected: dict[LabelRowReason, list[int]] = field(default_factory=lambda: defaultdict(list))
    """The lines."""

    def reject(self, reason: LabelRowReason, line: int) -> None:
        self.rejected[reason].append(line)

    def counts(self) -> RecordCounts:
        rejected = {reason.value: sorted(self.rejected[reason]) for reason in LabelRowReason if self.rejected[reason]}
        return RecordCounts(
            read=self.used + sum(map(len, rejected.values())),
            used=self.used,
            rejected={reason: len(lines) for reason, lines in rejected.items()},
            examples={
                reason: tuple(f"{self.name}:{line}" for line in lines[:EXAMPLES]) for reason, lines in rejected.items()
            },
        )


class _Requests:
    """Puts the labels of each request together."""

    def __init__(self, account: _Account) -> None:
        self._account = account
        self._labels: dict[str, list[_Label]] = {}
        self._spoilt: set[str] = set()

    def add(self, label: _Label) -> None:
        self._labels.setdefault(label.id, []).append(label)

    def spoil(self, name: str) -> None:
        """Give up the request of a row that was rejected; without an id, the name is empty."""
        self._spoilt.add(name)

    def finished(self) -> Iterator[RequestLabels]:
        for name, labels in self._labels.items():
            rows = self._latest(labels)
            if name in self._spoilt or not _is_complete(rows):
                self._reject(LabelRowReason.INCOMPLETE_REQUEST, rows)
                continue
            self._account.used += len(rows)
            yield RequestLabels(name, tuple(row.label for row in rows), max(row.collected for row in rows))

    def _latest(self, labels: list[_Label]) -> list[_Label]:
        """Return the latest label of each numbered row in their order, after those without a number."""
        numbered = sorted((label for label in labels if label.row is not None), key=lambda label: label.collected)
        if not numbered:
            return labels
        latest: dict[int | None, _Label] = {}
        for label in numbered:
            latest[label.row] = label
        kept = {label.line for label in latest.values()}
        self._reject(LabelRowReason.SUPERSEDED, (label for label in numbered if label.line not in kept))
        ordered = sorted(latest.values(), key=lambda label: label.row or 0)
        return [*(label for label in labels if label.row is None), *ordered]

    def _reject(self, reason: LabelRowReason, labels: Iterable[_Label]) -> None:
        for label in labels:
            self._account.reject(reason, label.line)


def _is_complete(rows: list[_Label]) -> bool:
    """Return whether the rows are numbered from 0 without a gap, or none of them is."""
    numbers = [row.row for row in rows]
    return numbers == list(range(len(rows))) or not any(number is not None for number in numbers)
