"""The rows that a baseline keeps, as CSV: our own writing, read back cell for cell."""

import csv
import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from contract.training import PREDICTED_COLUMN, PROBABILITY_COLUMN
from drift.columns import transpose
from drift.learned import LabelledTest
from drift.table import FeatureSpec, Table

_SPECIAL = frozenset(',"\r\n')


def test_text(test: LabelledTest, target_label: str) -> str:
    """Return test.csv: a header, the features in the payload's order, the label last; a missing cell is empty."""
    header = [*(spec.name for spec in test.table.specs), target_label]
    return _written([header, *map(list, zip(*_texts(test.table), test.labels, strict=True))])


def sample_text(sample: Table) -> str:
    """Return sample.csv: a header, the features in the payload's order; a missing cell is empty."""
    return _written([[spec.name for spec in sample.specs], *map(list, zip(*_texts(sample), strict=True))])


def predictions_text(probabilities: NDArray[np.float64], predicted: Sequence[str] | None = None) -> str:
    """Return predictions.csv: one column, and one for the predicted labels if any, row for row with the test set."""
    numbers = [repr(value) for value in probabilities.tolist()]
    if predicted is None:
        return _written([[PROBABILITY_COLUMN], *([number] for number in numbers)])
    return _written([[PROBABILITY_COLUMN, PREDICTED_COLUMN], *map(list, zip(numbers, predicted, strict=True))])


def parse_test(text: str, specs: tuple[FeatureSpec, ...], target_label: str) -> tuple[Table, tuple[str, ...]]:
    """Read what `test_text` wrote.

    Raises
    ------
    ValueError
        If the header is not the schema's or a row does not fit it.
    """
    *columns, labels = _columns("test", text, [*(spec.name for spec in specs), target_label])
    return _table(specs, columns), tuple(labels)


def parse_sample(text: str, specs: tuple[FeatureSpec, ...]) -> Table:
    """Read what `sample_text` wrote.

    Raises
    ------
    ValueError
        If the header is not the schema's or a row does not fit it.
    """
    return _table(specs, _columns("sample", text, [spec.name for spec in specs]))


def _columns(what: str, text: str, names: list[str]) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    if header != names:
        raise ValueError(f"{what} columns must be {names}, got {header}")
    return transpose(rows, len(names))


def parse_predictions(text: str) -> tuple[NDArray[np.float64], tuple[str, ...] | None]:
    """Read what `predictions_text` wrote: shape (n_rows,), and the predicted labels if there are any.

    Raises
    ------
    ValueError
        If a line is not one number, or one number and a label.
    """
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    probabilities = np.array([float(row[0]) for row in rows], dtype=np.float64)
    return probabilities, tuple(row[1] for row in rows) if len(header) > 1 else None


def _table(specs: tuple[FeatureSpec, ...], columns: Sequence[Sequence[str]]) -> Table:
    return Table(specs, {spec.name: _column(spec, texts) for spec, texts in zip(specs, columns, strict=True)})


def _column(spec: FeatureSpec, texts: Sequence[str]) -> NDArray[np.float64] | NDArray[np.object_]:
    if spec.type is FeatureType.CATEGORICAL:
        return np.array([text or None for text in texts], dtype=object)
    # Columns repeat themselves: each text is read once.
    numbers = {text: float(text) if text else np.nan for text in dict.fromkeys(texts)}
    return np.array([numbers[text] for text in texts], dtype=np.float64)


def _texts(table: Table) -> list[list[str]]:
    return [[_text(cell) for cell in table.columns[spec.name].tolist()] for spec in table.specs]


def _text(cell: float | str | None) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None or math.isnan(cell) else repr(cell)


def _written(rows: list[list[str]]) -> str:
    # A row of one empty cell would be a blank line, which is no row.
    return "".join((",".join(map(_quoted, row)) or '""') + "\n" for row in rows)


def _quoted(cell: str) -> str:
    # csv.writer leaves a carriage return bare when lines end otherwise, and csv.reader takes it for a line's end.
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.intersection(cell) else cell
