"""Events that were captured twice: found by the hashes of their ids on disk, and made sure of by reading them again."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np

from drift.kernel.files import FileCounter, Lines
from drift.kernel.hashes import Hashes
from drift.kernel.partial import PartialCounts
from drift.kernel.places import Place
from drift.rejection import Reason

_N_PARTS = 64
_MOST_WAITING = 1 << 18
_MOST_SUSPECTS = 1 << 17
_ENTRY = np.dtype([("hash", "<u8"), ("file", "<u4"), ("line", "<u4")])
_NotedEvents: TypeAlias = "np.ndarray[Any, np.dtype[np.void]]"

Suspects: TypeAlias = Mapping[str, Lines]
"""Lines by file name, all of them with ids whose hashes occur more than once, and all lines with those hashes."""


@dataclass(eq=False)
class EventLog:
    """The hashes of a window's event ids, and where they stand: 16 bytes each, in temporary files."""

    _folder: tempfile.TemporaryDirectory[str] = field(default_factory=lambda: tempfile.TemporaryDirectory("events"))
    _files: dict[str, int] = field(default_factory=dict)
    _waiting: list[_NotedEvents] = field(default_factory=list)
    _n_waiting: int = 0

    def __enter__(self) -> Self:
        """Return the log itself; its files go with the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the temporary files."""
        self._folder.cleanup()

    def add(self, name: str, hashes: Hashes, lines: Lines) -> None:
        """Note the events of some records of one file."""
        entries = np.empty(len(hashes), dtype=_ENTRY)
        entries["hash"], entries["line"] = hashes, lines
        entries["file"] = self._files.setdefault(name, len(self._files))
        self._waiting.append(entries)
        self._n_waiting += len(entries)
        if self._n_waiting >= _MOST_WAITING:
            self._write()

    def suspects(self) -> Iterator[Suspects]:
        """Yield the places of hashes that occur more than once, a bounded number of them at a time."""
        self._write()
        names = [*self._files]
        waiting: list[_NotedEvents] = []
        for part in range(_N_PARTS):
            waiting.append(self._repeated(part))
            if sum(map(len, waiting)) >= _MOST_SUSPECTS or part == _N_PARTS - 1:
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
        return Path(self._folder.name) / f"{part}.events"

    def _write(self) -> None:
        if not self._waiting:
            return
        entries = np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [], 0
        parts = (entries["hash"] % _N_PARTS).astype(np.uint8)
        order = np.argsort(parts, kind="stable")
        bounds = np.searchsorted(parts[order], np.arange(_N_PARTS + 1))
        for part in np.unique(parts).tolist():
            with self._file(part).open("ab") as handle:
                entries[order[bounds[part] : bounds[part + 1]]].tofile(handle)


def reject_duplicates(counts: PartialCounts, suspects: Suspects, folder: Path, counter: FileCounter) -> None:
    """Reject all but the first record, in order of path and line, of each event among the suspects."""
    places: dict[str, list[Place]] = defaultdict(list)
    for name, lines in suspects.items():
        for batch in counter.read_lines(folder / name, lines):
            for event_id, number in zip(batch.event_ids, batch.positions.tolist(), strict=True):
                if event_id is not None:
                    places[event_id].append(Place(name, number))
    repeated: dict[str, list[int]] = defaultdict(list)
    for occurrences in places.values():
        for place in sorted(occurrences)[1:]:
            repeated[place.name].append(place.line)
    for name, numbers in sorted(repeated.items()):
        lines = np.array(sorted(numbers), dtype=np.int64)
        part = counter.count_lines(folder / name, name, lines)
        counts.reject_used(Reason.DUPLICATE_EVENT_ID, part, name, lines)
