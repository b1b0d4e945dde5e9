"""What a task's past shows of projections of its accuracy: how far they missed, window by window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import ProjectionEvidence
from plumbline.contract.training import DECISION_THRESHOLD, Task
from plumbline.drift.data.counts import ValueCounts, count
from plumbline.drift.data.table import Table
from plumbline.drift.projection.domain import compare
from plumbline.drift.projection.recalibration import ScoredLabels
from plumbline.drift.projection.refusals import MIN_CLASS_ROWS, MIN_REFERENCE_ROWS, rows_out_of_support
from plumbline.drift.projection.wander import MAX_CALIBRATION_ROWS
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import WINDOW_SIZES, HistoryRows, window_bounds_of
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE

MAX_ORIGINS = 20
"""Of a longer past they lie evenly spread over it."""
_PARTS = 4


@dataclass(frozen=True, eq=False)
class Origin:
    """What would have been known at one point of the past: `calibrated` on the rows before row `end`.

    `variance` is that of the mean of the calibrated rows' own outcomes.
    """

    end: int
    calibrated: ScoredLabels
    variance: float


def past_misses(baseline: Baseline, rows: HistoryRows, size: int) -> list[tuple[float | None, float | None]]:
    """Return miss and half-width of each of `window_bounds_of` the past.

    Each window is projected from every origin before it, by calibrated confidence: from rows that come directly before
    it and from older ones, since the test set of a baseline gets older too. The miss is the root mean square of those
    misses (realised minus projected accuracy), with the sign of their mean, and the half-width that of the 95 %
    intervals for sampling alone. Both are None before the first origin, or where nothing can be projected.

    References
    ----------
    L. J. Tashman, "Out-of-sample tests of forecasting accuracy: an analysis and review" (2000), on rolling origins.
    """
    bounds = window_bounds_of(len(rows.labels), size)
    outcomes = _outcomes(baseline, rows)
    if outcomes is None:
        return [(None, None)] * len(bounds)
    origins = _origins(rows.probabilities, outcomes, _n_learned(len(rows.labels), baseline))
    is_multiclass = baseline.task is Task.MULTICLASS
    right = outcomes if is_multiclass else outcomes == (rows.probabilities >= DECISION_THRESHOLD)
    return [
        _missed(
            rows.probabilities[window],
            float(np.mean(right[window])),
            [origin for origin in origins if origin.end <= window.start],
            is_multiclass=is_multiclass,
        )
        for window in bounds
    ]


def _outcomes(baseline: Baseline, rows: HistoryRows) -> NDArray[np.bool_] | None:
    """Return which labels are positive, of several classes which predictions are right; None: that cannot be said."""
    if baseline.task is Task.MULTICLASS:
        if rows.predicted is None:
            return None
        return np.array(
            [label == called for label, called in zip(rows.labels, rows.predicted, strict=True)], dtype=bool
        )
    if baseline.task is Task.REGRESSION or baseline.positive_label is None:
        return None
    return np.array([label == baseline.positive_label for label in rows.labels], dtype=bool)


def _n_learned(n_rows: int, baseline: Baseline) -> int:
    """Return how many rows are calibrated on at a time: as many as the labelled test set has, a quarter at most."""
    n_test = MAX_CALIBRATION_ROWS if baseline.test is None else len(baseline.test.labels)
    n_learned = min(n_test, max(n_rows // _PARTS, MIN_REFERENCE_ROWS), MAX_CALIBRATION_ROWS)
    return max(n_learned, MIN_REFERENCE_ROWS)


def _origins(probabilities: NDArray[np.float64], outcomes: NDArray[np.bool_], n_learned: int) -> list[Origin]:
    """Return what is learned at points that lie half of the learned rows apart, or farther where they are many."""
    n_rows = len(outcomes)
    ends: Sequence[int] = range(n_learned, n_rows, n_learned // 2)
    if len(ends) > MAX_ORIGINS:
        ends = [ends[place] for place in np.linspace(0, len(ends) - 1, MAX_ORIGINS).round().astype(int)]
    origins = []
    for end in ends:
        known = outcomes[end - n_learned : end]
        n_rare = min(int(known.sum()), int((~known).sum()))
        if n_rare >= MIN_CLASS_ROWS:
            labelled = ScoredLabels.of(probabilities[end - n_learned : end], known)
            chance = labelled.calibrate(probabilities[end - n_learned : end], np.ones(n_learned))
            origins.append(Origin(end, labelled, float(np.mean(chance * (1 - chance))) / n_learned))
    return origins


def _missed(
    probabilities: NDArray[np.float64], realised: float, origins: Sequence[Origin], *, is_multiclass: bool
) -> tuple[float | None, float | None]:
    if not origins:
        return None, None
    misses, variances = np.empty(len(origins)), np.empty(len(origins))
    called = probabilities >= DECISION_THRESHOLD
    for place, origin in enumerate(origins):
        chance = origin.calibrated.calibrate(probabilities, np.ones(len(origin.calibrated.positive)))
        expected = chance if is_multiclass else np.where(called, chance, 1 - chance)
        misses[place] = realised - float(np.mean(expected))
        variances[place] = float(np.mean(expected * (1 - expected))) / len(expected) + origin.variance
    size = math.sqrt(float(np.mean(misses**2)))
    return math.copysign(size, float(np.mean(misses))), NORMAL_QUANTILE * math.sqrt(float(np.mean(variances)))


N_DISTANCES = 6
"""Windows whose distance is measured: a classifier for each."""


def past_distances(baseline: Baseline, rows: HistoryRows) -> ProjectionEvidence:
    """Return the largest distances of windows of the past from the first rows that could have been calibrated on.

    They are what an estimate is refused for (`plumbline.drift.projection.refusals`); all None of a short past.
    """
    n_rows, n_learned = len(rows.labels), _n_learned(len(rows.labels), baseline)
    size = (n_rows - n_learned) // N_DISTANCES
    if size < WINDOW_SIZES[0]:
        return ProjectionEvidence()
    size = min(size, _DISTANCE_ROWS)
    ignored = frozenset(spec.name for spec in baseline.specs if spec.unjudged)
    known = _rows(rows.table, slice(0, n_learned))
    starts = np.linspace(n_learned, n_rows - size, N_DISTANCES).astype(int).tolist()
    windows = [_rows(rows.table, slice(start, start + size)) for start in starts]
    domains = [domain for window in windows if (domain := compare(known, window, ignored, seed=0)) is not None]
    # Of all rows before, as training has them: a short past would lack what any longer one has.
    late = [(start, window) for start, window in zip(starts, windows, strict=True) if start >= n_rows // 2]
    outside = [
        float(np.mean(rows_out_of_support(_counted(_rows(rows.table, slice(0, start))), window, ignored)))
        for start, window in late
    ]
    return ProjectionEvidence(
        separability=max((domain.separability() for domain in domains), default=None),
        over_represented_fraction=max((domain.over_represented_fraction for domain in domains), default=None),
        out_of_support_fraction=max(outside),
    )


_DISTANCE_ROWS = 1_000


def _counted(table: Table) -> dict[str, ValueCounts]:
    return {spec.name: count(spec.type, table.columns[spec.name]) for spec in table.specs}


def _rows(table: Table, chosen: slice) -> Table:
    return Table(table.specs, {name: column[chosen] for name, column in table.columns.items()})
