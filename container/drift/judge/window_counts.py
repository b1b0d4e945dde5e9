"""What a run leaves of its window for later ones: value counts in a file, and the sum of several windows' counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from plumbline.contract.decoding import SCHEMA_ERRORS, decode
from plumbline.contract.records import FeatureType, WindowBounds
from plumbline.contract.rejection import loss
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import (
    NumericCounts,
    ValueCounts,
    columns_of,
    counts_entries,
    counts_entry,
    counts_of,
    spec_entries,
    specs_of,
    summed,
)
from plumbline.drift.data.documents import read_signed, signed
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.reference.baseline import Baseline


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredWindow:
    """What a run leaves of its window for later ones: value counts, no rows.

    `rejected_fraction` is that of the window's records, 0 to 1.
    """

    bounds: WindowBounds
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    columns: dict[str, ValueCounts]
    probabilities: ValueCounts
    rejected_fraction: float = 0.0


def merged(parts: Sequence[ValueCounts]) -> ValueCounts:
    """Return the counts of all parts together, in whatever order they come.

    Where one part has its numbers in buckets, the others' go into the same buckets.

    Raises
    ------
    ValueError
        If there is no part.
    """
    if not parts:
        raise ValueError("counts to merge must be at least one, got none")
    if any(isinstance(part, NumericCounts) and part.relative_error is not None for part in parts):
        parts = [bucketed(part) if isinstance(part, NumericCounts) else part for part in parts]
    return reduce(_sum, parts)


def _sum(one: ValueCounts, other: ValueCounts) -> ValueCounts:
    values, counts = summed(np.concatenate([one.values, other.values]), np.concatenate([one.counts, other.counts]))
    unreadable = {
        reason: one.unreadable.get(reason, 0) + other.unreadable.get(reason, 0)
        for reason in sorted({*one.unreadable, *other.unreadable})
    }
    return replace(
        one,
        values=values,
        counts=counts,
        n_missing=one.n_missing + other.n_missing,
        unreadable=unreadable,
        n_absent=one.n_absent + other.n_absent,
    )


WINDOW_COUNTS_VERSION = 1
_PROBABILITY = FeatureSpec(PROBABILITY_COLUMN, FeatureType.NUMERIC)


def window_counts_text(baseline: Baseline, window: WindowCounts) -> str:
    """Return the file's text; equal windows give equal bytes. A feature that the window lacks is left out."""
    specs, lost = [spec for spec in baseline.specs if spec.name in window.columns], loss(window.records)
    document = {
        "version": WINDOW_COUNTS_VERSION,
        "start": window.bounds.start,
        "end": window.bounds.end,
        "n_rows": window.n_rows,
        "rejected_fraction": lost.fraction if lost else 0.0,
        "features": spec_entries(specs),
        "probabilities": counts_entry(window.probabilities),
        "counts": counts_entries(specs, window.columns),
    }
    return signed(document, before="features")


def _n_rows(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"n_rows must be a whole number of 0 or more, got {value}")
    return value


def read_window_counts(text: str) -> StoredWindow:
    """Read what `window_counts_text` made.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file.
    """
    document = read_signed(text, WINDOW_COUNTS_VERSION)
    try:
        specs = specs_of(document["features"])
        return StoredWindow(
            bounds=decode(WindowBounds, {"start": document["start"], "end": document["end"]}),
            n_rows=_n_rows(document["n_rows"]),
            specs=specs,
            columns=columns_of(specs, document["counts"]),
            probabilities=counts_of(_PROBABILITY, document["probabilities"]),
            # Files of versions before do not say.
            rejected_fraction=float(document.get("rejected_fraction", 0.0)),
        )
    except SCHEMA_ERRORS as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error
