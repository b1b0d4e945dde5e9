"""Labelled rows of a training channel: every CSV file of a folder, as text."""

import csv
from dataclasses import dataclass
from pathlib import Path

from contract.training import MISSING_TEXTS


class TrainingDataError(ValueError):
    """Raised when the labelled rows cannot be trained on; the text says which file and what to change."""


@dataclass(frozen=True)
class LabelledTable:
    """Rows of one or more channels: text cells of shape (n_rows, n_features), and one label per row."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]

    def __add__(self, other: "LabelledTable") -> "LabelledTable":
        """Return the rows of both; `other` takes this table's order of columns."""
        if set(other.names) != set(self.names):
            unlike = ", ".join(sorted(set(self.names) ^ set(other.names)))
            raise TrainingDataError(f"all CSV files must have the same columns, got a difference in: {unlike}")
        order = [other.names.index(name) for name in self.names]
        rows = tuple(tuple(row[position] for position in order) for row in other.rows)
        return LabelledTable(self.names, self.rows + rows, self.labels + other.labels)


def read_channel(folder: Path, target: str) -> LabelledTable:
    """Read every file of a channel's folder, in sorted order of their paths.

    Raises
    ------
    TrainingDataError
        If there is no file, or one of them cannot be read as labelled CSV.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise TrainingDataError(f"channel folder {folder} must hold at least one CSV file, got none")
    tables = [_read_file(file, target) for file in files]
    first, *others = tables
    for other in others:
        first += other
    return first


def _read_file(path: Path, target: str) -> LabelledTable:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [[cell.strip() for cell in line] for line in csv.reader(stream, skipinitialspace=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TrainingDataError(f"{path.name} must be CSV text in UTF-8, got: {error}") from error
    if not lines:
        raise TrainingDataError(f"{path.name} must start with a header row, got an empty file")
    header, *rows = lines
    return _split_target(path.name, header, rows, target)


def _split_target(file: str, header: list[str], rows: list[list[str]], target: str) -> LabelledTable:
    if header.count(target) != 1:
        raise TrainingDataError(
            f"{file} must have one column {target!r}, got the header {', '.join(header)}; set target_label"
        )
    if len(set(header)) != len(header):
        raise TrainingDataError(f"{file} must name each column once, got the header {', '.join(header)}")
    position = header.index(target)
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise TrainingDataError(f"{file} row {number} must have {len(header)} fields, got {len(row)}")
        if row[position] in MISSING_TEXTS:
            raise TrainingDataError(f"{file} row {number} must have a label in {target!r}, got {row[position]!r}")
    return LabelledTable(
        tuple(header[:position] + header[position + 1 :]),
        tuple(tuple(row[:position] + row[position + 1 :]) for row in rows),
        tuple(row[position] for row in rows),
    )
