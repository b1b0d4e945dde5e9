"""Labelled rows as text: what the data sources give, the scenarios draw from and the traffic sends."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = tuple[str, ...]


@dataclass(frozen=True)
class LabelledRows:
    """Rows of text cells in the header's order, and one label per row.

    `header` names the features only: the rows are what an endpoint receives.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse rows without a label and labels without a row."""
        if len(self.rows) != len(self.labels):
            raise ValueError(f"rows and labels must be equally many, got {len(self.rows)} and {len(self.labels)}")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def take(self, positions: Iterable[int]) -> "LabelledRows":
        """Return the rows at these positions, in their order; a position may come more than once."""
        chosen = list(positions)
        rows = tuple(self.rows[position] for position in chosen)
        return LabelledRows(self.header, rows, tuple(self.labels[position] for position in chosen))

    def column(self, name: str) -> tuple[str, ...]:
        """Return one column's cells.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        position = self._position(name)
        return tuple(row[position] for row in self.rows)

    def with_column(self, name: str, cells: Sequence[str]) -> "LabelledRows":
        """Return the same rows with one column's cells replaced.

        Raises
        ------
        ValueError
            If there is no such column, or not one cell per row.
        """
        position = self._position(name)
        rows = tuple(row[:position] + (cell,) + row[position + 1 :] for row, cell in zip(self.rows, cells, strict=True))
        return LabelledRows(self.header, rows, self.labels)

    def _position(self, name: str) -> int:
        if name not in self.header:
            raise ValueError(f"column must be one of {', '.join(self.header)}, got {name!r}")
        return self.header.index(name)

    def write_csv(self, path: Path, target: str) -> None:
        """Write header and rows with the labels as the last column, named `target`; makes the folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow((*self.header, target))
            writer.writerows(row + (label,) for row, label in zip(self.rows, self.labels, strict=True))

    @classmethod
    def read_csv(cls, path: Path, target: str) -> "LabelledRows":
        """Read a CSV file with a header row; white space around cells is removed.

        Raises
        ------
        ValueError
            If the file has no column `target` or a row of another length.
        """
        header, rows = read_cells(path)
        if header.count(target) != 1:
            raise ValueError(f"{path} must have one column {target!r}, got {', '.join(header)}; name the target label")
        position = header.index(target)
        return cls(
            header[:position] + header[position + 1 :],
            tuple(row[:position] + row[position + 1 :] for row in rows),
            tuple(row[position] for row in rows),
        )


@dataclass(frozen=True)
class DataSplit:
    """One population in three disjoint parts, so that traffic never repeats a row that the model has seen."""

    train: LabelledRows
    test: LabelledRows
    pool: LabelledRows
    """Held-out rows that traffic is drawn from."""


def read_cells(path: Path) -> tuple[Row, tuple[Row, ...]]:
    """Return the header and the rows of a CSV file, cells without surrounding white space.

    Raises
    ------
    ValueError
        If the file is empty, is not UTF-8 text or a row has not one cell per column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [tuple(cell.strip() for cell in line) for line in csv.reader(stream, skipinitialspace=True) if line]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be CSV text in UTF-8, got: {error}; save it as such") from error
    if not lines:
        raise ValueError(f"{path} must start with a header row, got an empty file; give one with rows")
    header, *rows = lines
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise ValueError(
                f"{path} row {number} must have {len(header)} fields, got {len(row)}; correct or remove the row"
            )
    return header, tuple(rows)
