"""One cell of a row: missing, a number, or a label. Files and captured payloads share these rules."""

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from contract.training import MISSING_TEXTS, finite_number
from drift.rejection import CellReason
from drift.table import FeatureSpec, Table

Cell: TypeAlias = float | str | None
"""A numeric cell is a float, NaN when missing; a categorical one a string, None when missing."""


class NotANumberError(ValueError):
    """Raised when a numeric cell holds something else than a finite number; `reason` says what."""

    def __init__(self, text: str, reason: CellReason) -> None:
        super().__init__(text)
        self.reason = reason


def cell(kind: FeatureType, text: str) -> Cell:
    """Return the cell that `text` says for a column of this type; surrounding white space does not count.

    Raises
    ------
    NotANumberError
        If the column is numeric and the text is neither missing nor a finite number.
    """
    stripped = text.strip()
    missing = stripped in MISSING_TEXTS
    if kind is FeatureType.CATEGORICAL:
        return None if missing else stripped
    if missing:
        return math.nan
    number = finite_number(stripped)
    if number is None:
        raise NotANumberError(stripped, _reason(stripped))
    return number


def _reason(text: str) -> CellReason:
    try:
        float(text)
    except ValueError:
        return CellReason.NOT_A_NUMBER
    return CellReason.NOT_A_NUMBER if "_" in text else CellReason.NOT_FINITE


def table(specs: Sequence[FeatureSpec], rows: Iterable[Sequence[Cell]]) -> Table:
    """Return the rows, each with one cell per spec in order, as columns."""
    columns = list(zip(*rows, strict=True)) or [()] * len(specs)
    return Table(
        specs=tuple(specs),
        columns={spec.name: _array(spec.type, column) for spec, column in zip(specs, columns, strict=True)},
    )


def _array(kind: FeatureType, column: Sequence[Cell]) -> NDArray[np.float64] | NDArray[np.object_]:
    if kind is FeatureType.NUMERIC:
        return np.array(column, dtype=np.float64)
    return np.array(column, dtype=np.object_)
