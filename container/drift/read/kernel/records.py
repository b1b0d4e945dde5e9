"""Capture files -> records: blocks of whole lines in bounded memory, each line's record, and where it stands."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nsmallest
from itertools import compress, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Literal, Self, TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.content_types import content_type

BLOCK_BYTES = 512 << 10
"""Large enough to make the work per block small, small enough for its records to stay in the processor's cache."""
MAX_LINE_BYTES = 10_000_000
"""Longer lines are not read: a request body has 6 MB at most, and its capture seldom more."""
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive whole lines; `first` is the number of the first one. The last may lack its line feed."""

    first: int
    data: bytes

    @cached_property
    def line_feeds(self) -> NDArray[np.intp]:
        """Positions of the line feeds in `data`."""
        return np.flatnonzero(np.frombuffer(self.data, dtype=np.uint8) == ord("\n"))

    def numbered(self) -> list[tuple[int, bytes]]:
        """Return the lines, each with its number; the last may be empty and none."""
        return [*enumerate(self.data.split(b"\n"), self.first)]


@dataclass(frozen=True)
class TooLong:
    """A line that was passed over."""

    number: int


def is_compressed(file: Path) -> bool:
    """Return whether the file is gzip data, whatever its name."""
    with file.open("rb") as handle:
        return handle.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC


def blocks(file: Path, block_bytes: int = BLOCK_BYTES, first: int = 1) -> Iterator[Block | TooLong]:
    """Yield all lines of a file: `block_bytes` at a time, each block completed to its last line's end.

    Lines are numbered from `first`.
    """
    with file.open("rb") as handle:
        while start := handle.read(block_bytes):
            end = b"" if start.endswith(b"\n") else handle.readline(MAX_LINE_BYTES + 1)
            n_before = start.rfind(b"\n") + 1
            if len(start) - n_before + len(end.removesuffix(b"\n")) <= MAX_LINE_BYTES:
                block = Block(first, start + end)
                yield block
                first += len(block.line_feeds)
                continue
            yield Block(first, start[:n_before])
            first += start.count(b"\n") + 1
            yield TooLong(first - 1)
            if not end.endswith(b"\n"):
                _skip_line(handle)


def _skip_line(handle: BinaryIO) -> None:
    while (rest := handle.readline(BLOCK_BYTES)) and not rest.endswith(b"\n"):
        pass


MAX_PLACES = 5
POSITIONS = 1 << 32
"""Of the lines of several files: a line's position is its file's index times this, plus its number from 1."""


@dataclass(frozen=True, order=True)
class Place:
    """A line of a capture file, by its path relative to the folder; line 0 is the file itself."""

    name: str
    line: int
    note: str = ""

    def __str__(self) -> str:
        """Return the place as a log shows it."""
        return f"{self.name}:{self.line}" if self.line else self.name


@dataclass(eq=False)
class Places:
    """The first places in order of path and line, whatever the order in which they were found."""

    first: list[Place] = field(default_factory=list)

    def has_room_for(self, name: str, line: int) -> bool:
        """Return whether a place comes before the last one here, or there is room after it."""
        return len(self.first) < MAX_PLACES or (name, line) < (self.first[-1].name, self.first[-1].line)

    def notes(self) -> tuple[str, ...]:
        """Return what is noted of the places, each note once."""
        return tuple(dict.fromkeys(place.note for place in self.first if place.note))

    def add(self, places: Iterable[Place]) -> None:
        """Take note of places."""
        self.first = nsmallest(MAX_PLACES, [*self.first, *places])


def first_places(
    names: Sequence[str], positions: NDArray[np.int64], notes: Mapping[int, str] = MappingProxyType({})
) -> list[Place]:
    """Return the places of some positions in the files of these names, as far as they can be examples, with notes."""
    distinct = np.unique(positions)
    _, starts = np.unique(distinct // POSITIONS, return_index=True)
    return [
        Place(names[position // POSITIONS], position % POSITIONS, notes.get(position, ""))
        for start, end in pairwise([*starts.tolist(), len(distinct)])
        for position in distinct[start:end][:MAX_PLACES].tolist()
    ]


class Rejected(Exception):
    """Raised inside the reader to give up one record; never leaves it. `shape` describes a row of another shape."""

    def __init__(self, reason: RejectionReason, shape: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        # A client's text: half a surrogate pair in it would leave the report unwritten.
        self.shape = shape.encode(errors="backslashreplace").decode()


Reject = Callable[[Rejected, int], None]
"""Counts one record, given its line's number or position, under the reason it was given up for."""


Encoding: TypeAlias = Literal["CSV", "JSON", "BASE64"]
"""How a side was captured. Literals need no new text for each record."""
_ENCODINGS: Mapping[str | None, Encoding] = {name: name for name in get_args(Encoding)}


class CaptureSide(msgspec.Struct, rename="camel", gc=False):
    """One side of the exchange; None where the record has no text, or none that we know."""

    data: str | None = None
    encoding: Encoding | None = None
    observed_content_type: str | None = None


class CaptureSides(msgspec.Struct, rename="camel", gc=False):
    """Request and response; None where a side was not captured. What a batch transform answered is neither."""

    endpoint_input: CaptureSide | None = None
    endpoint_output: CaptureSide | None = None
    batch_transform_output: object = None

    @property
    def is_of_batch(self) -> bool:
        """Whether this is a record of a batch transform, which has no request."""
        return self.batch_transform_output is not None and self.endpoint_input is None


class EventMetadata(msgspec.Struct, rename="camel", gc=False):
    """Which event, and when."""

    event_id: str | None = None
    inference_id: str | None = None
    inference_time: str | None = None


class CaptureRecord(msgspec.Struct, rename="camel", gc=False):
    """One capture record. The names are SageMaker's."""

    capture_data: CaptureSides
    event_metadata: EventMetadata


Payload: TypeAlias = str | CaptureSide | None
"""One side of the exchange; the text alone where it is CSV."""


@dataclass(frozen=True, eq=False)
class CaptureRecords:
    """Parts of some records, each with one entry per record, and their line numbers or positions.

    The text of a CSV side stands for the side.
    """

    positions: list[int] = field(default_factory=list)
    inputs: list[Payload] = field(default_factory=list)
    outputs: list[Payload] = field(default_factory=list)
    event_ids: list[str | None] = field(default_factory=list)
    inference_ids: list[str | None] = field(default_factory=list)
    times: list[str | None] = field(default_factory=list)

    @classmethod
    def of(cls, records: Sequence[CaptureRecord], positions: Iterable[int]) -> Self:
        """Take records apart."""
        sides = [record.capture_data for record in records]
        metadata = [record.event_metadata for record in records]
        return cls(
            positions=[*positions],
            inputs=_payloads([both.endpoint_input for both in sides]),
            outputs=_payloads([both.endpoint_output for both in sides]),
            event_ids=[event.event_id for event in metadata],
            inference_ids=[event.inference_id for event in metadata],
            times=[event.inference_time for event in metadata],
        )

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.positions)

    def add(self, other: Self) -> None:
        """Add records at the end."""
        for ours, theirs in zip(self._parts(), other._parts(), strict=True):
            ours.extend(theirs)

    def where(self, chosen: Iterable[bool]) -> Self:
        """Return some of the records."""
        return type(self)(*([*compress(part, chosen)] for part in self._parts()))

    def _parts(self) -> tuple[list[Any], ...]:
        return self.positions, self.inputs, self.outputs, self.event_ids, self.inference_ids, self.times


_COMMON_CSV = frozenset({None, "text/csv", "text/csv; charset=utf-8"})
"""Content types that most records have, and that need no second look."""


def _payloads(sides: Sequence[CaptureSide | None]) -> list[Payload]:
    return [
        side.data if side and side.observed_content_type in _COMMON_CSV and side.encoding == "CSV" and side.data
        else payload(side)
        for side in sides
    ]  # fmt: skip


def payload(side: CaptureSide | None) -> Payload:
    """Return a captured side as the kernel takes it: the text alone where it is CSV divided by commas."""
    if side is None or side.encoding != "CSV" or side.data is None:
        return side
    return side.data if content_type(side.observed_content_type).is_usual else side


_DECODER = msgspec.json.Decoder(CaptureRecord)
_FAILURES = (ValueError, RecursionError)  # msgspec's own errors are ValueErrors
_NOT_TEXT = CaptureSide()
_BATCH_KEYS = ("SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput")
"""Keys of a batch transform's output. Source: SageMaker Developer Guide, "Capture data from batch transform job"."""
_MANIFEST = re.compile(rb'(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*"prefix"\s*:\s*"')
"""How manifests begin, or their second line: a batch transform captures them in place of requests (the same source)."""


def parse(block: Block, reject: Reject) -> CaptureRecords:
    """Return the block's records; what is no record is rejected, and blank lines are nothing."""
    records = _parse_at_once(block)
    if records is not None:
        return CaptureRecords.of(records, range(block.first, block.first + len(records)))
    return parse_lines(block.numbered(), reject)


@dataclass(frozen=True, eq=False)
class NumberedLines:
    """Lines with their numbers or positions."""

    lines: Sequence[tuple[int, bytes]]

    @property
    def positions(self) -> list[int]:
        """The numbers alone."""
        return [number for number, _ in self.lines]

    def where(self, chosen: Iterable[bool]) -> Self:
        """Return some of the lines."""
        return type(self)([*compress(self.lines, chosen)])


def parse_lines(lines: Sequence[tuple[int, bytes]], reject: Reject) -> CaptureRecords:
    """Return the records of numbered lines, read one by one."""
    records, numbers = [], []
    for number, line in lines:
        if not line.strip():
            continue
        try:
            records.append(_parse_line(line))
        except Rejected as error:
            reject(error, number)
        else:
            numbers.append(number)
    return CaptureRecords.of(records, numbers)


def _parse_at_once(block: Block) -> list[CaptureRecord] | None:
    """Return one record per line, or None where lines have to be read one by one."""
    try:
        _require_utf8(block.data)
        records = _DECODER.decode_lines(block.data) if _has_one_object_per_line(block) else None
    except _FAILURES:
        return None
    n_lines = len(block.line_feeds) + (not block.data.endswith(b"\n"))
    if records is None or len(records) != n_lines:
        return None
    of_batch = [record for record in records if record.capture_data.batch_transform_output is not None]
    return None if of_batch else records


def _has_one_object_per_line(block: Block) -> bool:
    """Return whether each line begins with ``{`` and ends with ``}``: no line then goes on in the next.

    The decoder of lines would take two objects on one line, or one on two. But "}" and "{" are never neighbours within
    an object, and no string goes over the end of a line.
    """
    content = np.frombuffer(block.data, dtype=np.uint8)
    ends = block.line_feeds
    starts = ends[ends < len(content) - 1] + 1
    return (
        block.data.startswith(b"{")
        and bool((content[starts] == ord("{")).all())
        and bool((content[ends - 1] == ord("}")).all())
    )


def _parse_line(line: bytes) -> CaptureRecord:
    try:
        _require_utf8(line)
        record = _DECODER.decode(line)
    except _FAILURES:
        record = _parse_slowly(line)
    if record.capture_data.is_of_batch:
        raise Rejected(RejectionReason.BATCH_TRANSFORM, "the key batchTransformOutput")
    return record


def _require_utf8(data: bytes) -> None:
    # msgspec does not check the texts that the record's type has no place for.
    if not data.isascii():
        data.decode()


def _parse_slowly(line: bytes) -> CaptureRecord:
    """Read a line leniently: a byte order mark and wrong types in unused places are ignored; others raise Rejected."""
    try:
        document = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejected(RejectionReason.NOT_UTF8) from error
    except _FAILURES as error:
        _require_no_manifest(line)
        raise Rejected(RejectionReason.NOT_JSON) from error
    data, metadata = (_member(document, name) for name in ("captureData", "eventMetadata"))
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        _require_no_manifest(line)
        of_batch = [key for key in _BATCH_KEYS if _member(document, key) is not None]
        if of_batch:
            raise Rejected(RejectionReason.BATCH_TRANSFORM, f"the key {of_batch[0]}")
        raise Rejected(RejectionReason.NOT_A_CAPTURE_RECORD)
    return CaptureRecord(
        CaptureSides(
            _side(data.get("endpointInput")), _side(data.get("endpointOutput")), data.get("batchTransformOutput")
        ),
        EventMetadata(_text(metadata, "eventId"), _text(metadata, "inferenceId"), _text(metadata, "inferenceTime")),
    )


def _require_no_manifest(line: bytes) -> None:
    if _MANIFEST.match(line):
        raise Rejected(RejectionReason.BATCH_TRANSFORM, "a manifest of input or output files")


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _text(mapping: Mapping[str, object], name: str) -> str | None:
    value = mapping.get(name)
    return value if isinstance(value, str) else None


def _side(value: object) -> CaptureSide | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return _NOT_TEXT
    encoding = _ENCODINGS.get(_text(value, "encoding"))
    return CaptureSide(_text(value, "data"), encoding, _text(value, "observedContentType"))
