"""A capture file in blocks of whole lines, in bounded memory whatever it holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 512 << 10
"""Large enough to make the work per block small, small enough for its records to stay in the processor's cache."""
MAXIMUM_LINE_BYTES = 10_000_000
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
    """Return whether the file is gzip data, whatever its name says."""
    with file.open("rb") as handle:
        return handle.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC


def blocks(file: Path, block_bytes: int = BLOCK_BYTES, first: int = 1) -> Iterator[Block | TooLong]:
    """Yield all lines of a file: `block_bytes` at a time, each block completed to its last line's end.

    Lines are numbered from `first`.
    """
    with file.open("rb") as handle:
        while start := handle.read(block_bytes):
            end = b"" if start.endswith(b"\n") else handle.readline(MAXIMUM_LINE_BYTES + 1)
            n_before = start.rfind(b"\n") + 1
            if len(start) - n_before + len(end.removesuffix(b"\n")) <= MAXIMUM_LINE_BYTES:
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
