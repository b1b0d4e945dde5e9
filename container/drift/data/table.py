"""Tables: columns of rows, made from text cells. Readers produce them, statistics consume them."""

import heapq
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.contract.rejection import CellReason
from plumbline.contract.statistics import ColumnType
from plumbline.contract.values import DEFAULT_MISSING_VALUES, LabelCells, NumberCells, is_binary


@dataclass(frozen=True)
class FeatureSpec:
    """One column of the payload, in the payload's order; `missing_values` are the texts of a cell without a value.

    `unjudged` is what the column is where it is no feature: its cells are counted and never judged.
    """

    name: str
    type: FeatureType
    missing_values: frozenset[str] = field(default=DEFAULT_MISSING_VALUES, compare=False)
    unjudged: ColumnType | None = field(default=None, compare=False)

    @property
    def column_type(self) -> ColumnType:
        """What the column is."""
        return self.unjudged or ColumnType(self.type)

    @property
    def is_new_in_every_row(self) -> bool:
        """Whether its values are not kept: those of an identifier, or of a time."""
        return self.unjudged in {ColumnType.ID, ColumnType.TIME}


@dataclass(frozen=True)
class Table:
    """Columns by name, all of shape (n_rows,).

    A numeric column is float64 with NaN for missing; a categorical one is object, ``str`` or None for missing.
    """

    specs: tuple[FeatureSpec, ...]
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.object_]]

    @property
    def n_rows(self) -> int:
        """Rows of the table; 0 for a table without columns."""
        return next((len(column) for column in self.columns.values()), 0)


Cell: TypeAlias = float | str | None
"""A numeric cell is a float, NaN when missing; a categorical one a string, None when missing."""


class NotANumberError(ValueError):
    """Raised when a numeric cell holds something else than a finite number, for `reason`."""

    def __init__(self, text: str, reason: CellReason) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class CellReader:
    """Reads the texts of one column; `known` are the reference's values, by which labels are spelled and booleans read.

    Surrounding white space is ignored.
    """

    spec: FeatureSpec
    known: Collection[float | str] = ()

    @cached_property
    def numbers(self) -> NumberCells:
        """Reads the cells of a column of numbers."""
        return NumberCells(self.spec.missing_values, is_binary=is_binary([*self.known]))  # type: ignore[list-item]

    @cached_property
    def labels(self) -> LabelCells:
        """Reads the cells of a categorical column."""
        return LabelCells([str(label) for label in self.known], self.spec.missing_values)

    @property
    def has_booleans(self) -> bool:
        """Whether the known values are, or have among them, booleans or what stands for them."""
        return self.numbers.is_binary if self.spec.type is FeatureType.NUMERIC else self.labels.has_booleans

    def read(self, text: str) -> Cell:
        """Return the cell that `text` stands for.

        Raises
        ------
        NotANumberError
            If the column is numeric and the text is neither missing nor a finite number.
        """
        if self.spec.type is FeatureType.CATEGORICAL:
            return self.labels.read(text)
        number = self.numbers.read(text)
        if number is None:
            raise NotANumberError(text.strip(), _reason(text.strip()))
        return number


def readers_of(table: Table) -> tuple[CellReader, ...]:
    """Return one reader per column of training rows, which knows their values."""
    return tuple(CellReader(spec, present(table.columns[spec.name].tolist())) for spec in table.specs)


def present(cells: Iterable[Cell]) -> list[float | str]:
    """Return the distinct cells that have a value."""
    return [cell for cell in dict.fromkeys(cells) if cell is not None and cell == cell]  # noqa: PLR0124 - NaN


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


SAMPLE_ROWS = 2_000
"""Enough for a classifier to tell two samples apart, and few to read every hour."""


def sample_rows(table: Table, n_rows: int = SAMPLE_ROWS) -> Table:
    """Return `n_rows` rows of the table, or all of them if it has no more.

    Every row gets a 64-bit hash of its cells, and the rows with the smallest hashes are taken, in that order. The
    second of two identical rows is hashed as such, so that n identical rows are n draws and not one.
    """
    chosen = [position for _, position in heapq.nsmallest(n_rows, _hashes(table))]
    return Table(table.specs, {name: column[chosen] for name, column in table.columns.items()})


def _hashes(table: Table) -> Iterator[tuple[bytes, int]]:
    seen: Counter[str] = Counter()
    for position, texts in enumerate(zip(*map(_texts, table.columns.values()), strict=True)):
        row = ",".join(texts)
        seen[row] += 1
        yield blake2b(f"{seen[row]} {row}".encode(), digest_size=8).digest(), position


def _texts(column: NDArray[np.float64] | NDArray[np.object_]) -> list[str]:
    """Return one text per cell, in which no comma or quote can be taken for another cell's."""
    # Both zeros are one value; NaN, which is missing, is spelled like any other number.
    cells = (column if column.dtype == object else column + 0.0).tolist()
    # Not repr for labels: what it escapes differs between versions of Python.
    spelled = {cell: repr(cell) if isinstance(cell, float) else json.dumps(cell) for cell in dict.fromkeys(cells)}
    return [spelled[cell] for cell in cells]


_ROWS_AT_ONCE = 4096


def transpose(rows: Iterable[Sequence[str]], n_columns: int) -> list[list[str]]:
    """Return rows, which have `n_columns` fields each, as columns.

    Only the columns stay in memory, and of equal texts one.

    Raises
    ------
    ValueError
        If a row has another number of fields.
    """
    columns: list[list[str]] = [[] for _ in range(n_columns)]
    known: dict[str, str] = {}
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_AT_ONCE)):
        for column, texts in zip(columns, zip(*some, strict=True), strict=True):
            column += [known.setdefault(text, text) for text in texts]
    return columns
