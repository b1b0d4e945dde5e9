"""Known changes of one feature's distribution, everything else untouched."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.jensen_shannon import jensen_shannon_distance
from research.studies.calibration.population import Frequencies, Population

_ROWS_FOR_THE_TRUE_EFFECT = 1_000_000
_MAX_TILT = 5.0

NEW_LABEL = "A label of tomorrow"
"""A category that no row of the population has."""


class ChangeMeasure(StrEnum):
    """What the product puts a threshold to."""

    DISTANCE = "Jensen-Shannon distance"
    MISSING = "rise of the missing fraction"


@dataclass(frozen=True, eq=False)
class KnownShift:
    """A window whose cells of one feature are drawn from `shares` instead of the population's own shares.

    `shares` has shape (n_levels + 1,), the last place being the missing cells. `size` is the change in words, and
    `effect` its effect between the two populations, in the product's own `measure`.
    """

    feature: str
    size: str
    shares: NDArray[np.float64]
    measure: ChangeMeasure
    effect: float

    def apply(self, window: Frequencies, random: np.random.Generator) -> Frequencies:
        """Return the window with this feature's cells drawn anew, as many as there were rows."""
        n = int(window[self.feature].sum())
        return {**window, self.feature: random.multinomial(n, self.shares).astype(np.int64)}


def tilt(population: Population, feature: str, deviations: float) -> KnownShift:
    """Move a numeric feature's mean by so many of its standard deviations.

    Larger values become likelier by the factor exp(strength * value): the values stay those of the population, ties
    and all, as when the mix of clients changes.
    """
    levels = np.asarray(population.levels[feature], dtype=np.float64)
    before = _shares(population, feature)
    present = before[:-1] / before[:-1].sum()
    scores = levels - present @ levels
    scores = scores / math.sqrt(present @ scores**2)

    def tilted(strength: float) -> NDArray[np.float64]:
        weights = present * np.exp(strength * scores - strength * scores.max())
        return np.asarray(weights / weights.sum())

    strength = brentq(lambda s: float(tilted(s) @ scores) - deviations, 0.0, _MAX_TILT)
    after = np.append(tilted(strength) * before[:-1].sum(), before[-1])
    return _shift(population, feature, f"mean +{deviations:g} SD", after)


def move(population: Population, feature: str, label: str, points: float, *, source: str) -> KnownShift:
    """Let the label `source` become `label` in so many percent of all rows; the rest of the feature stays."""
    levels = population.levels[feature].tolist()
    after = _shares(population, feature)
    moved = min(points / 100, after[levels.index(source)])
    after[levels.index(source)] -= moved
    after[levels.index(label)] += moved
    return _shift(population, feature, f"{label} +{points:g} points", after)


def new_label(population: Population, feature: str, percent: float) -> KnownShift:
    """Let `NEW_LABEL` take the place of so many percent of the feature's values."""
    after = _shares(population, feature)
    present = 1 - after[-1]
    after[:-1] *= 1 - percent / 100
    after[population.levels[feature].tolist().index(NEW_LABEL)] += present * percent / 100
    return _shift(population, feature, f"new label in {percent:g} %", after)


def missing(population: Population, feature: str, points: float) -> KnownShift:
    """Let so many percent of all cells go missing besides, whatever their value."""
    after = _shares(population, feature)
    after[:-1] *= 1 - points / 100 / (1 - after[-1])
    after[-1] += points / 100
    return _shift(population, feature, f"missing +{points:g} points", after)


def _shares(population: Population, feature: str) -> NDArray[np.float64]:
    return population.frequencies[feature] / population.n_rows


def _shift(population: Population, feature: str, size: str, after: NDArray[np.float64]) -> KnownShift:
    before = _shares(population, feature)
    if after[-1] != before[-1]:
        return KnownShift(feature, size, after, ChangeMeasure.MISSING, float(after[-1] - before[-1]))
    sides = [
        {**population.frequencies, feature: np.round(shares * _ROWS_FOR_THE_TRUE_EFFECT).astype(np.int64)}
        for shares in (before, after)
    ]
    cells = Cells.between(*(population.counts(side)[feature] for side in sides))
    return KnownShift(feature, size, after, ChangeMeasure.DISTANCE, jensen_shannon_distance(cells))


def studied(population: Population) -> list[KnownShift]:
    """Return the changes whose detection is measured; `population` has `NEW_LABEL` among its occupations."""
    return [
        *(tilt(population, "age", size) for size in (0.05, 0.1, 0.2, 0.3, 0.5)),
        *(tilt(population, "hours-per-week", size) for size in (0.2, 0.3, 0.5)),
        *(move(population, "sex", "Female", points, source="Male") for points in (5, 10, 20)),
        *(move(population, "native-country", "Mexico", points, source="United-States") for points in (2, 5, 10)),
        *(new_label(population, "occupation", percent) for percent in (1, 2, 5, 20)),
        *(missing(population, "workclass", points) for points in (2, 7, 20)),
    ]
