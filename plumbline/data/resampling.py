"""Weights that shift a pool of labelled rows without touching a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import MISSING_TEXTS, positive_label
from plumbline.data.rows import LabelledRows

Z_LIMIT = 2.0
"""Standard scores are cut here, so that no handful of extreme rows carries an hour."""
HELD_BINS = 10
RAKING_ROUNDS = 25


def progress(hour: int, first_hour: int, full_hour: int) -> float:
    """Return how much of a change is there in an hour: 0 before it begins, 1 when it is complete, linear between."""
    return float(np.clip((hour - first_hour + 1) / (full_hour - first_hour + 1), 0.0, 1.0))


@dataclass(frozen=True)
class Tilt:
    """One feature whose larger values, or whose named categories, become more frequent.

    A complete tilt multiplies the odds of drawing a row by exp(strength) per standard deviation of the feature, or
    for a row of one of the `categories`. It begins in `first_hour` and is complete in `full_hour`.
    """

    feature: str
    strength: float
    first_hour: int
    full_hour: int
    categories: tuple[str, ...] = ()

    def log_weights(self, pool: LabelledRows, hour: int) -> NDArray[np.float64]:
        """Return shape (n_rows,); a missing cell weighs like the mean."""
        cells = pool.column(self.feature)
        if self.categories:
            scores = np.array([float(cell in self.categories) for cell in cells])
        else:
            scores = _standard_scores(cells)
        return self.strength * progress(hour, self.first_hour, self.full_hour) * scores


@dataclass(frozen=True)
class PositiveShare:
    """The share of rows with the positive label, moved to `share`: rows of either label stay as likely among their own.

    It begins in `first_hour` and is complete in `full_hour`.
    """

    share: float
    first_hour: int
    full_hour: int

    def weights(self, pool: LabelledRows, hour: int) -> NDArray[np.float64]:
        """Return the factor of each row's probability of being drawn, shape (n_rows,).

        Raises
        ------
        ValueError
            If the pool has not two classes.
        """
        positive = np.array(pool.labels) == positive_label(pool.labels)
        before = float(positive.mean())
        wanted = before + progress(hour, self.first_hour, self.full_hour) * (self.share - before)
        return np.where(positive, wanted / before, (1 - wanted) / (1 - before))


def pool_weights(pool: LabelledRows, tilts: Sequence[Tilt], held: Sequence[str], hour: int) -> NDArray[np.float64]:
    """Return the probability of drawing each row in this hour, shape (n_rows,).

    The tilted weights are raked (iterative proportional fitting, Deming and Stephan 1940) until every held feature
    has the pool's own shares again. Weights depend on a row's features only, so the label's law stays.
    """
    active = [tilt for tilt in tilts if hour >= tilt.first_hour]
    weights = np.full(len(pool), 1 / len(pool))
    if not active:
        return weights
    weights = weights * np.exp(sum(tilt.log_weights(pool, hour) for tilt in active))
    groups = [_groups(pool.column(name)) for name in held]
    for _ in range(RAKING_ROUNDS if groups else 0):
        for group in groups:
            weights *= _shares(group, None)[group] / _shares(group, weights)[group]
    return np.asarray(weights / weights.sum())


def _shares(group: NDArray[np.int_], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return each group's share of the weights, or of the rows when there are none."""
    counts: NDArray[np.float64] = np.bincount(group, weights).astype(np.float64)
    return np.asarray(counts / counts.sum())


def _groups(cells: Sequence[str]) -> NDArray[np.int_]:
    """Return the number of each cell's group: its decile when the column is numeric, else its category."""
    numbers = _numbers(cells)
    if numbers is None:
        return _numbered(cells)
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, HELD_BINS + 1)[:-1]))
    bins = np.searchsorted(edges, numbers, "left")
    return _numbered(bins)


def _numbered(names: Sequence[str] | NDArray[np.int_]) -> NDArray[np.int_]:
    """Return each name's position among the sorted distinct names: no group is empty."""
    return np.asarray(np.unique(names, return_inverse=True)[1], np.int_)


def _standard_scores(cells: Sequence[str]) -> NDArray[np.float64]:
    numbers = _numbers(cells)
    if numbers is None:
        raise ValueError("a tilt without categories must name a numeric feature; name its categories")
    spread = np.nanstd(numbers) or 1.0
    scores = (numbers - np.nanmean(numbers)) / spread
    return np.clip(np.nan_to_num(scores), -Z_LIMIT, Z_LIMIT)


def _numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        return np.array([np.nan if cell in MISSING_TEXTS else float(cell) for cell in cells])
    except ValueError:
        return None
