"""Reference files: CSV with a header row, one file or a folder of them, read strictly.

Unlike a captured record, a bad row here is an error: the reference is what every window is judged against.
"""

import csv
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from contract.training import MISSING_TEXTS, PROBABILITY_COLUMN, finite_number
from drift.errors import BaselineError
from drift.table import FeatureSpec, Table
from drift.values import Cell, NotANumberError, cell, table

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Row:
    """One row, and where it stands for the error messages."""

    place: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class _Sheet:
    """Header and rows of one file, or of all the files of a folder."""

    header: tuple[str, ...]
    rows: tuple[_Row, ...]

    def split(self, target_label: str) -> tuple[list[str], list[str]]:
        """Return the names of the columns but the target, and the target's cells."""
        position = self.header.index(target_label)
        labels = [row.fields[position] for row in self.rows]
        for row, label in zip(self.rows, labels, strict=True):
            if label in MISSING_TEXTS:
                raise BaselineError(
                    f"{row.place}: the target {target_label!r} must not be missing, got {label!r}; remove the row"
                )
        return [name for name in self.header if name != target_label], labels

    def column(self, name: str) -> list[str]:
        """Return the fields of one column."""
        position = self.header.index(name)
        return [row.fields[position] for row in self.rows]


def read_training(path: Path, target_label: str) -> tuple[Table, list[str]]:
    """Read the training rows and infer each column's type from them.

    A column is numeric when every present value reads as a finite number, and categorical otherwise (also when
    no value is present); the log names those that a few values make categorical. `path` is a file, or a folder whose
    ``*.csv`` files have the same header.

    Returns
    -------
    tuple
        The features in the file's order, and the target's labels row for row.

    Raises
    ------
    BaselineError
        If the file cannot be read, has no rows, no column `target_label`, or a row of another length.
    """
    sheet = _read(path)
    _require_target(path, sheet, target_label)
    names, labels = sheet.split(target_label)
    return _table(sheet, [FeatureSpec(name, _infer(name, sheet.column(name))) for name in names]), labels


def read_labelled(path: Path, specs: Sequence[FeatureSpec], target_label: str) -> tuple[Table, list[str]]:
    """Read labelled rows whose columns and types are those of the training file, in any order.

    Raises
    ------
    BaselineError
        If a column is missing or unknown, or a cell does not fit its column's type.
    """
    sheet = _read(path)
    _require_target(path, sheet, target_label)
    names, labels = sheet.split(target_label)
    wanted = {spec.name for spec in specs}
    if set(names) != wanted:
        raise BaselineError(
            f"{path} must have the training file's columns, got {sorted(set(names) - wanted)} too many and "
            f"{sorted(wanted - set(names))} too few; write both files from one source"
        )
    return _table(sheet, specs), labels


def read_probabilities(path: Path) -> NDArray[np.float64]:
    """Read the predicted probability of the positive class, one per row: shape (n_rows,), each 0 to 1.

    Raises
    ------
    BaselineError
        If the file has no column ``probability``, or a cell that is no probability.
    """
    sheet = _read(path)
    if PROBABILITY_COLUMN not in sheet.header:
        raise BaselineError(f"{path} must have a column {PROBABILITY_COLUMN!r}, got {list(sheet.header)}; rename it")
    numbers = [finite_number(text) for text in sheet.column(PROBABILITY_COLUMN)]
    for row, number in zip(sheet.rows, numbers, strict=True):
        if number is None or not 0 <= number <= 1:
            raise BaselineError(f"{row.place}: a probability must lie in 0 to 1, got {row.fields}; predict again")
    return np.array(numbers, dtype=np.float64)


def _require_target(path: Path, sheet: _Sheet, target_label: str) -> None:
    if target_label not in sheet.header:
        raise BaselineError(
            f"{path} must have the target column {target_label!r}, got {list(sheet.header)}; "
            "name the target as the header row does"
        )
    if len(sheet.header) < 2:
        raise BaselineError(f"{path} must have a feature beside the target, got {list(sheet.header)}; add columns")


def _infer(name: str, column: Sequence[str]) -> FeatureType:
    present = [text for text in column if text not in MISSING_TEXTS]
    others = [text for text in present if finite_number(text) is None]
    if present and not others:
        return FeatureType.NUMERIC
    if len(others) * 2 < len(present):
        _LOG.warning(
            "column %r is categorical: %d of its %d values are no finite numbers, for example %r; "
            "if that means missing, leave the cell empty",
            name, len(others), len(present), others[0],
        )  # fmt: skip
    return FeatureType.CATEGORICAL


def _table(sheet: _Sheet, specs: Sequence[FeatureSpec]) -> Table:
    positions = [sheet.header.index(spec.name) for spec in specs]
    return table(specs, [_cells(row, specs, positions) for row in sheet.rows])


def _cells(row: _Row, specs: Sequence[FeatureSpec], positions: Sequence[int]) -> list[Cell]:
    try:
        return [cell(spec.type, row.fields[position]) for spec, position in zip(specs, positions, strict=True)]
    except NotANumberError as error:
        raise BaselineError(
            f"{row.place}: a column that is numeric in training must hold finite numbers, got {str(error)!r}; "
            "correct the cell or leave it empty"
        ) from error


def _read(path: Path) -> _Sheet:
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise BaselineError(f"{path} must hold *.csv files, got none; name a CSV file or a folder of them")
    sheets = [_read_file(file) for file in files]
    for file, sheet in zip(files, sheets, strict=True):
        if sheet.header != sheets[0].header:
            raise BaselineError(
                f"{file}: the header must be that of {files[0].name}, got {list(sheet.header)}; "
                "write the files from one source"
            )
    return _Sheet(sheets[0].header, tuple(row for sheet in sheets for row in sheet.rows))


def _read_file(path: Path) -> _Sheet:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(_rows(path, handle))
    except OSError as error:
        raise BaselineError(f"{path} must be readable, got {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path} must be UTF-8 text, got {error.reason}; save it as UTF-8 CSV") from error
    if len(rows) < 2:
        raise BaselineError(f"{path} must have a header row and at least one row, got {len(rows)} lines; fill it")
    header = rows[0].fields
    if len(set(header)) < len(header) or "" in header:
        raise BaselineError(f"{path}: the header must name each column once, got {list(header)}; rename columns")
    for row in rows[1:]:
        if len(row.fields) != len(header):
            raise BaselineError(
                f"{row.place}: a row must have {len(header)} fields as the header, got {len(row.fields)}; "
                "correct or remove the line"
            )
    return _Sheet(header, tuple(rows[1:]))


def _rows(path: Path, handle: Iterator[str]) -> Iterator[_Row]:
    reader = csv.reader(handle, skipinitialspace=True, strict=True)
    try:
        for fields in reader:
            if fields:
                yield _Row(f"{path}, line {reader.line_num}", tuple(text.strip() for text in fields))
    except csv.Error as error:
        raise BaselineError(f"{path}, line {reader.line_num}: must be CSV, got {error}; correct the quotes") from error
