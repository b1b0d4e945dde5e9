"""A line of a capture file -> the parts of a record that count."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Literal, Self, TypeAlias, get_args

import msgspec
import numpy as np

from drift.kernel.lines import Block
from drift.rejection import Reason, Rejected

Reject = Callable[[Rejected, int], None]
"""Counts one record, given its line's number or position, under the reason it was given up for."""


Encoding: TypeAlias = Literal["CSV", "JSON", "BASE64"]
"""How a side was captured. Literals need no new text for each record."""
_ENCODINGS: Mapping[str | None, Encoding] = {name: name for name in get_args(Encoding)}


class Side(msgspec.Struct, rename="camel", gc=False):
    """One side of the exchange; None where the record has no text, or none that we know."""

    data: str | None = None
    encoding: Encoding | None = None
    observed_content_type: str | None = None


class Sides(msgspec.Struct, rename="camel", gc=False):
    """Request and response; None where a side was not captured."""

    endpoint_input: Side | None = None
    endpoint_output: Side | None = None


class Metadata(msgspec.Struct, rename="camel", gc=False):
    """Which event, and when."""

    event_id: str | None = None
    inference_id: str | None = None
    inference_time: str | None = None


class Record(msgspec.Struct, rename="camel", gc=False):
    """One capture record. The names are SageMaker's."""

    capture_data: Sides
    event_metadata: Metadata


Payload: TypeAlias = str | Side | None
"""One side of the exchange; the text alone where it is CSV."""


@dataclass(frozen=True, eq=False)
class Records:
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
    def of(cls, records: Sequence[Record], positions: Iterable[int]) -> Self:
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

    def where(self, chosen: Sequence[bool]) -> Self:
        """Return some of the records."""
        return type(self)(*([*compress(part, chosen)] for part in self._parts()))

    def _parts(self) -> tuple[list[Any], ...]:
        return self.positions, self.inputs, self.outputs, self.event_ids, self.inference_ids, self.times


def _payloads(sides: Sequence[Side | None]) -> list[Payload]:
    return [side.data if side and side.encoding == "CSV" and side.data is not None else side for side in sides]


_DECODER = msgspec.json.Decoder(Record)
_FAILURES = (ValueError, RecursionError)  # msgspec's own errors are ValueErrors
_NOT_TEXT = Side()


def parse(block: Block, reject: Reject) -> Records:
    """Return the block's records; what is no record is rejected, and blank lines are nothing."""
    records = _parse_at_once(block)
    if records is not None:
        return Records.of(records, range(block.first, block.first + len(records)))
    return parse_lines(block.numbered(), reject)


def parse_lines(lines: Sequence[tuple[int, bytes]], reject: Reject) -> Records:
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
    return Records.of(records, numbers)


def _parse_at_once(block: Block) -> list[Record] | None:
    """Return one record per line, or None where lines have to be looked at one by one."""
    try:
        _require_utf8(block.data)
        records = _DECODER.decode_lines(block.data) if _has_one_object_per_line(block) else None
    except _FAILURES:
        return None
    n_lines = len(block.line_feeds) + (not block.data.endswith(b"\n"))
    return records if records is not None and len(records) == n_lines else None


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


def _parse_line(line: bytes) -> Record:
    try:
        _require_utf8(line)
        return _DECODER.decode(line)
    except _FAILURES:
        return _parse_slowly(line)


def _require_utf8(data: bytes) -> None:
    # msgspec does not look at the texts that the record's type has no place for.
    if not data.isascii():
        data.decode()


def _parse_slowly(line: bytes) -> Record:
    """Say what is wrong with a line, or forgive it what does not matter: a byte order mark, odd types in odd places."""
    try:
        document = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejected(Reason.NOT_UTF8) from error
    except _FAILURES as error:
        raise Rejected(Reason.NOT_JSON) from error
    data, metadata = (_member(document, name) for name in ("captureData", "eventMetadata"))
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        raise Rejected(Reason.NOT_A_CAPTURE_RECORD)
    return Record(
        Sides(_side(data.get("endpointInput")), _side(data.get("endpointOutput"))),
        Metadata(_text(metadata, "eventId"), _text(metadata, "inferenceId"), _text(metadata, "inferenceTime")),
    )


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _text(mapping: Mapping[str, object], name: str) -> str | None:
    value = mapping.get(name)
    return value if isinstance(value, str) else None


def _side(value: object) -> Side | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return _NOT_TEXT
    encoding = _ENCODINGS.get(_text(value, "encoding"))
    return Side(_text(value, "data"), encoding, _text(value, "observedContentType"))
