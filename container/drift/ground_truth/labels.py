"""Ground-truth files -> the labels of each event, with an account of every label record read.

The format is SageMaker's: one JSON object per line with groundTruthData and eventMetadata.eventId, in folders
``yyyy/mm/dd/hh`` of the hour in which the label was collected. Source: SageMaker Developer Guide, "Ingest ground truth
labels and merge them with predictions".
"""

import base64
import binascii
import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from plumbline.contract.records import RecordCounts
from plumbline.contract.rejection import LabelRejectionReason
from plumbline.contract.training import MISSING_TEXTS, finite_number
from plumbline.drift.read.kernel.payloads import spelled
from plumbline.drift.read.kernel.records import Place, Places, TooLong, blocks, is_compressed

NO_LABEL = -1
"""The code of a row whose label has not come."""
_BOOLEANS = {"true": ("true", "True", "TRUE", "1"), "false": ("false", "False", "FALSE", "0")}


class UnknownLabelError(ValueError):
    """Raised for a label that the labelled test set does not have."""


@dataclass(frozen=True)
class Classes:
    """The labels of the test set in their order (`contract.training.ordered`); a label's code is its position."""

    labels: Sequence[str]

    @cached_property
    def _codes(self) -> dict[object, int]:
        codes: dict[object, int] = {label: code for code, label in enumerate(self.labels)}
        for code, label in enumerate(self.labels):
            number = finite_number(label)
            if number is not None:
                codes.setdefault(number, code)
        return codes

    def code(self, text: str) -> int:
        """Return the label's code; `NO_LABEL` for a missing one.

        A number may be written otherwise than in the test set: 1.0 is 1.

        Raises
        ------
        UnknownLabelError
            If it is none of the labels.
        """
        text = text.strip()
        if text in MISSING_TEXTS:
            return NO_LABEL
        if text in self._codes:
            return self._codes[text]
        for spelling in (finite_number(text), *_BOOLEANS.get(text.lower(), ())):
            if spelling is not None and spelling in self._codes:
                return self._codes[spelling]
        raise UnknownLabelError(text)


class _Rejected(Exception):
    def __init__(self, reason: LabelRejectionReason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Truth(msgspec.Struct):
    data: str | int | float | bool | list[Any] | None = None
    encoding: str | None = "CSV"


class _Event(msgspec.Struct, rename="camel"):
    event_id: str


class _LabelRecord(msgspec.Struct, rename="camel"):
    ground_truth_data: _Truth
    event_metadata: _Event


_SEPARATORS = frozenset(',"\r\n')
_DECODER = msgspec.json.Decoder(_LabelRecord)
Codes: TypeAlias = tuple[int, ...]
"""One label's code for each row of a record; `NO_LABEL` where it has not come."""


@dataclass(frozen=True, slots=True)
class _Entry:
    codes: Codes
    place: Place


@dataclass(eq=False)
class LabelBook:
    """The labels of some files by event, and the account of their records.

    A label record is used when it is the last one of an event that a captured record is found for
    (`codes_of`); everything else is rejected under its reason. Memory grows with the number of labels.
    """

    classes: Classes
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _mismatched: set[str] = field(default_factory=set)
    _rejected: Counter[LabelRejectionReason] = field(default_factory=Counter)
    _places: dict[LabelRejectionReason, Places] = field(default_factory=dict)

    def read(self, files: Iterable[tuple[Path, str]]) -> None:
        """Add the label records of some files, each with its name, in the order of the names.

        Names begin with the hour of collection, so that the last label of an event wins.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        for path, name in sorted(files, key=lambda file: file[1]):
            if is_compressed(path):
                self._reject(LabelRejectionReason.COMPRESSED_FILE, Place(name, 0))
                continue
            for line, data in _lines(path):
                place = Place(name, line)
                try:
                    self._add(*_parsed(data, self.classes), place)
                except _Rejected as error:
                    self._reject(error.reason, place)

    def codes_of(self, keys: Sequence[str | None], n_rows: int) -> Codes | None:
        """Return the labels of a captured record, or None where there are none that fit.

        Parameters
        ----------
        keys
            What a label may name the record by, the first one first: its inference id, its event id.
        n_rows
            Rows of the record.
        """
        for key in keys:
            entry = self._entries.get(key) if key is not None else None
            if key is None or entry is None:
                continue
            if len(entry.codes) == n_rows:
                self._used.add(key)
                return entry.codes
            self._mismatched.add(key)
        return None

    def account(self) -> RecordCounts:
        """Return the account: read is used plus rejected."""
        rejected, places = Counter(self._rejected), dict(self._places)
        for reason, keys in (
            (LabelRejectionReason.ROW_COUNT_MISMATCH, self._mismatched - self._used),
            (LabelRejectionReason.NO_CAPTURED_RECORD, self._entries.keys() - self._used - self._mismatched),
        ):
            if keys:
                rejected[reason] += len(keys)
                places[reason] = Places()
                places[reason].add(self._entries[key].place for key in keys)
        return RecordCounts(
            read=len(self._used) + rejected.total(),
            used=len(self._used),
            rejected={str(reason): rejected[reason] for reason in sorted(rejected)},
            examples={str(reason): tuple(map(str, places[reason].first)) for reason in sorted(rejected)},
        )

    def _add(self, key: str, codes: Codes, place: Place) -> None:
        earlier = self._entries.get(key)
        if earlier is not None:
            same = earlier.codes == codes
            self._reject(
                LabelRejectionReason.DUPLICATE_LABEL if same else LabelRejectionReason.CONTRADICTED_LABEL, earlier.place
            )
        self._entries[key] = _Entry(codes, place)

    def _reject(self, reason: LabelRejectionReason, place: Place) -> None:
        self._rejected[reason] += 1
        self._places.setdefault(reason, Places()).add([place])


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the numbered lines that hold anything; None stands for one that is too long."""
    for block in blocks(path):
        if isinstance(block, TooLong):
            yield block.number, None
        else:
            yield from ((number, line) for number, line in block.numbered() if line.strip())


def _parsed(line: bytes | None, classes: Classes) -> tuple[str, Codes]:
    if line is None:
        raise _Rejected(LabelRejectionReason.LINE_TOO_LONG)
    try:
        line.decode()
        record = _DECODER.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError as error:
        raise _Rejected(LabelRejectionReason.NOT_UTF8) from error
    except msgspec.ValidationError as error:
        raise _Rejected(LabelRejectionReason.NOT_A_LABEL_RECORD) from error
    except (ValueError, RecursionError) as error:
        raise _Rejected(LabelRejectionReason.NOT_JSON) from error
    try:
        codes = tuple(classes.code(text) for text in _texts(record.ground_truth_data))
    except UnknownLabelError as error:
        raise _Rejected(LabelRejectionReason.UNKNOWN_LABEL) from error
    if all(code == NO_LABEL for code in codes):
        raise _Rejected(LabelRejectionReason.NO_LABEL)
    return record.event_metadata.event_id, codes


def _texts(truth: _Truth) -> list[str]:
    """Return one label per row: the fields of CSV, the values of a JSON list, or a single value."""
    data = truth.data
    if truth.encoding == "BASE64" and isinstance(data, str):
        try:
            data = base64.b64decode(data, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise _Rejected(LabelRejectionReason.NOT_A_LABEL_RECORD) from error
    if truth.encoding == "JSON" and isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            # A bare text is a label too.
            return [data] if isinstance(data, str) else []
    if isinstance(data, str):
        return _csv_fields(data)
    return [_spelled(value) for value in (data if isinstance(data, list) else [data])]


def _csv_fields(text: str) -> list[str]:
    """Return the fields of all lines; an empty line between others is a row whose label has not come."""
    if _SEPARATORS.isdisjoint(text):
        return [text]
    try:
        lines = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), skipinitialspace=True, strict=True)
        return [field for fields in lines for field in (fields or [""])]
    except csv.Error as error:
        raise _Rejected(LabelRejectionReason.NOT_A_LABEL_RECORD) from error


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return value if isinstance(value, str) else spelled(value)
    raise _Rejected(LabelRejectionReason.NOT_A_LABEL_RECORD)
