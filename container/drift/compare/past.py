"""How each window of the task's own past differs from the rest of it: what a later window's changes are held against.

A window of production is compared with the reference, the training rows. A window of the past is compared with the rest
of the past, and with the reference too, and the larger of the two counts. Of rows that were trained on, the reference
contains the window itself and the rest does not; of rows that came after, the reference is as far away as it is from
production, and the rest is too near where the past has a trend.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.compare.classifier_test import held_out_area
from plumbline.drift.compare.features import comparable
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts, ValueCounts, missing, unknown
from plumbline.drift.data.table import SAMPLE_ROWS, Table
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows, PastChange
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.jensen_shannon import limit_null_quantile
from plumbline.drift.statistics.registry import effects

MAX_SEPARATED = 24
"""Windows of one size whose whole rows are separated from the rest, evenly spread: each takes a fifth of a second."""


def past_changes(
    baseline: Baseline, rows: HistoryRows, bounds: Sequence[slice], *, seed: int
) -> list[tuple[Mapping[str, PastChange], float | None]]:
    """Return how each window of the past differs from the rest of it, in the order of `bounds`.

    A window has one entry per feature that is judged, one for the prediction under `PROBABILITY_COLUMN` where there are
    any, and the area under the ROC curve of a classifier of its whole rows against the rest, which only
    `MAX_SEPARATED` windows have. Equal arguments give equal results.

    Parameters
    ----------
    bounds
        Rows of each window, within those of `rows`.
    seed
        Of the samples that a classifier learns from, 0 or more.
    """
    columns = dict(_columns(baseline, rows))
    chosen = _spread(len(bounds), MAX_SEPARATED)
    return [
        (
            {name: column.change(window) for name, column in columns.items()},
            _separability(rows.table, window, seed) if number in chosen else None,
        )
        for number, window in enumerate(bounds)
    ]


def _columns(baseline: Baseline, rows: HistoryRows) -> Iterator[tuple[str, "_PastColumn"]]:
    for spec in baseline.specs:
        if spec.unjudged is None:
            column = rows.table.columns[spec.name]
            yield spec.name, _PastColumn.of(spec.type, column, baseline.counts[spec.name])
    if np.isfinite(rows.probabilities).any():
        test = baseline.test.probabilities if baseline.test else None
        reference = None if test is None else NumericCounts.of(test)
        yield PROBABILITY_COLUMN, _PastColumn.of(FeatureType.NUMERIC, rows.probabilities, reference)


MAX_POINTS = 1_000
"""Distinct numbers of a column that are told apart: with more, neighbours count as one, as many rows in each."""
_OUTER_POINTS = 50
"""Of them the smallest and largest, each by itself: they make the range, and carry most of a distance."""


@dataclass(frozen=True, eq=False)
class _PastColumn:
    """One column of the past: the place of each cell among the distinct `values`, -1 where it is missing.

    `codes` has shape (n_rows,). The rest of the past is what is left of all cells when a window's are taken off, so
    that no window costs more than its own rows and the distinct values.
    """

    type: FeatureType
    values: NDArray[Any]
    codes: NDArray[np.intp]
    whole: NDArray[np.int64]
    reference: ValueCounts | None

    @classmethod
    def of(cls, kind: FeatureType, column: NDArray[Any], reference: ValueCounts | None) -> Self:
        """Return the column with its cells numbered, on the same values as the reference."""
        absent = missing(column)
        known = [] if reference is None else reference.values.tolist()
        if kind is FeatureType.NUMERIC:
            # Negative zero is zero, as in value counts.
            cells = column[~absent].astype(np.float64) + 0.0
            values, places = np.unique(np.concatenate([cells, known]), return_inverse=True)
        else:
            labels = column[~absent].tolist()
            values = np.array(sorted({*labels, *known}), dtype=object)
            order = {label: place for place, label in enumerate(values.tolist())}
            places = np.array([order[label] for label in (*labels, *known)], dtype=np.intp)
        own, others = places[: len(column) - int(absent.sum())], places[len(column) - int(absent.sum()) :]
        counts = np.zeros(len(values), dtype=np.int64)
        if reference is not None:
            counts[others] = reference.counts
        if kind is FeatureType.NUMERIC and len(values) > MAX_POINTS:
            groups = _groups(counts + np.bincount(own, minlength=len(values)))
            weights = counts + np.bincount(own, minlength=len(values))
            values = np.bincount(groups, values * weights) / np.bincount(groups, weights)
            own, counts = groups[own], np.bincount(groups, counts).astype(np.int64)
        codes = np.full(len(column), -1, dtype=np.intp)
        codes[~absent] = own
        whole = np.bincount(own, minlength=len(values)).astype(np.int64)
        found = cls(kind, values, codes, whole, None)
        return found if reference is None else replace(found, reference=found._counts(counts, reference.n_missing))

    def change(self, window: slice) -> PastChange:
        """Return how the window's cells differ from the others'."""
        inside = self.codes[window]
        counted = np.bincount(inside[inside >= 0], minlength=len(self.values)).astype(np.int64)
        n_missing, n_missing_of_all = int((inside < 0).sum()), int((self.codes < 0).sum())
        own = self._counts(counted, n_missing)
        rest = self._counts(self.whole - counted, n_missing_of_all - n_missing)
        return _larger([_change(self.type, side, own) for side in (rest, self.reference) if side is not None])

    def _counts(self, counts: NDArray[np.int64], n_missing: int) -> ValueCounts:
        some = counts > 0
        kind = NumericCounts if self.type is FeatureType.NUMERIC else CategoricalCounts
        return kind(self.values[some], counts[some], n_missing)


def _groups(weights: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return for each value in ascending order the number of its group; `weights` are the rows of each."""
    inner = np.cumsum(weights)[_OUTER_POINTS:-_OUTER_POINTS]
    ranks = np.linspace(inner[0], inner[-1], MAX_POINTS - 2 * _OUTER_POINTS, endpoint=False)
    starts = np.zeros(len(weights), dtype=np.intp)
    starts[: _OUTER_POINTS + 1] = starts[-_OUTER_POINTS:] = 1
    starts[np.searchsorted(inner, ranks) + _OUTER_POINTS] = 1
    return np.cumsum(starts) - 1


def _change(kind: FeatureType, reference: ValueCounts, window: ValueCounts) -> PastChange:
    before, after = reference.missing_fraction, window.missing_fraction
    moved = 0.0 if before is None or after is None else abs(after - before)
    if not (reference.n_present and window.n_present):
        return PastChange(missing_fraction=moved)
    beyond = 0.0
    if kind is FeatureType.NUMERIC:
        beyond = int(window.counts[unknown(reference, window.values)].sum()) / window.n_present
    sides = comparable(reference, window)
    cells = Cells.between(*sides)
    found = effects(kind, *sides, cells)
    return PastChange(
        effects={EffectMeasure(name): value for name, value in found.items()},
        missing_fraction=moved,
        out_of_range_fraction=beyond,
        null_q99_distance=limit_null_quantile(cells),
    )


def _larger(changes: Sequence[PastChange]) -> PastChange:
    measures = dict.fromkeys(measure for change in changes for measure in change.effects)
    return PastChange(
        effects={one: max(change.effects[one] for change in changes if one in change.effects) for one in measures},
        missing_fraction=max(change.missing_fraction for change in changes),
        out_of_range_fraction=max(change.out_of_range_fraction for change in changes),
        null_q99_distance=min(change.null_q99_distance for change in changes),
    )


def _separability(rows: Table, window: slice, seed: int) -> float | None:
    random = np.random.default_rng(seed)
    inside = np.zeros(rows.n_rows, dtype=bool)
    inside[window] = True
    rest, own = (_sample(rows, np.flatnonzero(chosen), random) for chosen in (~inside, inside))
    return held_out_area(rest, own, seed)


def _sample(rows: Table, places: NDArray[np.intp], random: np.random.Generator) -> Table:
    if len(places) > SAMPLE_ROWS:
        places = np.sort(random.choice(places, SAMPLE_ROWS, replace=False))
    specs = tuple(spec for spec in rows.specs if spec.unjudged is None)
    return Table(specs, {spec.name: rows.columns[spec.name][places] for spec in specs})


def _spread(n_windows: int, n_wanted: int) -> frozenset[int]:
    return frozenset(np.linspace(0, n_windows - 1, min(n_windows, n_wanted)).round().astype(int).tolist())
