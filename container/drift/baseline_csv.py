"""The labelled test set of a baseline as CSV: our own writing, read back cell for cell."""

import csv
import io
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from contract.training import PROBABILITY_COLUMN
from drift.learned import LabelledTest
from drift.table import FeatureSpec, Table

_SPECIAL = frozenset(',"\r\n')


def test_text(test: LabelledTest, target_label: str) -> str:
    """Return test.csv: a header, the features in the payload's order, the label last; a missing cell is empty."""
    columns = [[_cell(value) for value in test.table.columns[spec.name].tolist()] for spec in test.table.specs]
    header = [*(spec.name for spec in test.table.specs), target_label]
    return _written([header, *map(list, zip(*columns, test.labels, strict=True))])


def predictions_text(probabilities: NDArray[np.float64]) -> str:
    """Return predictions.csv: one column, row for row with the test set."""
    return _written([[PROBABILITY_COLUMN], *([repr(value)] for value in probabilities.tolist())])


def parse_test(text: str, specs: tuple[FeatureSpec, ...], target_label: str) -> tuple[Table, tuple[str, ...]]:
    """Read what `test_text` wrote.

    Raises
    ------
    ValueError
        If the header is not the schema's or a row does not fit it.
    """
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    expected = [*(spec.name for spec in specs), target_label]
    if header != expected:
        raise ValueError(f"test columns must be {expected}, got {header}")
    *cells, labels = zip(*rows, strict=True)
    columns = {spec.name: _column(spec, column) for spec, column in zip(specs, cells, strict=True)}
    return Table(specs, columns), tuple(labels)


def parse_predictions(text: str) -> NDArray[np.float64]:
    """Read what `predictions_text` wrote: shape (n_rows,).

    Raises
    ------
    ValueError
        If a line is not one number.
    """
    _, *lines = text.splitlines()
    return np.array([float(line) for line in lines], dtype=np.float64)


def _cell(value: float | str | None) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or math.isnan(value) else repr(value)


def _column(spec: FeatureSpec, cells: Iterable[str]) -> NDArray[np.float64] | NDArray[np.object_]:
    if spec.type is FeatureType.NUMERIC:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    return np.array([cell or None for cell in cells], dtype=object)


def _written(rows: list[list[str]]) -> str:
    return "".join(",".join(map(_quoted, row)) + "\n" for row in rows)


def _quoted(cell: str) -> str:
    # csv.writer leaves a carriage return bare when lines end otherwise, and csv.reader takes it for a line's end.
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.intersection(cell) else cell
