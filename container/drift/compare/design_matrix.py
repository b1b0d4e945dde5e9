"""Rows as numbers for a classifier."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import missing
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.statistics.ranks import middle_ranks

MAX_LABELS = 30
"""Labels of a column with a number of their own, the most frequent ones; the rest are alike."""


def design(rows: Table) -> NDArray[np.float64]:
    """Return one row of numbers per row, shape (n_rows, n_numbers).

    A numeric column is its rank, 0 to 1, so that no outlier rules a regression, and whether it is missing; a
    categorical one whether it is each of its most frequent labels, and whether it is missing.
    """
    blocks = [
        _ranked(np.asarray(rows.columns[spec.name], dtype=np.float64))
        if spec.type is FeatureType.NUMERIC
        else _marked(rows.columns[spec.name])
        for spec in rows.specs
    ]
    return np.column_stack(blocks)


def _ranked(column: NDArray[np.float64]) -> NDArray[np.float64]:
    absent = missing(column)
    _, positions = np.unique(column[~absent], return_inverse=True)
    ranks = np.full(len(column), 0.5)
    ranks[~absent] = ((middle_ranks(np.bincount(positions)) - 0.5) / max(len(positions), 1))[positions]
    return np.column_stack([ranks, absent])


def _marked(column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.float64]:
    absent = missing(column)
    labels, counts = np.unique(column[~absent], return_counts=True)
    frequent = labels[np.argsort(-counts, kind="stable")][:MAX_LABELS]
    return np.column_stack([*(column == label for label in frequent), absent]).astype(np.float64)


def row_groups(table: Table, probabilities: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return a number per row, shape (n_rows,), equal for rows that agree in every column and in the probability.

    Missing agrees with missing.
    """
    groups = _codes(probabilities)
    for column in table.columns.values():
        # Renumbered after each column, so that the product stays far below the integer range.
        _, groups = np.unique(groups * (len(column) + 1) + _codes(column), return_inverse=True)
    return groups


def _codes(column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.intp]:
    if column.dtype == object:
        numbers: dict[object, int] = {}
        return np.array([numbers.setdefault(value, len(numbers)) for value in column], dtype=np.intp)
    return np.asarray(np.unique(column, return_inverse=True)[1], dtype=np.intp)


_LARGEST = float(np.finfo(np.float32).max)
_UNKNOWN = -1.0
_ABSENT = -2.0


@dataclass(frozen=True, eq=False)
class Encoder:
    """One number per feature: a number itself, a label's rank by frequency in the test set.

    A missing number is NaN, which trees take for a value of its own; labels that the test set does not have are alike.
    """

    specs: Sequence[FeatureSpec]
    ranks: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, table: Table, ignored: frozenset[str]) -> Self:
        """Learn the encoding of a table's rows, the `ignored` features left out."""
        specs = [spec for spec in table.specs if spec.name not in ignored]
        ranks = {}
        for spec in specs:
            if spec.type is FeatureType.CATEGORICAL:
                counted = Counter(label for label in table.columns[spec.name].tolist() if label is not None)
                ordered = sorted(counted, key=lambda label: (-counted[label], label))
                ranks[spec.name] = {label: rank for rank, label in enumerate(ordered)}
        return cls(specs, ranks)

    def encode(self, table: Table) -> NDArray[np.float64]:
        """Return shape (n_rows, n_features)."""
        return np.column_stack([np.zeros((table.n_rows, 0)), *(self._column(spec, table) for spec in self.specs)])

    def _column(self, spec: FeatureSpec, table: Table) -> NDArray[np.float64]:
        column = table.columns[spec.name]
        if spec.type is FeatureType.NUMERIC:
            return np.clip(np.asarray(column, dtype=np.float64), -_LARGEST, _LARGEST)
        ranks = self.ranks[spec.name]
        return np.array([_ABSENT if label is None else ranks.get(label, _UNKNOWN) for label in column.tolist()])
