"""One capture file -> partial counts."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drift.kernel.batches import Batch, batches
from drift.kernel.columns import ColumnReader
from drift.kernel.counting import count_batch
from drift.kernel.hashes import Hashes
from drift.kernel.lines import BLOCK_BYTES, Block, TooLong, blocks, is_compressed
from drift.kernel.partial import PartialCounts
from drift.kernel.plan import Plan, variant_of
from drift.kernel.records import Record, Reject, parse, parse_lines
from drift.rejection import Reason, Rejected

Lines: TypeAlias = NDArray[np.int64]
NoteEvents: TypeAlias = Callable[[str, Hashes, Lines], None]
"""Told of the event ids of used records: the file's name, the hashes of the ids, and the records' line numbers."""


class FileCounter:
    """Counts files; what it remembers of labels from file to file changes no result."""

    def __init__(self, plan: Plan, block_bytes: int = BLOCK_BYTES) -> None:
        self.plan = plan
        self._block_bytes = block_bytes
        self._readers = [ColumnReader(spec, plan.reference[spec.name]) for spec in plan.specs]

    def count(
        self, file: Path, name: str, note_events: NoteEvents, counts: PartialCounts | None = None
    ) -> PartialCounts:
        """Return what a file comes down to, added to `counts` if there are any before it.

        `name` is the file's path relative to the folder, with ``/``.
        """
        counts = counts or PartialCounts()
        reject = _rejection(counts, name)
        if is_compressed(file):
            reject(Rejected(Reason.COMPRESSED_FILE), 0)
            return counts
        if self.plan.variant is not None and variant_of(name) not in {None, self.plan.variant}:
            self._reject_all(file, reject)
            return counts
        for records, numbers in self._records(file, reject):
            for batch in batches(records, numbers, self.plan, reject):
                count_batch(counts, batch, name, self.plan, self._readers)
                note_events(name, *_events(batch))
        return counts

    def count_lines(self, file: Path, name: str, lines: Lines) -> PartialCounts:
        """Return what some lines of a file come down to."""
        counts = PartialCounts()
        for batch in self.read_lines(file, lines):
            count_batch(counts, batch, name, self.plan, self._readers)
        return counts

    def read_lines(self, file: Path, lines: Lines) -> Iterator[Batch]:
        """Yield the usable records among some lines of a file, given in ascending order."""
        reject = _rejection(PartialCounts(), "")
        for block in blocks(file, self._block_bytes):
            if isinstance(block, Block) and (chosen := _chosen(block, lines)):
                yield from batches(*parse_lines(chosen, reject), self.plan, reject)

    def _records(self, file: Path, reject: Reject) -> Iterator[tuple[list[Record], Sequence[int]]]:
        for block in blocks(file, self._block_bytes):
            if isinstance(block, TooLong):
                reject(Rejected(Reason.LINE_TOO_LONG), block.number)
            else:
                yield parse(block, reject)

    def _reject_all(self, file: Path, reject: Reject) -> None:
        for block in blocks(file, self._block_bytes):
            if isinstance(block, TooLong):
                reject(Rejected(Reason.OTHER_VARIANT), block.number)
                continue
            for number, line in block.numbered():
                if line.strip():
                    reject(Rejected(Reason.OTHER_VARIANT), number)


def _rejection(counts: PartialCounts, name: str) -> Reject:
    return lambda error, number: counts.reject(error, name, number)


def _events(batch: Batch) -> tuple[Hashes, Lines]:
    if None not in batch.event_ids:
        return batch.event_hashes, batch.numbers
    named = np.array([event_id is not None for event_id in batch.event_ids], dtype=bool)
    return batch.event_hashes[named], batch.numbers[named]


def _chosen(block: Block, lines: Lines) -> list[tuple[int, bytes]]:
    """Return the numbered lines of a block that are among `lines`."""
    start, end = np.searchsorted(lines, [block.first, block.first + len(block.line_feeds) + 1])
    if start == end:
        return []
    texts = block.data.split(b"\n")
    return [(int(number), texts[number - block.first]) for number in lines[start:end]]
