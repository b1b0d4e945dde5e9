"""Value counts: what a baseline keeps of a column, and all that the statistics need of a window."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType
from plumbline.contract.statistics import ColumnType
from plumbline.contract.values import DEFAULT_MISSING_VALUES
from plumbline.drift.data.table import FeatureSpec

MAX_DISTINCT = 65_536
"""Distinct values of a column up to which its counts are exact, in the reference and in a window."""
OTHER_LABELS = "other "
"""Stands for all labels beyond the bound. No cell reads so: a label has no white space at its end."""


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Distinct values of one column in ascending order, how often each occurs, and how many cells have no value.

    `values` has shape (n_distinct,): float64, or object holding ``str``; `counts` the same shape, int64, all positive.
    A cell is present, missing, or unreadable (text in a column of numbers); `unreadable` counts the last by reason.
    `n_absent` of the missing cells belong to objects that do not name the feature at all.
    """

    values: NDArray[np.float64] | NDArray[np.object_]
    counts: NDArray[np.int64]
    n_missing: int
    unreadable: Mapping[str, int] = field(default_factory=dict)
    n_absent: int = 0

    @property
    def n_present(self) -> int:
        """Cells with a value."""
        return int(self.counts.sum())

    @property
    def n_unreadable(self) -> int:
        """Cells that hold something which is no value of this column's type."""
        return sum(self.unreadable.values())

    @property
    def n_rows(self) -> int:
        """Cells: present, missing and unreadable."""
        return self.n_present + self.n_missing + self.n_unreadable

    @property
    def missing_fraction(self) -> float | None:
        """Missing cells by the cells that can be read, which are missing or present, 0 to 1; None without such.

        An unreadable cell is neither: it must not lower the fraction.
        """
        n_readable = self.n_rows - self.n_unreadable
        return self.n_missing / n_readable if n_readable else None


@dataclass(frozen=True, eq=False)
class NumericCounts(ValueCounts):
    """Value counts of a numeric column; infinities are values like others.

    With a `relative_error` the values stand for buckets, each within that share of the values it counts; None: exact.
    """

    values: NDArray[np.float64]
    relative_error: float | None = None

    @classmethod
    def of(cls, column: NDArray[np.float64]) -> "NumericCounts":
        """Count the values of `column`, shape (n_rows,); NaN is missing, and 0.0 and -0.0 are one value."""
        present = column[~missing(column)]
        values, counts = np.unique(present + 0.0, return_counts=True)
        return cls(values, counts.astype(np.int64), len(column) - len(present))

    def expanded(self) -> NDArray[np.float64]:
        """Return the present values in ascending order, each as often as it was counted: shape (n_present,)."""
        return np.repeat(self.values, self.counts)

    def scale_exponent(self) -> int:
        """Return e such that the finite values of ``ldexp(values, -e)`` lie within -1 and 1.

        A power of two changes no digit, and numbers of that size can be subtracted and squared without overflow.
        """
        finite = np.abs(self.values[np.isfinite(self.values)])
        return int(np.frexp(finite.max())[1]) if finite.size else 0


@dataclass(frozen=True, eq=False)
class CategoricalCounts(ValueCounts):
    """Value counts of a categorical column: labels in code-point order."""

    values: NDArray[np.object_]

    @classmethod
    def of(cls, column: NDArray[np.object_]) -> "CategoricalCounts":
        """Count the labels of `column`, shape (n_rows,); None is missing."""
        # Not np.unique: it sorts every label of the column, one comparison of Python objects at a time.
        counted = Counter(column.tolist())
        n_missing = counted.pop(None, 0)
        labels = sorted(counted)
        return cls(
            np.array(labels, dtype=object), np.array([counted[label] for label in labels], dtype=np.int64), n_missing
        )


def summed(values: NDArray[Any], counts: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct values in ascending order, and the sum of each one's counts."""
    distinct, positions = np.unique(values, return_inverse=True)
    sums = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(sums, positions, counts)
    return distinct, sums


def missing(column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which cells of a column have no value: NaN among numbers, None among labels; same shape."""
    if column.dtype == object:
        return np.array([label is None for label in column], dtype=bool)
    return np.isnan(np.asarray(column, dtype=np.float64))


def unknown(reference: ValueCounts, values: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which values the reference knows nothing of: labels it never had, numbers beyond its range; same shape.

    A missing value is no value, and never unknown. Of a reference with more labels than it keeps, none is.

    Raises
    ------
    ValueError
        If the reference has no present value.
    """
    if not reference.n_present:
        raise ValueError("the reference must have a present value, got none")
    if isinstance(reference, NumericCounts):
        numbers = np.asarray(values, dtype=np.float64)
        return np.asarray((numbers < reference.values[0]) | (numbers > reference.values[-1]))
    if OTHER_LABELS in reference.values:
        return np.zeros(len(values), dtype=bool)
    # A set: numpy compares object arrays label by label, which takes minutes for a column of identifiers.
    known = {None, *reference.values.tolist()}
    return np.array([label not in known for label in values.tolist()], dtype=bool)


def count(kind: FeatureType, column: NDArray[np.float64] | NDArray[np.object_]) -> ValueCounts:
    """Return the value counts of a column of the given type.

    Examples
    --------
    >>> count(FeatureType.CATEGORICAL, np.array(["b", None, "a", "b"], dtype=object)).counts.tolist()
    [1, 2]
    """
    if kind is FeatureType.NUMERIC:
        return NumericCounts.of(np.asarray(column, dtype=np.float64))
    return CategoricalCounts.of(np.asarray(column, dtype=object))


def spec_entries(specs: Sequence[FeatureSpec]) -> list[dict[str, str]]:
    """Return the schema as JSON."""
    return [
        {"name": spec.name, "type": spec.type.value} | ({"unjudged": spec.unjudged.value} if spec.unjudged else {})
        for spec in specs
    ]


def specs_of(
    entries: Sequence[Mapping[str, str]], missing_values: frozenset[str] = DEFAULT_MISSING_VALUES
) -> tuple[FeatureSpec, ...]:
    """Read what `spec_entries` made.

    Raises
    ------
    ValueError
        If a name is no text, or there twice, or a type is none of ours.
    """
    names = [entry["name"] for entry in entries]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError(f"features must each have a name of their own, got {names}")
    return tuple(
        FeatureSpec(
            entry["name"],
            FeatureType(entry["type"]),
            missing_values,
            ColumnType(entry["unjudged"]) if "unjudged" in entry else None,
        )
        for entry in entries
    )


def counts_entries(specs: Sequence[FeatureSpec], counts: Mapping[str, ValueCounts]) -> list[dict[str, Any]]:
    """Return the counts of every feature, in the schema's order."""
    return [counts_entry(counts[spec.name]) for spec in specs]


def columns_of(specs: Sequence[FeatureSpec], entries: Sequence[Mapping[str, Any]]) -> dict[str, ValueCounts]:
    """Read what `counts_entries` made.

    Raises
    ------
    ValueError
        If an entry is missing, or its values and counts do not fit each other.
    """
    return {spec.name: counts_of(spec, entry) for spec, entry in zip(specs, entries, strict=True)}


def counts_entry(counts: ValueCounts) -> dict[str, Any]:
    """Return one column's counts; what is zero or exact anyway is left out."""
    entry = {"n_missing": counts.n_missing, "values": counts.values.tolist(), "counts": counts.counts.tolist()}
    if counts.n_absent:
        entry["n_absent"] = counts.n_absent
    if counts.unreadable:
        entry["unreadable"] = dict(counts.unreadable)
    if isinstance(counts, NumericCounts) and counts.relative_error is not None:
        entry["relative_error"] = counts.relative_error
    return entry


def counts_of(spec: FeatureSpec, entry: Mapping[str, Any]) -> ValueCounts:
    """Read what `counts_entry` made.

    Raises
    ------
    ValueError
        If values and counts do not fit each other, or are none of this type.
    """
    numbers: NDArray[np.int64] = np.array(entry["counts"], dtype=np.int64)
    is_numeric = spec.type is FeatureType.NUMERIC
    values: NDArray[Any] = np.array(entry["values"], dtype=np.float64 if is_numeric else object)
    if values.shape != numbers.shape or values.ndim != 1 or (numbers <= 0).any():
        raise ValueError(f"counts of {spec.name!r} must have a positive number per value")
    if not is_numeric and not all(isinstance(label, str) for label in values.tolist()):
        raise ValueError(f"values of {spec.name!r} must be texts")
    if not (values[1:] > values[:-1]).all() or (is_numeric and np.isnan(values).any()):
        raise ValueError(f"values of {spec.name!r} must be distinct and in ascending order")
    rest = {"n_missing": _count(entry["n_missing"]), "n_absent": _count(entry.get("n_absent", 0))}
    unreadable = {str(reason): _count(number) for reason, number in entry.get("unreadable", {}).items()}
    if is_numeric:
        error = entry.get("relative_error")
        if error is not None and not 0 < error < 1:
            raise ValueError(f"relative_error of {spec.name!r} must lie between 0 and 1, got {error}")
        return NumericCounts(values, numbers, unreadable=unreadable, relative_error=error, **rest)
    return CategoricalCounts(values, numbers, unreadable=unreadable, **rest)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"a count must be a whole number of 0 or more, got {value}")
    return value
