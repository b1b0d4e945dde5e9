"""The population's labels: late, for some of the requests, for most of them once somebody asks for more."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from plumbline.labels import RequestLabels, label_files
from plumbline.labels_destination import store
from plumbline.rows import LabelledRows
from plumbline.traffic import ReplayPlan

DELAY_HOURS = 1
SAMPLED_FRACTION = 0.3
"""Share of the requests that are labelled as a matter of routine."""
ASKED_FRACTION = 0.9
"""The same once labels are asked for."""
_STREAM = 1
"""Keeps these draws apart from those of the traffic, which have the same seed."""


@dataclass(frozen=True)
class _Sent:
    hour: int
    plan: ReplayPlan
    rows: LabelledRows

    def answered(self, seed: int, fraction: float) -> list[int]:
        """Return the numbers of the requests whose labels come."""
        chance = np.random.default_rng([seed, self.hour, _STREAM]).random(self.plan.requests_per_hour)
        return np.flatnonzero(chance < fraction).tolist()

    def rows_of(self, request: int) -> range:
        first = request * self.plan.rows_per_request
        return range(first, min(first + self.plan.rows_per_request, len(self.rows)))


@dataclass
class LateLabels:
    """Delivers labels below `ground_truth_uri`; None: nowhere.

    `is_asked` says that somebody asked for more of them than a sample.
    """

    s3: Any
    ground_truth_uri: str | None
    seed: int
    is_asked: bool = False
    _waiting: deque[_Sent] = field(default_factory=deque)

    def sent(self, hour: int, plan: ReplayPlan, rows: LabelledRows) -> None:
        """Remember what was sent in an hour: a plan of one hour, and its rows with the labels that they deserve."""
        self._waiting.append(_Sent(hour, plan, rows))

    def deliver(self, hour: int, collected: datetime) -> None:
        """Deliver what is due at the end of an hour; `collected` is when its labels are known."""
        while self._waiting and self._waiting[0].hour <= hour - DELAY_HOURS:
            due = self._waiting.popleft()
            if self.ground_truth_uri is not None:
                store(label_files(self._labels(due, collected)), self.ground_truth_uri, lambda: self.s3)

    def _labels(self, due: _Sent, collected: datetime) -> Iterator[RequestLabels]:
        for request in due.answered(self.seed, ASKED_FRACTION if self.is_asked else SAMPLED_FRACTION):
            labels = tuple(due.rows.labels[row] for row in due.rows_of(request))
            yield RequestLabels(due.plan.inference_id(1, request), labels, collected)
