"""A window whose rows are all in memory, counted the obvious way: what tests judge without any capture file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import RecordCounts, WindowBounds
from plumbline.drift.compare.design_matrix import row_groups
from plumbline.drift.data.counts import NumericCounts, ValueCounts, count, missing, unknown
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import RowSample, WindowCounts
from plumbline.drift.reference.baseline import Baseline


@dataclass(frozen=True)
class CapturedWindow:
    """`probabilities` has shape (n_rows,), NaN where no prediction was captured."""

    bounds: WindowBounds
    table: Table
    probabilities: NDArray[np.float64]
    records: RecordCounts


def count_rows(baseline: Baseline, window: CapturedWindow) -> WindowCounts:
    _, multiplicity = np.unique(row_groups(window.table, window.probabilities), return_counts=True)
    n_rows = window.table.n_rows
    return WindowCounts(
        bounds=window.bounds,
        records=window.records,
        n_rows=n_rows,
        columns={
            spec.name: count(spec.type, window.table.columns[spec.name])
            for spec in window.table.specs
            if spec.name in window.table.columns
        },
        probabilities=NumericCounts.of(window.probabilities),
        n_out_of_support=int(_rows_outside(baseline, window.table).sum()),
        design_effect=float((multiplicity**2).sum()) / n_rows if n_rows else 1.0,
        sample=RowSample(window.table, window.probabilities),
    )


def _rows_outside(baseline: Baseline, table: Table) -> NDArray[np.bool_]:
    outside = np.zeros(table.n_rows, dtype=bool)
    for name, column in table.columns.items():
        outside |= _cells_outside(baseline.counts[name], column)
    return outside


def _cells_outside(reference: ValueCounts, column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.bool_]:
    if not reference.n_present:
        return np.zeros(len(column), dtype=bool)
    strange = unknown(reference, column)
    return strange if reference.n_missing else strange | missing(column)
