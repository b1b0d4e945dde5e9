"""Identical rows of a table."""

import numpy as np
from numpy.typing import NDArray

from drift.table import Table


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
