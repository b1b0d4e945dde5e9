"""The task's own past, window by window: how much its rows moved, and how far projections of its accuracy missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.table import Table

WINDOW_SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Rows of the past windows that a baseline keeps figures of."""
MAX_WINDOWS = 200
"""Of one size; of a longer past they lie evenly spread over it."""
ENOUGH_WINDOWS = 20
"""With fewer, the largest of them is no bound that a like window keeps 19 times of 20."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HistoryRows:
    """Labelled rows of the past in time order, with what the model-building procedure predicted out of sample.

    `times` are ISO 8601 texts in UTC; all have shape (n_rows,). `probabilities` and `predicted` are as in
    `plumbline.drift.reference.baseline.LabelledTest`.
    """

    table: Table
    times: Sequence[str]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    predicted: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class PastChange:
    """How one feature, or the prediction, of a past window differs from the rest of the past.

    `missing_fraction` is the change of it, and `out_of_range_fraction` that of numbers beyond all others.
    """

    effects: Mapping[EffectMeasure, float] = field(default_factory=dict)
    missing_fraction: float = 0.0
    out_of_range_fraction: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PastWindow:
    """One window of the past: from its first row's time to its last one's.

    `miss` is the accuracy by its labels minus the one projected by a model's rows before it, and `half_width` that of
    the 95 % interval of the projection, for sampling alone; both are None where nothing could be projected. `changes`
    has one entry per feature, and one for the prediction under `plumbline.contract.training.PROBABILITY_COLUMN`.
    `separability` is the area under the ROC curve of a classifier of its whole rows against the rest of the past.
    """

    start: str
    end: str
    n_rows: int
    miss: float | None = None
    half_width: float | None = None
    changes: Mapping[str, PastChange] = field(default_factory=dict)
    separability: float | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """What a baseline keeps of the past: by window size in rows, ascending, the windows of that size in time order."""

    time_column: str
    start: str
    end: str
    n_rows: int
    windows: Mapping[int, tuple[PastWindow, ...]] = field(default_factory=dict)

    def windows_like(self, n_rows: int) -> tuple[PastWindow, ...]:
        """Return the past windows that a window of so many rows is held against.

        They are the largest that are not larger and of which there are enough; of no size enough, the smallest. Smaller
        windows differ more by chance, so that nothing is called new for want of rows.
        """
        fitting = [size for size in self.windows if size <= n_rows and len(self.windows[size]) >= ENOUGH_WINDOWS]
        if fitting:
            return self.windows[max(fitting)]
        return self.windows[min(self.windows)] if self.windows else ()


def window_bounds_of(n_rows: int, size: int) -> list[slice]:
    """Return consecutive windows of `size` rows, at most `MAX_WINDOWS`; what is left over at the front is in none.

    Examples
    --------
    >>> window_bounds_of(7, 3)
    [slice(1, 4, None), slice(4, 7, None)]
    """
    starts = range(n_rows % size, n_rows, size) if n_rows >= size else range(0)
    if len(starts) > MAX_WINDOWS:
        chosen = np.linspace(0, len(starts) - 1, MAX_WINDOWS).round().astype(int)
        return [slice(starts[index], starts[index] + size) for index in chosen.tolist()]
    return [slice(start, start + size) for start in starts]
