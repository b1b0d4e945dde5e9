"""Worlds whose law is known: rows that come one by one, in clumps, or by day and night; and what is done to windows.

The label of a row has the same law in every world and at every time, unless a change turns it round.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from plumbline.data import population
from plumbline.data.resampling import Z_LIMIT
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.times import format_time

N_POOL = 60_000
ROWS_PER_HOUR = 100
CLUMP_ROWS = 60
CLUMP_DEVIATION = 0.5
"""Of the means of a clump's rows, in standard deviations of the rows."""
DAY_DEVIATION = 0.5
WEEKEND_DEVIATION = 0.5
_START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday."""
_TILTED = ("age", "education-num", "hours-per-week")
_HOURS_OF_DAY, _DAYS_OF_WEEK, _FIRST_DAY_OF_WEEKEND = 24, 7, 5


class Arrival(StrEnum):
    """How rows come, by no drift at all."""

    SINGLY = "one by one"
    CLUMPED = "in clumps"
    RHYTHMIC = "day and night"
    WEEKLY = "day and night, weekends"


@dataclass(frozen=True, eq=False)
class Pool:
    """Rows to draw from, with the standard scores of the features that are tilted, each of shape (n_rows,)."""

    rows: LabelledRows
    scores: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, seed: int, n_rows: int = N_POOL) -> "Pool":
        """Draw the pool from the synthetic population."""
        rows = population.generate(n_rows, seed)
        names = [name for name in rows.header if _is_number(rows.rows[0][rows.header.index(name)])]
        return cls(rows, {name: _scores(rows.column(name)) for name in names})

    def weights(self, tilts: Mapping[str, float]) -> NDArray[np.float64]:
        """Return each row's chance to be drawn where features' means are moved by about so many deviations."""
        logs = sum((strength * self.scores[name] for name, strength in tilts.items()), np.zeros(len(self.rows)))
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def draw(self, tilts: Mapping[str, float], n_rows: int, random: np.random.Generator) -> NDArray[np.intp]:
        """Return the places of rows that are drawn with replacement."""
        if not tilts:
            return np.asarray(random.integers(len(self.rows), size=n_rows), np.intp)
        edges = np.cumsum(self.weights(tilts))
        return np.asarray(np.searchsorted(edges, random.random(n_rows) * edges[-1]), np.intp)


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").isdigit()


def _scores(cells: tuple[str, ...]) -> NDArray[np.float64]:
    numbers = np.array(cells, dtype=np.float64)
    return np.asarray(np.clip((numbers - numbers.mean()) / numbers.std(), -Z_LIMIT, Z_LIMIT))


def arriving(
    arrival: Arrival, pool: Pool, n_rows: int, random: np.random.Generator, first_row: int = 0
) -> LabelledRows:
    """Return rows in the order in which they come; `first_row` is the number of rows that came before."""
    if arrival is Arrival.SINGLY:
        return pool.rows.take(pool.draw({}, n_rows, random).tolist())
    size = CLUMP_ROWS if arrival is Arrival.CLUMPED else ROWS_PER_HOUR
    places = []
    for first in range(first_row, first_row + n_rows, size):
        if arrival is Arrival.CLUMPED:
            tilts = dict(zip(_TILTED, random.normal(0, CLUMP_DEVIATION, len(_TILTED)).tolist(), strict=True))
        else:
            tilts = hour_tilts(arrival, first // ROWS_PER_HOUR)
        places.append(pool.draw(tilts, min(size, first_row + n_rows - first), random))
    return pool.rows.take(np.concatenate(places).tolist())


def hour_tilts(arrival: Arrival, hour: int) -> dict[str, float]:
    """Return how the mix of an hour's rows differs: ages by the hour of the day, hours of work at weekends."""
    if arrival not in {Arrival.RHYTHMIC, Arrival.WEEKLY}:
        return {}
    angle = 2 * np.pi * (hour % _HOURS_OF_DAY) / _HOURS_OF_DAY
    day = hour // _HOURS_OF_DAY % _DAYS_OF_WEEK
    ages = {"age": DAY_DEVIATION * float(np.sin(angle))}
    is_weekend = arrival is Arrival.WEEKLY and day >= _FIRST_DAY_OF_WEEKEND
    return {**ages, "hours-per-week": WEEKEND_DEVIATION} if is_weekend else ages


def times(n_rows: int) -> tuple[str, ...]:
    """Return when rows come: `ROWS_PER_HOUR`."""
    step = timedelta(hours=1) / ROWS_PER_HOUR
    return tuple(format_time(_START + place * step) for place in range(n_rows))


Change = Callable[[LabelledRows, np.random.Generator], LabelledRows]


@dataclass(frozen=True)
class WindowChange:
    """What is done to a window's rows: `tilts` move means of features, `harder` prefers rows of uncertain labels.

    `changed` alters the rows that were drawn.
    """

    name: str
    tilts: Mapping[str, float] = field(default_factory=dict)
    harder: float = 0.0
    changed: Change | None = None

    def rows(self, pool: Pool, n_rows: int, random: np.random.Generator) -> LabelledRows:
        """Draw a window's rows and change them."""
        weights = pool.weights(self.tilts)
        if self.harder:
            chance = population.true_probabilities(pool.rows)
            weights = weights * np.exp(self.harder * (1 - np.abs(2 * chance - 1)))
        drawn = pool.rows.take(random.choice(len(weights), n_rows, p=weights / weights.sum()).tolist())
        return drawn if self.changed is None else self.changed(drawn, random)


def _shuffled(rows: LabelledRows, random: np.random.Generator) -> LabelledRows:
    """Return the rows with marital status and age dealt out anew: every column is as before, the rows are not."""
    for name in ("age", "marital-status"):
        cells = rows.column(name)
        rows = rows.with_column(name, [cells[place] for place in random.permutation(len(cells))])
    return rows


def _turned(fraction: float) -> Change:
    """Return what turns the labels of so many rows round."""

    def changed(rows: LabelledRows, random: np.random.Generator) -> LabelledRows:
        first, last = sorted(set(rows.labels))
        other = {first: last, last: first}
        hit = random.random(len(rows)) < fraction
        labels = (other[label] if is_hit else label for label, is_hit in zip(rows.labels, hit.tolist(), strict=True))
        return LabelledRows(rows.header, rows.rows, tuple(labels))

    return changed


SMALL_SHIFTS = dict.fromkeys(("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"), 0.2)
"""Each below the threshold of its feature."""
CHANGES = (
    WindowChange("six features by 0.2 SD each", tilts=SMALL_SHIFTS),
    WindowChange("columns as before, rows dealt anew", changed=_shuffled),
    WindowChange("harder rows", harder=0.5),
    WindowChange("much harder rows", harder=1.5),
    WindowChange("5 % of the labels turned", changed=_turned(0.05)),
    WindowChange("10 % of the labels turned", changed=_turned(0.10)),
)
"""What rows, predictions or labels show, and no single feature."""
