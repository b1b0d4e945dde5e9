"""The population that references and windows are drawn from, coded so that a sample is counted in milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.contract.training import MISSING_TEXTS, finite_number
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts, ValueCounts
from plumbline.drift.data.table import FeatureSpec, Table

Levels = NDArray[np.float64] | NDArray[np.object_]
Counted = NDArray[np.int64]
Frequencies = Mapping[str, Counted]
"""One sample, feature by feature: how often each level occurs, and in the last place how many cells are missing."""


@dataclass(frozen=True, eq=False)
class Population:
    """Every row of the population, cell by cell as the number of its level.

    `levels` holds each feature's distinct values in ascending order; `codes` has shape (n_features, n_rows), in the
    order of `specs`; a missing cell has the code after the last level.
    """

    specs: tuple[FeatureSpec, ...]
    levels: Mapping[str, Levels]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, rows: LabelledRows) -> Self:
        """Code the rows; a column is numeric when each of its cells that is not missing holds a number."""
        coded = [_coded(rows.column(name)) for name in rows.header]
        return cls(
            specs=tuple(FeatureSpec(name, kind) for name, (kind, _, _) in zip(rows.header, coded, strict=True)),
            levels={name: levels for name, (_, levels, _) in zip(rows.header, coded, strict=True)},
            codes=np.stack([codes for _, _, codes in coded]),
        )

    @property
    def n_rows(self) -> int:
        """Rows of the population."""
        return int(self.codes.shape[1])

    @property
    def frequencies(self) -> Frequencies:
        """The whole population, counted."""
        return self._counted(self.codes)

    def draw(self, n: int, random: np.random.Generator) -> Frequencies:
        """Draw `n` whole rows, independently and with replacement, and count them."""
        return self.counted(random.integers(self.n_rows, size=n))

    def counted(self, positions: NDArray[np.intp]) -> Frequencies:
        """Count the rows at these positions."""
        return self._counted(self.codes[:, positions])

    def counts(self, sample: Frequencies) -> dict[str, ValueCounts]:
        """Return a sample as the value counts that the product makes of such rows."""
        return {spec.name: _value_counts(spec.type, self.levels[spec.name], sample[spec.name]) for spec in self.specs}

    def table(self, positions: NDArray[np.int64]) -> Table:
        """Return the rows at these positions as the product's readers would."""
        columns = {}
        for spec, codes in zip(self.specs, self.codes, strict=True):
            levels = self.levels[spec.name]
            nothing = np.nan if spec.type is FeatureType.NUMERIC else None
            columns[spec.name] = np.array([*levels.tolist(), nothing], dtype=levels.dtype)[codes[positions]]
        return Table(self.specs, columns)

    def with_level(self, feature: str, label: str) -> Self:
        """Return the population with one more category that no row of it has."""
        labels = sorted([*self.levels[feature].tolist(), label])
        codes = self.codes.copy()
        codes[self.index(feature)] += codes[self.index(feature)] >= labels.index(label)
        return type(self)(self.specs, {**self.levels, feature: np.array(labels, dtype=object)}, codes)

    def with_numbers(self, feature: str, numbers: NDArray[np.float64]) -> Self:
        """Return the population with more values of a numeric feature that no row of it has."""
        before = np.asarray(self.levels[feature], np.float64)
        levels = np.union1d(before, numbers)
        codes = self.codes.copy()
        place = self.index(feature)
        codes[place] = np.append(np.searchsorted(levels, before), len(levels))[codes[place]]
        return type(self)(self.specs, {**self.levels, feature: levels}, codes)

    def index(self, feature: str) -> int:
        """Return the feature's place among the specs."""
        return [spec.name for spec in self.specs].index(feature)

    def _counted(self, codes: NDArray[np.intp]) -> Frequencies:
        return {
            spec.name: np.bincount(row, minlength=len(self.levels[spec.name]) + 1)
            for spec, row in zip(self.specs, codes, strict=True)
        }


def _coded(cells: tuple[str, ...]) -> tuple[FeatureType, Levels, NDArray[np.intp]]:
    numbers = {cell: finite_number(cell) for cell in set(cells) - MISSING_TEXTS}
    kind = FeatureType.CATEGORICAL if None in numbers.values() else FeatureType.NUMERIC
    value_of: dict[str, Any] = {cell: numbers[cell] if kind is FeatureType.NUMERIC else cell for cell in numbers}
    levels = sorted(set(value_of.values()))
    code_of = {value: code for code, value in enumerate(levels)}
    codes = [len(levels) if cell in MISSING_TEXTS else code_of[value_of[cell]] for cell in cells]
    return kind, np.array(levels, np.float64 if kind is FeatureType.NUMERIC else object), np.array(codes, np.intp)


def _value_counts(kind: FeatureType, levels: Levels, frequencies: Counted) -> ValueCounts:
    present, n_missing = frequencies[:-1].astype(np.int64), int(frequencies[-1])
    found = present > 0
    if kind is FeatureType.NUMERIC:
        return NumericCounts(np.asarray(levels[found], np.float64), present[found], n_missing)
    return CategoricalCounts(np.asarray(levels[found], object), present[found], n_missing)
