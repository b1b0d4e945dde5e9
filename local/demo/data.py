"""The population behind the demo's traffic, Census Income or a synthetic one, and its labels, which come late."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from plumbline.data import census, population
from plumbline.data.rows import DataSplit, LabelledRows
from plumbline.labels.destination import store
from plumbline.labels.records import RequestLabels, label_files
from plumbline.traffic.replay import ReplayPlan

CENSUS = "census"
SYNTHETIC = "synthetic"

TRAIN_FILE = "train.csv"
TEST_FILE = "test.csv"

SYNTHETIC_TRAIN_ROWS = 18_000
SYNTHETIC_TEST_ROWS = 5_000
SYNTHETIC_POOL_ROWS = 36_000


@dataclass(frozen=True)
class DemoData:
    """Rows to train on, to test on and to draw traffic from; `origin` is their source for people."""

    source: str
    origin: str
    rows: DataSplit


def choose(folder: Path | None, *, synthetic: bool, seed: int) -> DemoData:
    """Find the data.

    Parameters
    ----------
    folder
        The person's own copy of Census Income; it is an error when it is not one.
    synthetic
        Do not search for Census Income at all.

    Raises
    ------
    ValueError
        If the given folder lacks a file or holds other bytes than the archive's.
    """
    found = None if synthetic else census.acquire(folder)
    if found is not None:
        return DemoData(CENSUS, f"UCI Census Income from {found.origin}", census.split(found, seed))
    rows = population.split(seed, n_train=SYNTHETIC_TRAIN_ROWS, n_test=SYNTHETIC_TEST_ROWS, n_pool=SYNTHETIC_POOL_ROWS)
    why = "--synthetic" if synthetic else "Census Income is not available; give a folder with --data"
    return DemoData(SYNTHETIC, f"a synthetic census-like population ({why})", rows)


def halves(pool: LabelledRows, seed: int) -> tuple[LabelledRows, LabelledRows]:
    """Divide the pool at random into two parts without a common row; the first has one more of an odd number."""
    order = np.random.default_rng([seed, len(pool)]).permutation(len(pool)).tolist()
    return pool.take(sorted(order[::2])), pool.take(sorted(order[1::2]))


DELAY_HOURS = 1
SAMPLED_FRACTION = 0.3
"""Fraction of the requests that are labelled by routine."""
REQUESTED_FRACTION = 0.9
"""The same once more labels are requested."""
_STREAM = 1
"""Keeps these draws apart from those of the traffic, which have the same seed."""


@dataclass(frozen=True)
class _Sent:
    hour: int
    plan: ReplayPlan
    rows: LabelledRows

    def labelled_requests(self, seed: int, fraction: float) -> list[int]:
        """Return the numbers of the requests whose labels come."""
        chance = np.random.default_rng([seed, self.hour, _STREAM]).random(self.plan.requests_per_hour)
        return np.flatnonzero(chance < fraction).tolist()

    def rows_of(self, request: int) -> range:
        first = request * self.plan.rows_per_request
        return range(first, min(first + self.plan.rows_per_request, len(self.rows)))


@dataclass
class LateLabels:
    """Delivers labels below `ground_truth_uri`; None: nowhere.

    `are_requested`: the controller needs more of them than the routine sample.
    """

    s3: Any
    ground_truth_uri: str | None
    seed: int
    are_requested: bool = False
    _waiting: deque[_Sent] = field(default_factory=deque)

    def sent(self, hour: int, plan: ReplayPlan, rows: LabelledRows) -> None:
        """Remember what was sent in an hour: a plan of one hour, and its rows with their true labels."""
        self._waiting.append(_Sent(hour, plan, rows))

    def deliver(self, hour: int, collected: datetime) -> None:
        """Deliver what is due at the end of an hour; `collected` is when its labels are known."""
        while self._waiting and self._waiting[0].hour <= hour - DELAY_HOURS:
            due = self._waiting.popleft()
            if self.ground_truth_uri is not None:
                store(label_files(self._labels(due, collected)), self.ground_truth_uri, lambda: self.s3)

    def _labels(self, due: _Sent, collected: datetime) -> Iterator[RequestLabels]:
        for request in due.labelled_requests(self.seed, REQUESTED_FRACTION if self.are_requested else SAMPLED_FRACTION):
            labels = tuple(due.rows.labels[row] for row in due.rows_of(request))
            yield RequestLabels(due.plan.inference_id(1, request), labels, collected)
