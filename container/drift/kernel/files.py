"""Capture files -> partial counts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from drift.kernel.places import POSITIONS
from drift.kernel.plan import Plan, variant_of
from drift.kernel.records import Records, Reject, parse, parse_lines
from drift.rejection import Reason, Rejected

_TOGETHER = 16_384
"""From this number of records on, what has to be done once for a batch does not count."""
Lines: TypeAlias = NDArray[np.int64]
NoteEvents: TypeAlias = Callable[[str, Hashes, Lines], None]
"""Told of the event ids of used records: the file's name, the hashes of the ids, and the records' line numbers."""


class FileCounter:
    """Counts files; what it remembers of labels from file to file changes no result."""

    def __init__(self, plan: Plan, block_bytes: int = BLOCK_BYTES) -> None:
        self.plan = plan
        self._block_bytes = block_bytes
        self._readers = [ColumnReader(spec, plan.reference[spec.name]) for spec in plan.specs]

    def count(self, file: Path, name: str, note_events: NoteEvents) -> PartialCounts:
        """Return what a file comes down to; `name` is its path relative to the folder, with ``/``."""
        return self.count_all([(file, name)], note_events)

    def count_all(self, files: Iterable[tuple[Path, str]], note_events: NoteEvents) -> PartialCounts:
        """Return what some files, each with its name, come down to. Small files are counted together."""
        counts = PartialCounts()
        for found, names in self.read_all(files, counts):
            for batch in found:
                self.add(counts, batch, names)
                for name, hashes, lines in _events(batch, names):
                    note_events(name, hashes, lines)
        return counts

    def read_all(
        self, files: Iterable[tuple[Path, str]], rejected: PartialCounts
    ) -> Iterator[tuple[list[Batch], Sequence[str]]]:
        """Yield the usable records of some files, many at a time, with the names of the files so far.

        What is rejected is counted in `rejected`.
        """
        names = list[str]()
        reject = _rejection(rejected, names)
        waiting = Records()
        for records in self._records(files, names, reject):
            waiting.add(records)
            if len(waiting) >= _TOGETHER:
                yield [*batches(waiting, self.plan, reject)], names
                waiting = Records()
        yield [*batches(waiting, self.plan, reject)], names

    def add(self, counts: PartialCounts, batch: Batch, names: Sequence[str]) -> None:
        """Add a batch's rows to `counts`; `names` are those of its files."""
        count_batch(counts, batch, names, self.plan, self._readers)

    def count_lines(self, file: Path, name: str, lines: Lines) -> PartialCounts:
        """Return what some lines of a file come down to."""
        counts = PartialCounts()
        for batch in self.read_lines(file, lines):
            self.add(counts, batch, [name])
        return counts

    def read_lines(self, file: Path, lines: Lines) -> Iterator[Batch]:
        """Yield the usable records among some lines of a file, given in ascending order."""
        reject = _rejection(PartialCounts(), [""])
        for block in blocks(file, self._block_bytes):
            if isinstance(block, Block) and (chosen := _chosen(block, lines)):
                yield from batches(parse_lines(chosen, reject), self.plan, reject)

    def _records(self, files: Iterable[tuple[Path, str]], names: list[str], reject: Reject) -> Iterator[Records]:
        """Yield the records of all files, with the files' names added to `names`."""
        for file, name in files:
            start = len(names) * POSITIONS
            names.append(name)
            if is_compressed(file):
                reject(Rejected(Reason.COMPRESSED_FILE), start)
                continue
            is_other = self.plan.variant is not None and variant_of(name) not in {None, self.plan.variant}
            for block in blocks(file, self._block_bytes, start + 1):
                if is_other:
                    _reject_block(block, reject)
                elif isinstance(block, TooLong):
                    reject(Rejected(Reason.LINE_TOO_LONG), block.number)
                else:
                    yield parse(block, reject)


def _reject_block(block: Block | TooLong, reject: Reject) -> None:
    lines = [(block.number, b"too long")] if isinstance(block, TooLong) else block.numbered()
    for position, line in lines:
        if line.strip():
            reject(Rejected(Reason.OTHER_VARIANT), position)


def _rejection(counts: PartialCounts, names: Sequence[str]) -> Reject:
    return lambda error, position: counts.reject(error, names[position // POSITIONS], position % POSITIONS)


def _events(batch: Batch, names: Sequence[str]) -> Iterator[tuple[str, Hashes, Lines]]:
    """Yield the hashes and the lines of the batch's event ids, file by file."""
    files = batch.positions // POSITIONS
    named = None not in batch.event_ids or np.array([text is not None for text in batch.event_ids], dtype=bool)
    for file in np.unique(files).tolist():
        chosen = (files == file) & named
        yield names[file], batch.event_hashes[chosen], batch.positions[chosen] % POSITIONS


def _chosen(block: Block, lines: Lines) -> list[tuple[int, bytes]]:
    """Return the numbered lines of a block that are among `lines`."""
    start, end = np.searchsorted(lines, [block.first, block.first + len(block.line_feeds) + 1])
    if start == end:
        return []
    texts = block.data.split(b"\n")
    return [(int(number), texts[number - block.first]) for number in lines[start:end]]
