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
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from plumbline.contract.records import RecordCounts
from plumbline.contract.rejection import LabelRejectionReason, RejectionReason
from plumbline.contract.training import MISSING_TEXTS, finite_number
from plumbline.contract.values import LabelCells
from plumbline.drift.read.kernel.isolation import fault
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

    @cached_property
    def _cells(self) -> LabelCells:
        return LabelCells(self.labels, MISSING_TEXTS)

    def code(self, text: str) -> int:
        """Return the label's code; `NO_LABEL` for a missing one.

        It may be written otherwise than in the test set, as a value of a column may: 1.0 is 1.

        Raises
        ------
        UnknownLabelError
            If it is none of the labels.
        """
        text = text.strip()
        if text in MISSING_TEXTS:
            return NO_LABEL
        label = text if text in self._codes else self._cells.read(text)
        if label in self._codes:
            return self._codes[label]
        for spelling in (finite_number(text), *_BOOLEANS.get(text.lower(), ())):
            if spelling is not None and spelling in self._codes:
                return self._codes[spelling]
        raise UnknownLabelError(text)


class LabelRejectedError(ValueError):
    """Raised for a label record that cannot be used."""

    def __init__(self, reason: LabelRejectionReason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class _Truth(msgspec.Struct):
    data: Any = None
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

    A label record is used when it is the last one of an event that fits a captured record (`codes_of`); everything else
    is rejected under its reason. Memory grows with the number of label records.
    """

    classes: Classes
    _entries: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    _unusable: dict[str, LabelRejectionReason] = field(default_factory=dict)
    _used: dict[str, _Entry] = field(default_factory=dict)
    _mismatched: set[str] = field(default_factory=set)
    _rejected: Counter[LabelRejectionReason] = field(default_factory=Counter)
    _places: dict[LabelRejectionReason, Places] = field(default_factory=dict)

    def read(self, files: Iterable[tuple[Path, str]], odd: Iterable[tuple[str, RejectionReason]] = ()) -> None:
        """Read the files, each with its name, in the order of the names.

        Names begin with the hour of collection, so that the last label of an event wins. What is `odd` is no file that
        can be read (`drift.read.folder.Listing`), and counts as one record.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        for name, reason in odd:
            self._reject(LabelRejectionReason(reason.value), Place(name, 0))
        for path, name in sorted(files, key=lambda file: file[1]):
            if is_compressed(path):
                self._reject(LabelRejectionReason.COMPRESSED_FILE, Place(name, 0))
                continue
            for line, data in numbered_lines(path):
                self._read_line(data, Place(name, line))

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
            if key is None or key not in self._entries:
                continue
            # The last one that fits: a record with another number of labels does not cost the request those before it.
            entry = next((one for one in reversed(self._entries[key]) if len(one.codes) == n_rows), None)
            if entry is not None:
                self._used[key] = entry
                return entry.codes
            self._mismatched.add(key)
        return None

    def unusable(self, keys: Sequence[str | None]) -> LabelRejectionReason | None:
        """Return why a captured record has no label though one came for it; None where none came."""
        for key in keys:
            if key in self._mismatched:
                return LabelRejectionReason.ROW_COUNT_MISMATCH
            if key is not None and key in self._unusable:
                return self._unusable[key]
        return None

    def account(self) -> RecordCounts:
        """Return the account: read is used plus rejected."""
        rejected, places = (
            Counter(self._rejected),
            {reason: Places(all_of.first) for reason, all_of in self._places.items()},
        )
        for key, entries in self._entries.items():
            for entry, reason in self._unused(key, entries):
                rejected[reason] += 1
                places.setdefault(reason, Places()).add([entry.place])
        return RecordCounts(
            read=len(self._used) + rejected.total(),
            used=len(self._used),
            rejected={str(reason): rejected[reason] for reason in sorted(rejected)},
            examples={str(reason): tuple(map(str, places[reason].first)) for reason in sorted(rejected)},
        )

    def _unused(self, key: str, entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, LabelRejectionReason]]:
        used = self._used.get(key)
        last = used or entries[-1]
        for entry in entries:
            if entry is used:
                continue
            if len(entry.codes) != len(last.codes):
                yield entry, LabelRejectionReason.ROW_COUNT_MISMATCH
            elif entry is not last:
                same = entry.codes == last.codes
                yield entry, LabelRejectionReason.DUPLICATE_LABEL if same else LabelRejectionReason.CONTRADICTED_LABEL
            elif key in self._mismatched:
                yield entry, LabelRejectionReason.ROW_COUNT_MISMATCH
            else:
                yield entry, LabelRejectionReason.NO_CAPTURED_RECORD

    def _read_line(self, line: bytes | None, place: Place) -> None:
        event_id = None
        try:
            event_id, texts = parse_label_record(line)
            codes = tuple(map(self._code, texts))
            if all(code == NO_LABEL for code in codes):
                raise LabelRejectedError(LabelRejectionReason.NO_LABEL)
        except LabelRejectedError as error:
            self._reject(error.reason, place)
            if event_id is not None:
                self._unusable[event_id] = error.reason
        except Exception as error:
            fault(error)
            self._reject(LabelRejectionReason.INTERNAL_FAULT, place)
        else:
            self._entries[event_id].append(_Entry(codes, place))

    def _code(self, text: str) -> int:
        try:
            return self.classes.code(text)
        except UnknownLabelError as error:
            raise LabelRejectedError(LabelRejectionReason.UNKNOWN_LABEL) from error

    def _reject(self, reason: LabelRejectionReason, place: Place) -> None:
        self._rejected[reason] += 1
        self._places.setdefault(reason, Places()).add([place])


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield the numbered lines that hold anything; None stands for one that is too long."""
    for block in blocks(path):
        if isinstance(block, TooLong):
            yield block.number, None
        else:
            yield from ((number, line) for number, line in block.numbered() if line.strip())


def parse_label_record(line: bytes | None) -> tuple[str, list[str]]:
    """Return the id that a label record names, and the text of the label of each row, empty where it has not come.

    Raises
    ------
    LabelRejectedError
        If the line is no such record.
    """
    if line is None:
        raise LabelRejectedError(LabelRejectionReason.LINE_TOO_LONG)
    try:
        line.decode()
        record = _DECODER.decode(line.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError as error:
        raise LabelRejectedError(LabelRejectionReason.NOT_UTF8) from error
    except msgspec.ValidationError as error:
        raise LabelRejectedError(LabelRejectionReason.NOT_A_LABEL_RECORD) from error
    except (ValueError, RecursionError) as error:
        raise LabelRejectedError(LabelRejectionReason.NOT_JSON) from error
    return record.event_metadata.event_id, [*_texts(record.ground_truth_data)]


_OF_A_ROW = "label"
_OF_ALL_ROWS = (_OF_A_ROW, "labels", "instances", "data")
"""Keys of an object under which a dataset has the labels of a request's rows or the rows with their labels."""


def _texts(truth: _Truth) -> Iterator[str]:
    """Yield one label per row, in the forms in which SageMaker's datasets have them.

    CSV: the fields of all lines. JSON: a value, a list, an object with ``label`` or with a list of such objects under
    ``instances``, one document or one a line. Source: SageMaker Developer Guide, "Ingest ground truth labels and merge
    them with predictions"; aws/amazon-sagemaker-examples, Clarify's bias monitor for JSON and JSON Lines endpoints.
    """
    data, encoding = truth.data, (truth.encoding or "CSV").upper()
    if encoding == "BASE64" and isinstance(data, str):
        data = _from_base64(data)
        encoding = "JSON" if data.lstrip().startswith(("{", "[")) else "CSV"
    if not isinstance(data, str):
        yield from _of_document(data)
    elif encoding == "JSON":
        for document in _documents(data):
            yield from _of_document(document)
    else:
        yield from _csv_fields(data)


def _from_base64(data: str) -> str:
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise LabelRejectedError(LabelRejectionReason.NOT_A_LABEL_RECORD) from error


def _documents(text: str) -> list[Any]:
    """Return the JSON document, or those of all lines; a bare text is a label too."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else [text]
    except (ValueError, RecursionError):
        return [text]


def _of_document(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        found = next((document[key] for key in _OF_ALL_ROWS if key in document), document)
        document = found if isinstance(found, list) else document
    yield from map(_of_row, document if isinstance(document, list) else [document])


def _of_row(value: object) -> str:
    """Return the text of one row's label: a value, that of a list of one, or that of an object."""
    if isinstance(value, dict):
        # An object of one key names the target by its own name.
        key = _OF_A_ROW if _OF_A_ROW in value or len(value) != 1 else next(iter(value))
        value = value.get(key, ())
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    return _spelled(value)


def _csv_fields(text: str) -> list[str]:
    """Return the fields of all lines; an empty line between others is a row whose label has not come."""
    if _SEPARATORS.isdisjoint(text):
        return [text]
    try:
        lines = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), skipinitialspace=True, strict=True)
        return [field for fields in lines for field in (fields or [""])]
    except csv.Error as error:
        raise LabelRejectedError(LabelRejectionReason.NOT_A_LABEL_RECORD) from error


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return value if isinstance(value, str) else spelled(value)
    raise LabelRejectedError(LabelRejectionReason.NOT_A_LABEL_RECORD)
