"""A bounded sample of rows: those with the smallest keys, so that parts of a window have parts of its sample."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.kernel.hashes import Hashes
from drift.row_sample import SAMPLE_ROWS


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Rows in the order of their keys; `columns` has one array per spec and, last, the probabilities.

    All have shape (n_rows,). Cells without a value are NaN or None.
    """

    keys: Hashes
    columns: tuple[NDArray[Any], ...]

    def limit(self) -> np.uint64 | None:
        """Return the key from which on a row has no place here any more; None as long as there is room."""
        return self.keys[-1] if len(self.keys) >= SAMPLE_ROWS else None

    def with_rows(self, other: "SampledRows") -> "SampledRows":
        """Return the sample of both."""
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys)[:SAMPLE_ROWS]
        return SampledRows(
            keys[order],
            tuple(
                np.concatenate([ours, theirs])[order] for ours, theirs in zip(self.columns, other.columns, strict=True)
            ),
        )

    def without(self, other: "SampledRows") -> "SampledRows":
        """Return the sample without the rows of a part: of rows with one key as many go as the part has."""
        taken = dict(zip(*np.unique(other.keys, return_counts=True), strict=True))
        kept = np.ones(len(self.keys), dtype=bool)
        for position, key in enumerate(self.keys):
            if taken.get(key, 0):
                taken[key] -= 1
                kept[position] = False
        return SampledRows(self.keys[kept], tuple(column[kept] for column in self.columns))
