"""Populations of known truth: what the labels depend on, and what the model sees of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.records import FeatureType, RecordCounts, WindowBounds
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows
from plumbline.drift.reference.learn import learn
from tests.oracles.counted_rows import CapturedWindow, count_rows

Floats = NDArray[np.float64]
SPECS = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("group", FeatureType.CATEGORICAL))
GROUPS = ("common", "rare")


@dataclass(frozen=True, eq=False)
class Rows:
    table: Table
    chance: Floats
    """The true probability of a positive label, shape (n_rows,)."""
    scores: Floats
    positive: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        return float(np.mean((self.scores >= 0.5) == self.positive))

    @property
    def x(self) -> Floats:
        return np.asarray(self.table.columns["x"], dtype=np.float64)

    def kept(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        columns = {name: column[chosen] for name, column in self.table.columns.items()}
        return Rows(Table(SPECS, columns), self.chance[chosen], self.scores[chosen], self.positive[chosen])


def draw(n: int, seed: int, *, rare: float = 0.5, blind: bool = False, power: float = 1.0) -> Rows:
    """Draw rows; the labels of the rare group are a toss-up, which a `blind` model does not know.

    `power` above 1 moves x to its lower end, below 1 to its upper.
    """
    random = np.random.default_rng(seed)
    x = random.uniform(size=n) ** power
    in_rare = random.uniform(size=n) < rare
    of_common = 1 / (1 + np.exp(-8 * (x - 0.5)))
    chance = np.where(in_rare, 0.5 + 0.2 * (of_common - 0.5), of_common)
    scores = (of_common + 0.5 + 0.2 * (of_common - 0.5)) / 2 if blind else chance
    groups = np.array(GROUPS, dtype=object)[in_rare.astype(int)]
    return Rows(Table(SPECS, {"x": x, "group": groups}), chance, scores, random.uniform(size=n) < chance)


def baseline_of(rows: Rows) -> Baseline:
    labels = [("no", "yes")[int(positive)] for positive in rows.positive]
    return learn(train=rows.table, target_label="y", test=rows.table, test_labels=labels, probabilities=rows.scores)


def counted(baseline: Baseline, rows: Rows) -> WindowCounts:
    n = rows.table.n_rows
    return count_rows(baseline, CapturedWindow(WindowBounds(), rows.table, rows.scores, RecordCounts(n, n)))


def wandering(n: int, seed: int, *, points: float, period: float) -> Rows:
    """Draw rows of whose labels more or less are turned round as time goes by: the accuracy goes up and down.

    `points` of accuracy to either side in a sine of `period` rows; rows are like those before.
    """
    rows, random = draw(n, seed), np.random.default_rng([seed, 1])
    # To turn round a fraction f of the labels takes f times (2 accuracy - 1) off the accuracy.
    scale = points / 100 / (2 * float(np.mean(np.maximum(rows.chance, 1 - rows.chance))) - 1)
    turned = random.uniform(size=n) < scale * (1 + np.sin(2 * np.pi * np.arange(n) / period))
    return Rows(rows.table, rows.chance, rows.scores, np.where(turned, ~rows.positive, rows.positive))


def past_of(rows: Rows) -> HistoryRows:
    labels = np.where(rows.positive, "yes", "no").tolist()
    start = np.datetime64("2026-01-01T00:00:00")
    times = [f"{start + np.timedelta64(place, 'm')}Z" for place in range(len(labels))]
    return HistoryRows(table=rows.table, times=times, labels=tuple(labels), probabilities=rows.scores)
