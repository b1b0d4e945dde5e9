"""A table of labels -> the labels of requests, with an account of every row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from plumbline.contract.training import MISSING_TEXTS, finite_number
from plumbline.contract.verdicts import RecordCounts
from plumbline.drift.data.times import parse_time
from plumbline.labels.cells import COLUMNS, Line, read_lines
from plumbline.labels.records import LabelLine, RequestLabels

EXAMPLES = 5
MAX_AHEAD = timedelta(minutes=5)
"""Clocks differ; a time further in the future is wrong, as a local time without its zone is."""
MAX_DIGITS = 9


class LabelRowReason(StrEnum):
    """Why a row of the table is not used; a row has one reason, the first that applies."""

    NOT_A_ROW = "not_a_row"
    """Another number of fields than the header has, the header again, or no JSON object of texts and numbers."""
    NO_ID = "no_id"
    NO_LABEL = "no_label"
    INVALID_ROW = "invalid_row"
    """`row` is no whole number from 0, or numbers a list of labels."""
    INVALID_TIME = "invalid_time"
    """`time` is not ISO 8601, or lies in the future."""
    SUPERSEDED = "superseded"
    """The table has a later label for the same row of the same request."""
    DUPLICATE = "duplicate"
    """The table has the same label for the same row of the same request, of the same time."""
    CONTRADICTED = "contradicted"
    """The table has another label for the same row of the same request, of the same time: which holds is not known."""
    INCOMPLETE_REQUEST = "incomplete_request"
    """Another row of the request has no usable label; the format has room for all of a request's labels or none."""


GAVE_WAY = frozenset({LabelRowReason.SUPERSEDED, LabelRowReason.DUPLICATE})
"""Reasons of rows in whose place another one is used."""


@dataclass(frozen=True)
class LabelTable:
    """The labels of a table; `counts` counts its rows, `unused_columns` are those that were ignored.

    `contradicted` has the ids of the requests whose labels contradict each other. `is_final`: the file is in
    SageMaker's own form already, and `counts` counts its records.
    """

    requests: tuple[LabelLine, ...]
    counts: RecordCounts
    unused_columns: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    is_final: bool = False


def read_labels(path: Path, *, collected: datetime, now: datetime) -> LabelTable:
    """Read a table of labels, CSV or JSON Lines.

    A row is the label of one request; the rows of a request with several are numbered from 0 in the column ``row``, or
    are one JSON list. Of two labels for the same row the later one counts, and equal ones of one time are one. The
    whole table is held in memory.

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
    account = LabelAccount(path.name)
    requests = _Requests(account)
    parse = _Parser(collected, now + MAX_AHEAD)
    columns: set[str] = set()
    for line in read_lines(path):
        columns.update(line.texts)
        try:
            requests.add(parse(line))
        except _RejectedError as error:
            account.reject(error.reason, line.number)
            requests.spoil(line, error.reason)
    used = tuple(requests.finished())
    return LabelTable(
        used, account.counts(LabelRowReason), tuple(sorted(columns - set(COLUMNS))), tuple(requests.contradicted)
    )


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
    """The label of one row of a request, or those of all its rows."""

    line: int
    id: str
    labels: tuple[str, ...]
    row: int | None
    collected: datetime

    @property
    def spelling(self) -> tuple[object, ...]:
        """The labels in a spelling of which there is one: 1.0 is 1, True is true."""
        return tuple(map(spelling_of, self.labels))


def spelling_of(label: str) -> object:
    """Return what labels that differ in their spelling alone have in common."""
    label = label.strip()
    number = finite_number(label)
    lower = label.lower()
    return number if number is not None else lower if lower in {"true", "false"} else label


@dataclass(frozen=True)
class _Parser:
    """Reads one line; `latest` is the last moment at which a label can have been collected."""

    collected: datetime
    latest: datetime

    def __call__(self, line: Line) -> _Label:
        _require(bool(line.texts), LabelRowReason.NOT_A_ROW)
        name = line.texts.get("id", "")
        _require(bool(name), LabelRowReason.NO_ID)
        labels = tuple("" if label in MISSING_TEXTS else label for label in line.labels)
        _require(any(labels), LabelRowReason.NO_LABEL)
        row = _row_number(line)
        return _Label(line.number, name, labels, row, self._time(line.texts.get("time", "")))

    def _time(self, text: str) -> datetime:
        if not text:
            return self.collected
        try:
            moment = parse_time(text)
        except ValueError:
            raise _RejectedError(LabelRowReason.INVALID_TIME) from None
        _require(moment <= self.latest, LabelRowReason.INVALID_TIME)
        return moment


def _row_number(line: Line) -> int | None:
    """Return the row's number within its request, None without one; a list is of all rows, and has none."""
    row = line.texts.get("row", "")
    is_number = row.isascii() and row.isdecimal() and len(row) <= MAX_DIGITS
    _require(not row or (is_number and not line.is_list), LabelRowReason.INVALID_ROW)
    return int(row) if row else None


_ANY_ROW = -1
"""Stands for the row of a line that cannot be read: it may be any of its request."""


@dataclass
class LabelAccount:
    """Counts rows or records; `name` is the file's."""

    name: str
    used: int = 0
    rejected: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """The lines."""

    def reject(self, reason: str, line: int) -> None:
        """Count a line under a reason."""
        self.rejected[reason].append(line)

    def counts(self, reasons: Iterable[str]) -> RecordCounts:
        """Return the account, in the order of the reasons: read is used plus rejected."""
        rejected = {str(reason): sorted(self.rejected[reason]) for reason in reasons if self.rejected[reason]}
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

    def __init__(self, account: LabelAccount) -> None:
        self._account = account
        self._labels: dict[str, list[_Label]] = defaultdict(list)
        self._spoilt: dict[str, set[int | None]] = defaultdict(set)
        self.contradicted: list[str] = []

    def add(self, label: _Label) -> None:
        self._labels[label.id].append(label)

    def spoil(self, line: Line, reason: LabelRowReason) -> None:
        """Give up the request of a line that was rejected; of one without a label, if no other line has it."""
        try:
            row = _row_number(line) if reason is LabelRowReason.NO_LABEL else _ANY_ROW
        except _RejectedError:
            row = _ANY_ROW
        self._spoilt[line.texts.get("id", "")].add(row)

    def finished(self) -> Iterator[RequestLabels]:
        for name, labels in self._labels.items():
            kept, is_decided = self._kept(labels)
            if not is_decided:
                self.contradicted.append(name)
            if not is_decided or not _is_complete(kept, self._spoilt.get(name, set())):
                self._reject(LabelRowReason.INCOMPLETE_REQUEST, kept)
                continue
            self._account.used += len(kept)
            texts = tuple(text for label in kept for text in label.labels)
            yield RequestLabels(name, texts, max(label.collected for label in kept))

    def _kept(self, labels: list[_Label]) -> tuple[list[_Label], bool]:
        """Return the label that counts of each row, in the rows' order, and whether each row has one that does."""
        by_row: dict[int | None, list[_Label]] = defaultdict(list)
        for label in labels:
            by_row[label.row].append(label)
        kept: list[_Label] = []
        for row in sorted(by_row, key=lambda row: -1 if row is None else row):
            kept += self._latest(by_row[row])
        return kept, len(kept) == len(by_row)

    def _latest(self, labels: list[_Label]) -> list[_Label]:
        """Return the latest label of one row; nothing where several are the latest and differ."""
        time = max(label.collected for label in labels)
        self._reject(LabelRowReason.SUPERSEDED, (label for label in labels if label.collected < time))
        latest = [label for label in labels if label.collected == time]
        if len({label.spelling for label in latest}) > 1:
            self._reject(LabelRowReason.CONTRADICTED, latest)
            return []
        self._reject(LabelRowReason.DUPLICATE, latest[1:])
        return latest[:1]

    def _reject(self, reason: LabelRowReason, labels: Iterable[_Label]) -> None:
        for label in labels:
            self._account.reject(reason, label.line)


def _is_complete(kept: list[_Label], spoilt: set[int | None]) -> bool:
    """Return whether the rows are numbered from 0 without a gap, or there is one without a number."""
    rows = [label.row for label in kept]
    return rows in ([None], list(range(len(rows)))) and spoilt <= set(rows)
