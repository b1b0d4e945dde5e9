"""Value counts as JSON: one encoding for a baseline's and for a window's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from drift.counts import CategoricalCounts, NumericCounts, ValueCounts
from drift.table import FeatureSpec


def spec_entries(specs: Sequence[FeatureSpec]) -> list[dict[str, str]]:
    """Return the schema as JSON."""
    return [{"name": spec.name, "type": spec.type.value} for spec in specs]


def specs_of(entries: Sequence[Mapping[str, str]]) -> tuple[FeatureSpec, ...]:
    """Read what `spec_entries` made."""
    return tuple(FeatureSpec(entry["name"], FeatureType(entry["type"])) for entry in entries)


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
        If values and counts do not fit each other.
    """
    numbers: NDArray[np.int64] = np.array(entry["counts"], dtype=np.int64)
    if len(entry["values"]) != len(numbers):
        raise ValueError(f"counts of {spec.name!r} must have a number per value")
    rest = {"n_missing": entry["n_missing"], "n_absent": entry.get("n_absent", 0)}
    unreadable = entry.get("unreadable", {})
    if spec.type is FeatureType.NUMERIC:
        values = np.array(entry["values"], dtype=np.float64)
        error = entry.get("relative_error")
        return NumericCounts(values, numbers, unreadable=unreadable, relative_error=error, **rest)
    return CategoricalCounts(np.array(entry["values"], dtype=object), numbers, unreadable=unreadable, **rest)
