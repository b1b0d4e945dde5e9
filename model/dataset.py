"""Labelled rows of a training channel: every CSV file of a folder, as text."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from plumbline.contract.training import MISSING_TEXTS


class TrainingDataError(ValueError):
    """Raised when the labelled rows cannot be trained on; the text names the file and the remedy."""


@dataclass(frozen=True)
class LabelledTable:
    """Rows of one or more channels: text cells of shape (n_rows, n_features), and one label per row."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]

    def in_order(self, names: tuple[str, ...]) -> "LabelledTable":
        """Return the same rows with their columns in the order of `names`.

        Raises
        ------
        TrainingDataError
            If these are not the table's columns.
        """
        if set(names) != set(self.names):
            unlike = ", ".join(sorted(set(names) ^ set(self.names)))
            raise TrainingDataError(
                f"all CSV files must have the same columns, got a difference in: {unlike}; write them from one source"
            )
        return self.only(names)

    def without(self, name: str) -> "LabelledTable":
        """Return the same rows without a column."""
        return self.only(tuple(other for other in self.names if other != name))

    def only(self, names: tuple[str, ...]) -> "LabelledTable":
        """Return the same rows with some of their columns, in the order of `names`."""
        order = [self.names.index(name) for name in names]
        return LabelledTable(names, tuple(tuple(row[position] for position in order) for row in self.rows), self.labels)


def concatenate(tables: Sequence[LabelledTable]) -> LabelledTable:
    """Return the rows of all tables, of which there is at least one, with the first one's order of columns."""
    names = tables[0].names
    alike = [table.in_order(names) for table in tables]
    rows = chain.from_iterable(table.rows for table in alike)
    return LabelledTable(names, tuple(rows), tuple(chain.from_iterable(table.labels for table in alike)))


def read_channel(folder: Path, target: str) -> LabelledTable:
    """Read every file of a channel's folder, in sorted order of their paths.

    Raises
    ------
    TrainingDataError
        If there is no file, or one of them cannot be read as labelled CSV.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise TrainingDataError(f"channel folder {folder} must hold at least one CSV file, got none; upload one")
    return concatenate([_read_file(file, target) for file in files])


def _read_file(path: Path, target: str) -> LabelledTable:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [[cell.strip() for cell in line] for line in csv.reader(stream, skipinitialspace=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TrainingDataError(f"{path.name} must be CSV text in UTF-8, got: {error}; save it as such") from error
    if not lines:
        raise TrainingDataError(f"{path.name} must start with a header row, got an empty file; remove it")
    header, *rows = lines
    return _split_target(path.name, header, rows, target)


def _split_target(file: str, header: list[str], rows: list[list[str]], target: str) -> LabelledTable:
    if header.count(target) != 1:
        raise TrainingDataError(
            f"{file} must have one column {target!r}, got the header {', '.join(header)}; set target_label"
        )
    if len(set(header)) != len(header):
        raise TrainingDataError(f"{file} must name each column once, got the header {', '.join(header)}; rename them")
    position = header.index(target)
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise TrainingDataError(
                f"{file} row {number} must have {len(header)} fields, got {len(row)}; correct or remove the row"
            )
        if row[position] in MISSING_TEXTS:
            raise TrainingDataError(
                f"{file} row {number} must have a label in {target!r}, got {row[position]!r}; remove the row"
            )
    return LabelledTable(
        tuple(header[:position] + header[position + 1 :]),
        tuple(tuple(row[:position] + row[position + 1 :]) for row in rows),
        tuple(row[position] for row in rows),
    )
