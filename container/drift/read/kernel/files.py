"""Capture files -> partial counts, and the rejection of events that were captured twice.

Everything is computed per distinct cell, and gathered per row. Duplicate events are found by the hashes of their ids,
which are kept on disk, and verified by reading their records again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.data.counts import OTHER_LABELS
from plumbline.drift.data.documents import storing, temporary_folder
from plumbline.drift.read.kernel.batches import ANSWER_STATES, READ, Batch, batches
from plumbline.drift.read.kernel.columns import (
    MISSING,
    PRESENT,
    UNREADABLE,
    CellState,
    ColumnCells,
    ColumnReader,
    Hashes,
    combined,
    number_hashes,
)
from plumbline.drift.read.kernel.isolation import attempted, isolated
from plumbline.drift.read.kernel.partial_counts import (
    Group,
    GroupCounts,
    PartialCounts,
    SampledRows,
    ScoreGroup,
    ScoreKind,
)
from plumbline.drift.read.kernel.plan import WindowPlan, variant_of
from plumbline.drift.read.kernel.predictions import NO_CLASS
from plumbline.drift.read.kernel.records import (
    BLOCK_BYTES,
    POSITIONS,
    Block,
    CaptureRecords,
    NumberedLines,
    Place,
    Places,
    Reject,
    Rejected,
    TooLong,
    blocks,
    first_places,
    is_compressed,
    parse,
    parse_lines,
)
from plumbline.drift.read.kernel.variants import RequestIds, request_hashes

_BATCH_RECORDS = 16_384
"""Records of a batch: from this number on the fixed cost of a batch is negligible."""
Lines: TypeAlias = NDArray[np.int64]
NoteEvents: TypeAlias = Callable[[str, Hashes, Lines], None]
"""Notes the event ids of used records: the file's name, the hashes of the ids, and the records' line numbers."""


class FileCounter:
    """Counts files; its cache of labels changes no result."""

    def __init__(self, plan: WindowPlan, block_bytes: int = BLOCK_BYTES) -> None:
        self.plan = plan
        self._block_bytes = block_bytes
        self._readers = [ColumnReader(spec, plan.reference[spec.name]) for spec in plan.specs]

    def count(self, file: Path, name: str, note_events: NoteEvents) -> PartialCounts:
        """Return one file's partial counts; `name` is its path relative to the folder, with ``/``."""
        return self.count_all([(file, name)], note_events)

    def count_all(self, files: Iterable[tuple[Path, str]], note_events: NoteEvents) -> PartialCounts:
        """Return the partial counts of some files, each with its name. Small files are counted together."""
        counts = PartialCounts()
        for found, names in self.read_all(files, counts):
            for batch in found:
                for counted in self.add(counts, batch, names):
                    for name, hashes, lines in _events(counted, names):
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
        waiting = CaptureRecords()
        for records in self._records(_noted(files, rejected), names, reject):
            waiting.add(records)
            if len(waiting) >= _BATCH_RECORDS:
                yield self._batches(waiting, reject), names
                waiting = CaptureRecords()
        yield self._batches(waiting, reject), names

    def add(self, counts: PartialCounts, batch: Batch, names: Sequence[str]) -> list[Batch]:
        """Add a batch's rows to `counts`, and return what was added; `names` are those of its files.

        That is the batch, without the records that cannot be counted for a reason that no rule foresees.
        """
        added = []
        for part, counted in isolated(
            batch, lambda some, _: self._counted(counts, some, names), _rejection(counts, names)
        ):
            counts.sample, counted.sample = counted.sample, None
            counts.merge(counted, self.plan)
            added.append(part)
        return added

    def _counted(self, counts: PartialCounts, batch: Batch, names: Sequence[str]) -> PartialCounts:
        """Return the counts of a batch alone, but for the sample, which continues that of `counts`."""
        counted = PartialCounts(sample=counts.sample)
        count_batch(counted, batch, names, self.plan, self._readers)
        return counted

    def count_lines(self, file: Path, name: str, lines: Lines) -> PartialCounts:
        """Return the partial counts of some lines of a file."""
        counts = PartialCounts()
        for batch in self.read_lines(file, lines):
            self.add(counts, batch, [name])
        return counts

    def _batches(self, records: CaptureRecords, reject: Reject) -> list[Batch]:
        made = isolated(records, lambda some, reject_some: [*batches(some, self.plan, reject_some)], reject)
        return [batch for _, found in made for batch in found]

    def read_lines(self, file: Path, lines: Lines) -> Iterator[Batch]:
        """Yield the usable records among some lines of a file, given in ascending order."""
        reject = _rejection(PartialCounts(), [""])
        for block in blocks(file, self._block_bytes):
            if isinstance(block, Block) and (chosen := _chosen(block, lines)):
                yield from self._batches(parse_lines(chosen, reject), reject)

    def countable_lines(self, file: Path, name: str, lines: Lines) -> Iterator[Batch]:
        """Yield what `count_lines` counts."""
        for batch in self.read_lines(file, lines):
            yield from self.add(PartialCounts(), batch, [name])

    def _records(self, files: Iterable[tuple[Path, str]], names: list[str], reject: Reject) -> Iterator[CaptureRecords]:
        """Yield the records of all files, with the files' names added to `names`."""
        for file, name in files:
            start = len(names) * POSITIONS
            names.append(name)
            if is_compressed(file):
                reject(Rejected(RejectionReason.COMPRESSED_FILE), start)
                continue
            is_other = self.plan.variant is not None and variant_of(name) not in {None, self.plan.variant}
            for block in blocks(file, self._block_bytes, start + 1):
                if is_other:
                    _reject_block(block, reject)
                elif isinstance(block, TooLong):
                    reject(Rejected(RejectionReason.LINE_TOO_LONG), block.number)
                else:
                    yield from _parsed(block, reject)


def _noted(files: Iterable[tuple[Path, str]], counts: PartialCounts) -> Iterator[tuple[Path, str]]:
    """Yield the files, and note their variants: one may have no record that can be used."""
    for file, name in files:
        counts.requests.setdefault(variant_of(name) or "", RequestIds())
        yield file, name


def _parsed(block: Block, reject: Reject) -> Iterator[CaptureRecords]:
    try:
        yield attempted(parse, block, reject)
    except Exception:
        lines = NumberedLines(block.numbered())
        yield from (made for _, made in isolated(lines, lambda some, note: parse_lines(some.lines, note), reject))


def _reject_block(block: Block | TooLong, reject: Reject) -> None:
    lines = [(block.number, b"too long")] if isinstance(block, TooLong) else block.numbered()
    for position, line in lines:
        if line.strip():
            reject(Rejected(RejectionReason.OTHER_VARIANT), position)


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


_Rows: TypeAlias = NDArray[np.bool_] | None
"""Which rows of a batch; None: all."""


def count_batch(
    counts: PartialCounts, batch: Batch, names: Sequence[str], plan: WindowPlan, readers: Sequence[ColumnReader]
) -> None:
    """Add the batch's rows to `counts`; `names` are those of its files."""
    n_rows = len(batch.probabilities)
    if not n_rows:
        return
    cells = [reader.read(column.distinct) for reader, column in zip(readers, batch.columns, strict=True)]
    outside, hashes = np.zeros(n_rows, dtype=bool), number_hashes(batch.probabilities)
    for spec, column, read in zip(plan.specs, batch.columns, cells, strict=True):
        if spec.name not in plan.ignored and read.outside.any():
            outside |= read.outside[column.codes]
        hashes = combined(hashes, read.hashes[column.codes])
    counts.n_used += len(batch.positions)
    _count_answers(counts, batch, names)
    counts.n_out_of_support += int(outside.sum())
    counts.repetition.add(hashes, np.ones(n_rows, dtype=np.int64))
    ids = request_hashes(batch.inference_ids, batch.event_hashes)
    for variant, of_variant in _variants(batch, names):
        own = ids if of_variant is None else ids[_records_with(of_variant, batch)]
        counts.requests.setdefault(variant, RequestIds()).add(own)
        for value, of_value in _segments(batch, cells, plan):
            rows = of_value if of_variant is None else of_variant if of_value is None else of_variant & of_value
            if rows is None or rows.any():
                _count_group(counts.group(Group(variant, value), plan), rows, batch, cells)
    for score_group, rows in _score_groups(batch, cells, plan):
        if rows.any():
            counts.score_group(score_group).add(*_probability_cells(batch.probabilities[rows]))
    _note_unreadable(counts, batch, cells, names, plan)
    _sample(counts, batch, cells, hashes)


def _count_answers(counts: PartialCounts, batch: Batch, names: Sequence[str]) -> None:
    numbers = np.bincount(batch.answers, minlength=len(ANSWER_STATES) + READ + 1)
    counts.n_answers_used += int(numbers[READ])
    for reason, state in ANSWER_STATES.items():
        if numbers[state]:
            positions = batch.positions[batch.answers == state]
            counts.note_unreadable_answers(reason, int(numbers[state]), first_places(names, positions, batch.readings))


def _variants(batch: Batch, names: Sequence[str]) -> Iterator[tuple[str, _Rows]]:
    files = batch.positions // POSITIONS
    variants = {file: variant_of(names[file]) or "" for file in np.unique(files).tolist()}
    if len(set(variants.values())) == 1:
        yield next(iter(variants.values())), None
        return
    for variant in sorted(set(variants.values())):
        of_variant = [file for file, its_variant in variants.items() if its_variant == variant]
        yield variant, np.repeat(np.isin(files, of_variant), batch.n_rows)


def _records_with(rows: NDArray[np.bool_], batch: Batch) -> NDArray[np.bool_]:
    """Return which records the rows belong to; a record's rows are all of one variant."""
    first: NDArray[np.int64] = np.cumsum(batch.n_rows) - batch.n_rows
    return np.take(rows, first)


def _segments(batch: Batch, cells: Sequence[ColumnCells], plan: WindowPlan) -> Iterator[tuple[str, _Rows]]:
    if plan.segment is None:
        yield "", None
        return
    segments, codes = _known_labels(plan.segment, batch, cells, plan)
    segments = np.array([OTHER_LABELS if label is None else label for label in segments], dtype=np.object_)
    for value in sorted(set(segments)):
        yield value, (segments == value)[codes]


def _score_groups(
    batch: Batch, cells: Sequence[ColumnCells], plan: WindowPlan
) -> Iterator[tuple[ScoreGroup, NDArray[np.bool_]]]:
    if plan.facet is not None:
        values, codes = _known_labels(plan.facet, batch, cells, plan)
        for value in sorted({label for label in values if label is not None}):
            yield ScoreGroup(ScoreKind.FACET, value), (values == value)[codes]
    for number in np.unique(batch.predicted[batch.predicted != NO_CLASS]).tolist():
        yield ScoreGroup(ScoreKind.CLASS, plan.outputs.classes[number]), batch.predicted == number


def _known_labels(
    name: str, batch: Batch, cells: Sequence[ColumnCells], plan: WindowPlan
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return a column's distinct labels, those unknown to the reference as `OTHER_LABELS`, and each row's index."""
    position = next(place for place, spec in enumerate(plan.specs) if spec.name == name)
    known = plan.labels[name] | {None}
    labels = [label if label in known else OTHER_LABELS for label in cells[position].values]
    return np.array(labels, dtype=np.object_), batch.columns[position].codes


def _count_group(kept: GroupCounts, rows: _Rows, batch: Batch, cells: Sequence[ColumnCells]) -> None:
    chosen = slice(None) if rows is None else rows
    probabilities = batch.probabilities[chosen]
    kept.n_rows += len(probabilities)
    for column, encoded, read in zip(kept.columns, batch.columns, cells, strict=False):
        column.add(read, np.bincount(encoded.codes[chosen], minlength=len(read.states)))
    kept.columns[-1].add(*_probability_cells(probabilities))


def _probability_cells(probabilities: NDArray[np.float64]) -> tuple[ColumnCells, NDArray[np.int64]]:
    states = np.where(np.isnan(probabilities), MISSING, PRESENT)
    none = np.zeros(len(states), dtype=bool)
    cells = ColumnCells(probabilities + 0.0, states, none.astype(np.uint64), none)
    return cells, np.ones(len(states), dtype=np.int64)


def _note_unreadable(
    counts: PartialCounts, batch: Batch, cells: Sequence[ColumnCells], names: Sequence[str], plan: WindowPlan
) -> None:
    for spec, column, read in zip(plan.specs, batch.columns, cells, strict=True):
        for state in set(read.states[read.states >= UNREADABLE].tolist()):
            positions = np.repeat(batch.positions, batch.n_rows)[(read.states == state)[column.codes]]
            places = counts.unreadable.setdefault((spec.name, str(CellState(state).reason)), Places())
            places.add(first_places(names, positions))


def _sample(counts: PartialCounts, batch: Batch, cells: Sequence[ColumnCells], hashes: Hashes) -> None:
    """Offer the batch's rows to the sample, under keys that the event and the row decide, not the file."""
    first = np.cumsum(batch.n_rows) - batch.n_rows
    positions = np.arange(len(hashes)) - np.repeat(first, batch.n_rows)
    keys = combined(combined(np.repeat(batch.event_hashes, batch.n_rows), positions.astype(np.uint64)), hashes)
    limit = counts.sample.limit() if counts.sample else None
    chosen = np.arange(len(keys)) if limit is None else np.flatnonzero(keys < limit)
    if len(chosen):
        columns = [read.values[encoded.codes[chosen]] for read, encoded in zip(cells, batch.columns, strict=True)]
        counts.add_sample(SampledRows(keys[chosen], (*columns, batch.probabilities[chosen])))


_N_PARTS = 64
_MAX_WAITING = 1 << 18
_MAX_SUSPECTS = 1 << 17
_ENTRY = np.dtype([("hash", "<u8"), ("file", "<u4"), ("line", "<u4")])
_NotedEvents: TypeAlias = "np.ndarray[Any, np.dtype[np.void]]"

Suspects: TypeAlias = Mapping[str, Lines]
"""Lines by file name, all of them with ids whose hashes occur more than once, and all lines with those hashes."""


@dataclass(eq=False)
class EventLog:
    """The hashes of a window's event ids, and where they stand: 16 bytes each, in temporary files."""

    _open: ExitStack = field(default_factory=ExitStack)
    _folder: Path = field(init=False)
    _files: dict[str, int] = field(default_factory=dict)
    _waiting: list[_NotedEvents] = field(default_factory=list)
    _n_waiting: int = 0

    def __enter__(self) -> Self:
        """Return the log itself; its files go with the block."""
        self._folder = self._open.enter_context(temporary_folder())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the temporary files."""
        self._open.close()

    def add(self, name: str, hashes: Hashes, lines: Lines) -> None:
        """Note the events of some records of one file."""
        entries = np.empty(len(hashes), dtype=_ENTRY)
        entries["hash"], entries["line"] = hashes, lines
        entries["file"] = self._files.setdefault(name, len(self._files))
        self._waiting.append(entries)
        self._n_waiting += len(entries)
        if self._n_waiting >= _MAX_WAITING:
            self._write()

    def suspects(self) -> Iterator[Suspects]:
        """Yield the places of hashes that occur more than once, a bounded number of them at a time."""
        self._write()
        names = [*self._files]
        waiting: list[_NotedEvents] = []
        for part in range(_N_PARTS):
            waiting.append(self._repeated(part))
            if sum(map(len, waiting)) >= _MAX_SUSPECTS or part == _N_PARTS - 1:
                repeated, waiting = np.concatenate(waiting), []
                yield {
                    names[number]: np.sort(repeated["line"][repeated["file"] == number]).astype(np.int64)
                    for number in np.unique(repeated["file"]).tolist()
                }

    def _repeated(self, part: int) -> _NotedEvents:
        file = self._file(part)
        entries = np.fromfile(file, dtype=_ENTRY) if file.exists() else np.empty(0, dtype=_ENTRY)
        hashes = np.sort(entries["hash"])
        return entries[np.isin(entries["hash"], hashes[1:][hashes[1:] == hashes[:-1]])]

    def _file(self, part: int) -> Path:
        return self._folder / f"{part}.events"

    def _write(self) -> None:
        if not self._waiting:
            return
        entries = np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        parts = (entries["hash"] % _N_PARTS).astype(np.uint8)
        order = np.argsort(parts, kind="stable")
        bounds = np.searchsorted(parts[order], np.arange(_N_PARTS + 1))
        for part in np.unique(parts).tolist():
            with storing("the temporary folder"), self._file(part).open("ab") as handle:
                handle.write(entries[order[bounds[part] : bounds[part + 1]]].tobytes())


def reject_duplicates(counts: PartialCounts, suspects: Suspects, folder: Path, counter: FileCounter) -> None:
    """Reject all but the first record, in order of path and line, of each event among the suspects.

    A variant's record of an event is no second one of another variant's: a shadow variant answers copies of requests.
    """
    places: dict[str, list[Place]] = defaultdict(list)
    for name, lines in suspects.items():
        for batch in counter.countable_lines(folder / name, name, lines):
            for event_id, number in zip(batch.event_ids, batch.positions.tolist(), strict=True):
                if event_id is not None:
                    places[event_id].append(Place(name, number))
    repeated: dict[str, list[int]] = defaultdict(list)
    for found in places.values():
        seen: set[str | None] = set()
        for place in sorted(found):
            variant = variant_of(place.name)
            # A path without a variant may hold any variant's records.
            if variant in seen or (seen and None in {variant, *seen}):
                repeated[place.name].append(place.line)
            seen.add(variant)
    for name, numbers in sorted(repeated.items()):
        lines = np.array(sorted(numbers), dtype=np.int64)
        part = counter.count_lines(folder / name, name, lines)
        counts.reject_used(RejectionReason.DUPLICATE_EVENT_ID, part, name, lines)
