"""Value counts added up: the counts of several parts are the counts of the whole."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from drift.counts import NumericCounts, ValueCounts, summed
from drift.sketch import bucketed


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
