"""Numbers of a column that are followed over time: their means in the reference, and in each window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.drift.data.counts import OTHER_LABELS, NumericCounts, ValueCounts
from plumbline.drift.data.sketch import bucketed

LOCATION, SPREAD, MISSING, UNSEEN = "location", "spread", "missing", "unseen"
"""What the numbers of a row are: how high its value ranks, how far from the middle, whether there is none, and whether
its label is none of the reference's. Every other name is that of a label (`label_of`)."""
_LABEL = "label "
MAX_LABELS = 8
"""Labels of a column that are followed each by itself, the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One number of a row, 0 to 1: its mean and standard deviation over the `n_rows` of the reference that have it."""

    name: str
    mean: float
    deviation: float
    n_rows: int

    @property
    def label(self) -> str | None:
        """The label whose fraction it is; None: it is none of a label's."""
        return self.name.removeprefix(_LABEL) if self.name.startswith(_LABEL) else None

    @property
    def is_fraction(self) -> bool:
        """Whether the number is 0 or 1, so that its mean is a fraction of rows."""
        return self.name not in {LOCATION, SPREAD}


@dataclass(frozen=True)
class SeriesMean:
    """The mean of one series over the `n_rows` of a window that have it."""

    n_rows: int
    mean: float


def series_of(reference: ValueCounts) -> tuple[Series, ...]:
    """Return what is followed of a column; empty where the reference has no value of it.

    Of numbers it is the mid-rank among the reference's values, which is 0.5 on average there whatever they are, and
    its distance from the middle; of labels the fraction of each of the most frequent, and of those that the reference
    never had; of both the fraction of missing values. Range of each: 0 to 1.

    Examples
    --------
    >>> [one.name for one in series_of(NumericCounts.of(np.array([1.0, 2.0, 2.0])))]
    ['location', 'spread', 'missing']
    """
    if not reference.n_present:
        return ()
    names = [LOCATION, SPREAD] if isinstance(reference, NumericCounts) else _label_series(reference)
    values = [_of_numbers(name, reference, _scores(name, reference, reference)) for name in names]
    missing = reference.missing_fraction or 0.0
    n_readable = reference.n_present + reference.n_missing
    return (
        *values,
        Series(name=MISSING, mean=missing, deviation=math.sqrt(missing * (1 - missing)), n_rows=n_readable),
    )


def means_of(reference: ValueCounts, window: ValueCounts, series: Sequence[Series]) -> tuple[SeriesMean, ...]:
    """Return the mean of each series in a window, in their order; one that no row has rests on 0 rows."""
    if isinstance(reference, NumericCounts) and isinstance(window, NumericCounts):
        reference, window = _alike(reference, window)
    return tuple(_mean(one, reference, window) for one in series)


def _mean(series: Series, reference: ValueCounts, window: ValueCounts) -> SeriesMean:
    if series.name == MISSING:
        return SeriesMean(window.n_present + window.n_missing, window.missing_fraction or 0.0)
    if not window.n_present:
        return SeriesMean(0, series.mean)
    scores = _scores(series.name, reference, window)
    return SeriesMean(window.n_present, float(np.average(scores, weights=window.counts)))


def _alike(reference: NumericCounts, window: NumericCounts) -> tuple[NumericCounts, NumericCounts]:
    """Return both in buckets where one is: ranks of values among the middles of buckets would be off by half a one."""
    if reference.relative_error is None and window.relative_error is None:
        return reference, window
    return bucketed(reference), bucketed(window)


def _label_series(reference: ValueCounts) -> list[str]:
    order = np.argsort(-reference.counts, kind="stable")
    labels = [label for label in reference.values[order].tolist() if label != OTHER_LABELS][:MAX_LABELS]
    return [*(f"{_LABEL}{label}" for label in labels), *([] if OTHER_LABELS in reference.values else [UNSEEN])]


def _of_numbers(name: str, reference: ValueCounts, scores: NDArray[np.float64]) -> Series:
    mean = float(np.average(scores, weights=reference.counts))
    variance = float(np.average((scores - mean) ** 2, weights=reference.counts))
    return Series(name=name, mean=mean, deviation=math.sqrt(variance), n_rows=reference.n_present)


def _scores(name: str, reference: ValueCounts, window: ValueCounts) -> NDArray[np.float64]:
    """Return the number of each distinct value of the window: same shape."""
    if name in {LOCATION, SPREAD}:
        ranks = _ranks(reference, window.values)
        return ranks if name == LOCATION else np.abs(2 * ranks - 1)
    if name == UNSEEN:
        known = set(reference.values.tolist())
        return np.array([float(label not in known) for label in window.values.tolist()])
    label = name.removeprefix(_LABEL)
    return np.array([float(one == label) for one in window.values.tolist()])


def _ranks(reference: ValueCounts, values: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the fraction of the reference's values below each value, and half of those that equal it."""
    cumulated = np.concatenate([[0], np.cumsum(reference.counts)])
    below = cumulated[np.searchsorted(reference.values, values, side="left")]
    up_to = cumulated[np.searchsorted(reference.values, values, side="right")]
    return np.asarray((below + up_to) / (2 * reference.n_present), dtype=np.float64)
