"""A bounded sample of rows that depends on the rows alone: not on their order, a clock or a generator."""

import heapq
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from drift.table import Table

SAMPLE_ROWS = 2_000
"""Enough for a classifier to tell two samples apart, and little to read every hour."""


def sample_rows(table: Table, n_rows: int = SAMPLE_ROWS) -> Table:
    """Return `n_rows` rows of the table, or all of them if it has no more.

    Every row gets a 64-bit hash of its cells, and the rows with the smallest hashes are taken, in that order. The
    second of two identical rows is hashed as such, so that n identical rows are n draws and not one.
    """
    chosen = [position for _, position in heapq.nsmallest(n_rows, _hashes(table))]
    return Table(table.specs, {name: column[chosen] for name, column in table.columns.items()})


def _hashes(table: Table) -> Iterator[tuple[bytes, int]]:
    seen: Counter[str] = Counter()
    for position, texts in enumerate(zip(*map(_texts, table.columns.values()), strict=True)):
        row = ",".join(texts)
        seen[row] += 1
        yield blake2b(f"{seen[row]} {row}".encode(), digest_size=8).digest(), position


def _texts(column: NDArray[np.float64] | NDArray[np.object_]) -> list[str]:
    """Return one text per cell, in which no comma or quote can be taken for another cell's."""
    # Both zeros are one value; NaN, which is missing, is spelled like any other number.
    cells = (column if column.dtype == object else column + 0.0).tolist()
    # Not repr for labels: what it escapes differs between versions of Python.
    spelled = {cell: repr(cell) if isinstance(cell, float) else json.dumps(cell) for cell in dict.fromkeys(cells)}
    return [spelled[cell] for cell in cells]
