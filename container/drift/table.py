"""Columns of rows: the one in-memory shape that readers produce and statistics consume."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType


@dataclass(frozen=True)
class FeatureSpec:
    """One column of the payload, in the payload's order."""

    name: str
    type: FeatureType


@dataclass(frozen=True)
class Table:
    """Columns by name, all of shape (n_rows,).

    A numeric column is float64 with NaN for missing; a categorical one is object, ``str`` or None for missing.
    """

    specs: tuple[FeatureSpec, ...]
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.object_]]

    @property
    def n_rows(self) -> int:
        """Rows of the table; 0 for a table without columns."""
        return next((len(column) for column in self.columns.values()), 0)
