"""Imputation and one-hot encoding, learned from labelled text rows and kept as plain JSON.

Training, serving and feature attributions encode rows by this one module: it is in the source archive and in the image.
Python 3.10, numpy only.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import ColumnType
from plumbline.contract.values import (
    DEFAULT_MISSING_VALUES,
    LEGACY_MISSING_VALUES,
    LabelCells,
    NumberCells,
    is_binary,
    present_labels,
    reads_as_numbers,
    spellings,
)

PREPROCESSOR_VERSION = 1
LARGEST = float(np.finfo(np.float32).max)


class RowError(ValueError):
    """Raised when a row does not fit the columns that the model was trained on."""


@dataclass(frozen=True)
class NumericColumn:
    """A column of numbers; a missing cell becomes `fill`, the mean of the training rows.

    The monitor takes it for `monitored_as`; None: for numbers, as the model does.

    With `is_binary` the training rows have no other numbers than 0 and 1, and booleans stand for them.
    """

    name: str
    fill: float
    missing_values: frozenset[str] = DEFAULT_MISSING_VALUES
    is_binary: bool = False
    monitored_as: ColumnType | None = None

    @property
    def width(self) -> int:
        """Number of inputs the model sees for this column."""
        return 1

    def encode(self, cells: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (n_rows, 1); what float32 cannot hold becomes its largest number: trees depend on order only."""
        numbers = np.array([self._number(row, cell) for row, cell in enumerate(cells, 1)], np.float64)
        return np.clip(numbers, -LARGEST, LARGEST).astype(np.float32).reshape(-1, 1)

    @cached_property
    def _cells(self) -> NumberCells:
        return NumberCells(self.missing_values, is_binary=self.is_binary)

    def _number(self, row: int, cell: str) -> float:
        number = self._cells.read(cell)
        if number is None:
            raise RowError(
                f"row {row}, field {self.name!r} must be a finite number, got {cell!r}; leave it empty if unknown"
            )
        return self.fill if math.isnan(number) else number


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of names; a missing cell becomes `fill`, the most frequent one of the training rows.

    The monitor takes it for `monitored_as`; None: for names, as the model does.
    """

    name: str
    fill: str
    categories: tuple[str, ...]
    missing_values: frozenset[str] = DEFAULT_MISSING_VALUES
    monitored_as: ColumnType | None = None

    @property
    def width(self) -> int:
        """Number of inputs the model sees for this column."""
        return len(self.categories)

    def encode(self, cells: Sequence[str]) -> NDArray[np.float32]:
        """Return shape (n_rows, n_categories); a category unknown to training is a row of zeros."""
        positions = {category: position for position, category in enumerate(self.categories)}
        encoded = np.zeros((len(cells), self.width), np.float32)
        for row, cell in enumerate(cells):
            label = self._cells.read(cell)
            position = positions.get(self.fill if label is None else label)
            if position is not None:
                encoded[row, position] = 1.0
        return encoded

    @cached_property
    def _cells(self) -> LabelCells:
        return LabelCells(self.categories, self.missing_values)


Column = NumericColumn | CategoricalColumn


@dataclass(frozen=True)
class Preprocessor:
    """What the training rows taught: the payload's columns in order, and the two classes."""

    columns: tuple[Column, ...]
    target: str
    negative_label: str
    positive_label: str

    @property
    def missing_values(self) -> frozenset[str]:
        """Texts that mean a missing value, in every column."""
        return self.columns[0].missing_values if self.columns else DEFAULT_MISSING_VALUES

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the payload's fields, in order."""
        return tuple(column.name for column in self.columns)

    def transform(self, rows: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return the model's input of shape (n_rows, n_inputs), without any NaN.

        Raises
        ------
        RowError
            If a row has another number of fields, or a numeric field that is no finite number.
        """
        for number, row in enumerate(rows, 1):
            if len(row) != len(self.columns):
                raise RowError(
                    f"row {number} must have {len(self.columns)} fields ({', '.join(self.names)}), got {len(row)}"
                )
        if not rows:
            return np.zeros((0, sum(column.width for column in self.columns)), np.float32)
        cells = zip(*rows, strict=True)
        return np.hstack(
            [column.encode(column_cells) for column, column_cells in zip(self.columns, cells, strict=True)]
        )

    def to_json(self) -> str:
        """Return the file's text: equal preprocessors are equal bytes."""
        columns = [
            {"name": column.name, "fill": column.fill}
            | ({"categories": column.categories} if isinstance(column, CategoricalColumn) else {})
            | ({"monitored_as": column.monitored_as.value} if column.monitored_as else {})
            | ({"is_binary": True} if isinstance(column, NumericColumn) and column.is_binary else {})
            for column in self.columns
        ]
        classes = {
            "target": self.target,
            "negative_label": self.negative_label,
            "positive_label": self.positive_label,
        }
        missing = sorted(self.missing_values)
        document = {"version": PREPROCESSOR_VERSION, "missing_values": missing, "columns": columns, **classes}
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Preprocessor":
        """Read what `to_json` wrote; a file without missing values is read as models of its time were trained.

        Raises
        ------
        ValueError
            If the text is not a preprocessor of this version.
        """
        document = json.loads(text)
        version = document.get("version") if isinstance(document, dict) else None
        if version != PREPROCESSOR_VERSION:
            raise ValueError(f"preprocessor version must be {PREPROCESSOR_VERSION}, got {version!r}; train again")
        missing = frozenset(document.get("missing_values", LEGACY_MISSING_VALUES))
        columns = tuple(_column_of(entry, missing) for entry in document["columns"])
        return cls(columns, document["target"], document["negative_label"], document["positive_label"])


def monitored_as(column: Column, kind: ColumnType | None) -> Column:
    """Return the column with what the monitor takes it for, where that is not what the model does."""
    own = ColumnType.NUMERIC if isinstance(column, NumericColumn) else ColumnType.CATEGORICAL
    return column if kind in {None, own} else replace(column, monitored_as=kind)


def _column_of(entry: Mapping[str, Any], missing: frozenset[str]) -> Column:
    kind = ColumnType(entry["monitored_as"]) if "monitored_as" in entry else None
    if "categories" in entry:
        return CategoricalColumn(entry["name"], entry["fill"], tuple(entry["categories"]), missing, kind)
    return NumericColumn(entry["name"], float(entry["fill"]), missing, entry.get("is_binary", False), kind)


def learn_column(name: str, cells: Sequence[str], missing_values: frozenset[str] = DEFAULT_MISSING_VALUES) -> Column:
    """Learn one column: numeric when every present cell reads as a finite number.

    Raises
    ------
    ValueError
        If no training row has a value: nothing could stand in for the missing ones.
    """
    numbers = NumberCells(missing_values, is_binary=True)
    if reads_as_numbers(cells, numbers):
        present = [number for cell in cells if (number := numbers.read(cell)) is not None and not math.isnan(number)]
        return NumericColumn(name, _mean(present), missing_values, is_binary(present))
    labels = present_labels(cells, missing_values)
    if not labels:
        raise ValueError(f"column {name!r} must have a value in at least one training row; remove the column")
    counts: Counter[str] = Counter()
    for label, known in spellings(labels).items():
        counts[known] += labels[label]
    most_frequent = min(counts, key=lambda category: (-counts[category], category))
    return CategoricalColumn(name, most_frequent, tuple(sorted(counts)), missing_values)


def _mean(numbers: Sequence[float]) -> float:
    """Return the mean; no sum and no rounding carries it past the largest float."""
    quarter = math.fsum(number / len(numbers) / 4 for number in numbers)
    return min(max(4 * quarter, min(numbers)), max(numbers))
