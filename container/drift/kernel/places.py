"""Where something was seen: file and line, the first few in order, never the content."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MOST_PLACES = 5
POSITIONS = 1 << 32
"""Of the lines of several files: a line's position is its file's index times this, plus its number from 1."""


@dataclass(frozen=True, order=True)
class Place:
    """A line of a capture file, by its path relative to the folder; line 0 is the file itself."""

    name: str
    line: int
    note: str = ""

    def __str__(self) -> str:
        """Return it as a log would say it."""
        return f"{self.name}:{self.line}" if self.line else self.name


@dataclass(eq=False)
class Places:
    """The first places in order of path and line, whatever the order in which they were found."""

    first: list[Place] = field(default_factory=list)

    def has_room_for(self, name: str, line: int) -> bool:
        """Return whether a place comes before the last one here, or there is room after it."""
        return len(self.first) < MOST_PLACES or (name, line) < (self.first[-1].name, self.first[-1].line)

    def add(self, places: Iterable[Place]) -> None:
        """Take note of places."""
        self.first = nsmallest(MOST_PLACES, [*self.first, *places])


def first_places(names: Sequence[str], positions: NDArray[np.int64]) -> list[Place]:
    """Return the places of some positions in the files of these names, as far as they can be examples."""
    distinct = np.unique(positions)
    _, starts = np.unique(distinct // POSITIONS, return_index=True)
    return [
        Place(names[position // POSITIONS], position % POSITIONS)
        for start, end in pairwise([*starts.tolist(), len(distinct)])
        for position in distinct[start:end][:MOST_PLACES].tolist()
    ]
