"""A batch of rows -> partial counts: everything is looked up per distinct cell, and gathered per row."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from drift.counts import OTHER_LABELS
from drift.kernel.batches import Batch
from drift.kernel.columns import MISSING, PRESENT, UNREADABLE, Cells, ColumnReader, State
from drift.kernel.hashes import Hashes, combined, number_hashes
from drift.kernel.partial import Group, PartialCounts, first_places
from drift.kernel.places import Places
from drift.kernel.plan import Plan, variant_of
from drift.kernel.sample import SampledRows


def count_batch(counts: PartialCounts, batch: Batch, name: str, plan: Plan, readers: Sequence[ColumnReader]) -> None:
    """Add the batch's rows to `counts`."""
    n_rows = len(batch.probabilities)
    if not n_rows:
        return
    cells = [reader.read(column.distinct) for reader, column in zip(readers, batch.columns, strict=True)]
    outside, hashes = np.zeros(n_rows, dtype=bool), number_hashes(batch.probabilities)
    for column, read in zip(batch.columns, cells, strict=True):
        outside |= read.outside[column.codes]
        hashes = combined(hashes, read.hashes[column.codes])
    counts.n_used += len(batch.numbers)
    counts.n_outside += int(outside.sum())
    counts.repetition.add(hashes, np.ones(n_rows, dtype=np.int64))
    for group, rows in _groups(batch, cells, variant_of(name) or "", plan):
        _count_group(counts, group, rows, batch, cells, plan)
    _note_unreadable(counts, batch, cells, name, plan)
    _sample(counts, batch, cells, hashes)


def _groups(
    batch: Batch, cells: Sequence[Cells], variant: str, plan: Plan
) -> Iterator[tuple[Group, NDArray[np.bool_] | slice]]:
    if plan.segment is None:
        yield Group(variant), slice(None)
        return
    position = next(place for place, spec in enumerate(plan.specs) if spec.name == plan.segment)
    known = plan.labels[plan.segment]
    labels, codes = cells[position].values, batch.columns[position].codes
    segments = np.array([label if label in known else OTHER_LABELS for label in labels], dtype=np.object_)
    for value in sorted(set(segments)):
        rows = (segments == value)[codes]
        if rows.any():
            yield Group(variant, value), rows


def _count_group(
    counts: PartialCounts,
    group: Group,
    rows: NDArray[np.bool_] | slice,
    batch: Batch,
    cells: Sequence[Cells],
    plan: Plan,
) -> None:
    kept = counts.group(group, plan)
    probabilities = batch.probabilities[rows]
    kept.n_rows += len(probabilities)
    for column, encoded, read in zip(kept.columns, batch.columns, cells, strict=False):
        column.add(read, np.bincount(encoded.codes[rows], minlength=len(read.states)))
    kept.columns[-1].add(*_probability_cells(probabilities))


def _probability_cells(probabilities: NDArray[np.float64]) -> tuple[Cells, NDArray[np.int64]]:
    states = np.where(np.isnan(probabilities), MISSING, PRESENT)
    none = np.zeros(len(states), dtype=bool)
    cells = Cells(probabilities + 0.0, states, none.astype(np.uint64), none)
    return cells, np.ones(len(states), dtype=np.int64)


def _note_unreadable(counts: PartialCounts, batch: Batch, cells: Sequence[Cells], name: str, plan: Plan) -> None:
    for spec, column, read in zip(plan.specs, batch.columns, cells, strict=True):
        for state in set(read.states[read.states >= UNREADABLE].tolist()):
            lines = np.repeat(batch.numbers, batch.n_rows)[(read.states == state)[column.codes]]
            places = counts.unreadable.setdefault((spec.name, str(State(state).reason)), Places())
            places.add(first_places(name, lines))


def _sample(counts: PartialCounts, batch: Batch, cells: Sequence[Cells], hashes: Hashes) -> None:
    """Offer the batch's rows to the sample, under keys that the event and the row decide, not the file."""
    first = np.cumsum(batch.n_rows) - batch.n_rows
    positions = np.arange(len(hashes)) - np.repeat(first, batch.n_rows)
    keys = combined(combined(np.repeat(batch.event_hashes, batch.n_rows), positions.astype(np.uint64)), hashes)
    limit = counts.sample.limit() if counts.sample else None
    chosen = np.arange(len(keys)) if limit is None else np.flatnonzero(keys < limit)
    if len(chosen):
        columns = [read.values[encoded.codes[chosen]] for read, encoded in zip(cells, batch.columns, strict=True)]
        counts.add_sample(SampledRows(keys[chosen], (*columns, batch.probabilities[chosen])))
