"""A batch of rows -> partial counts: everything is looked up per distinct cell, and gathered per row."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drift.counts import OTHER_LABELS
from drift.kernel.batches import Batch
from drift.kernel.columns import MISSING, PRESENT, UNREADABLE, Cells, ColumnReader, State
from drift.kernel.hashes import Hashes, combined, number_hashes
from drift.kernel.partial import Group, GroupCounts, PartialCounts, ScoreGroup, ScoreKind
from drift.kernel.places import POSITIONS, Places, first_places
from drift.kernel.plan import Plan, variant_of
from drift.kernel.predictions import NO_CLASS
from drift.kernel.sample import SampledRows

_Rows: TypeAlias = NDArray[np.bool_] | None
"""Which rows of a batch; None: all."""


def count_batch(
    counts: PartialCounts, batch: Batch, names: Sequence[str], plan: Plan, readers: Sequence[ColumnReader]
) -> None:
    """Add the batch's rows to `counts`; `names` are those of its files."""
    n_rows = len(batch.probabilities)
    if not n_rows:
        return
    cells = [reader.read(column.distinct) for reader, column in zip(readers, batch.columns, strict=True)]
    outside, hashes = np.zeros(n_rows, dtype=bool), number_hashes(batch.probabilities)
    for spec, column, read in zip(plan.specs, batch.columns, cells, strict=True):
        if spec.name not in plan.ignored and read.outside.any():
            outside |= read.outside[column.codes]
        hashes = combined(hashes, read.hashes[column.codes])
    counts.n_used += len(batch.positions)
    counts.n_out_of_support += int(outside.sum())
    counts.repetition.add(hashes, np.ones(n_rows, dtype=np.int64))
    for variant, of_variant in _variants(batch, names):
        for value, of_value in _segments(batch, cells, plan):
            rows = of_value if of_variant is None else of_variant if of_value is None else of_variant & of_value
            if rows is None or rows.any():
                _count_group(counts.group(Group(variant, value), plan), rows, batch, cells)
    for score_group, rows in _score_groups(batch, cells, plan):
        if rows.any():
            counts.score_group(score_group).add(*_probability_cells(batch.probabilities[rows]))
    _note_unreadable(counts, batch, cells, names, plan)
    _sample(counts, batch, cells, hashes)


def _variants(batch: Batch, names: Sequence[str]) -> Iterator[tuple[str, _Rows]]:
    files = batch.positions // POSITIONS
    variants = {file: variant_of(names[file]) or "" for file in np.unique(files).tolist()}
    if len(set(variants.values())) == 1:
        yield next(iter(variants.values())), None
        return
    for variant in sorted(set(variants.values())):
        of_variant = [file for file, its_variant in variants.items() if its_variant == variant]
        yield variant, np.repeat(np.isin(files, of_variant), batch.n_rows)


def _segments(batch: Batch, cells: Sequence[Cells], plan: Plan) -> Iterator[tuple[str, _Rows]]:
    if plan.segment is None:
        yield "", None
        return
    segments, codes = _known_labels(plan.segment, batch, cells, plan)
    segments = np.array([OTHER_LABELS if label is None else label for label in segments], dtype=np.object_)
    for value in sorted(set(segments)):
        yield value, (segments == value)[codes]


def _score_groups(batch: Batch, cells: Sequence[Cells], plan: Plan) -> Iterator[tuple[ScoreGroup, NDArray[np.bool_]]]:
    if plan.facet is not None:
        values, codes = _known_labels(plan.facet, batch, cells, plan)
        for value in sorted({label for label in values if label is not None}):
            yield ScoreGroup(ScoreKind.FACET, value), (values == value)[codes]
    for number in np.unique(batch.predicted[batch.predicted != NO_CLASS]).tolist():
        yield ScoreGroup(ScoreKind.CLASS, plan.outputs.classes[number]), batch.predicted == number


def _known_labels(
    name: str, batch: Batch, cells: Sequence[Cells], plan: Plan
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return a column's distinct labels, those unknown to the reference as `OTHER_LABELS`, and each row's index."""
    position = next(place for place, spec in enumerate(plan.specs) if spec.name == name)
    known = plan.labels[name] | {None}
    labels = [label if label in known else OTHER_LABELS for label in cells[position].values]
    return np.array(labels, dtype=np.object_), batch.columns[position].codes


def _count_group(kept: GroupCounts, rows: _Rows, batch: Batch, cells: Sequence[Cells]) -> None:
    chosen = slice(None) if rows is None else rows
    probabilities = batch.probabilities[chosen]
    kept.n_rows += len(probabilities)
    for column, encoded, read in zip(kept.columns, batch.columns, cells, strict=False):
        column.add(read, np.bincount(encoded.codes[chosen], minlength=len(read.states)))
    kept.columns[-1].add(*_probability_cells(probabilities))


def _probability_cells(probabilities: NDArray[np.float64]) -> tuple[Cells, NDArray[np.int64]]:
    states = np.where(np.isnan(probabilities), MISSING, PRESENT)
    none = np.zeros(len(states), dtype=bool)
    cells = Cells(probabilities + 0.0, states, none.astype(np.uint64), none)
    return cells, np.ones(len(states), dtype=np.int64)


def _note_unreadable(
    counts: PartialCounts, batch: Batch, cells: Sequence[Cells], names: Sequence[str], plan: Plan
) -> None:
    for spec, column, read in zip(plan.specs, batch.columns, cells, strict=True):
        for state in set(read.states[read.states >= UNREADABLE].tolist()):
            positions = np.repeat(batch.positions, batch.n_rows)[(read.states == state)[column.codes]]
            places = counts.unreadable.setdefault((spec.name, str(State(state).reason)), Places())
            places.add(first_places(names, positions))


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
