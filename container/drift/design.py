"""Rows as numbers for a classifier."""

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from drift.counts import missing
from drift.statistics.ranks import middle_ranks
from drift.table import Table

MOST_LABELS = 30
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
    frequent = labels[np.argsort(-counts, kind="stable")][:MOST_LABELS]
    return np.column_stack([*(column == label for label in frequent), absent]).astype(np.float64)
