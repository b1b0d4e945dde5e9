"""Rows as numbers for trees: one column per feature."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from drift.table import FeatureSpec, Table

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
