"""The population's labels: late, for most of the requests, as ground truth and as rows to train on."""

import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from contract.names import Prefix
from plumbline.census import TARGET
from plumbline.labels import RequestLabels, label_files
from plumbline.labels_destination import store
from plumbline.rows import LabelledRows
from plumbline.traffic import Plan

DELAY_HOURS = 1
ANSWERED_FRACTION = 0.9
"""Share of the requests for which labels come at all."""
_STREAM = 1
"""Keeps these draws apart from those of the traffic, which have the same seed."""


@dataclass(frozen=True)
class _Sent:
    hour: int
    plan: Plan
    rows: LabelledRows

    def answered(self, seed: int) -> list[int]:
        """Return the numbers of the requests whose labels come."""
        chance = np.random.default_rng([seed, self.hour, _STREAM]).random(self.plan.requests_per_hour)
        return np.flatnonzero(chance < ANSWERED_FRACTION).tolist()

    def rows_of(self, request: int) -> range:
        first = request * self.plan.rows_per_request
        return range(first, min(first + self.plan.rows_per_request, len(self.rows)))


@dataclass
class LateLabels:
    """Delivers labels below `ground_truth_uri`, None: nowhere, and below the fresh rows of `fresh_bucket`."""

    s3: Any
    ground_truth_uri: str | None
    fresh_bucket: str
    seed: int
    _waiting: deque[_Sent] = field(default_factory=deque)

    def sent(self, hour: int, plan: Plan, rows: LabelledRows) -> None:
        """Remember what was sent in an hour: a plan of one hour, and its rows with the labels that they deserve."""
        self._waiting.append(_Sent(hour, plan, rows))

    def deliver(self, hour: int, collected: datetime) -> None:
        """Deliver what is due at the end of an hour; `collected` is when its labels are known."""
        while self._waiting and self._waiting[0].hour <= hour - DELAY_HOURS:
            due = self._waiting.popleft()
            if self.ground_truth_uri is not None:
                store(label_files(self._labels(due, collected)), self.ground_truth_uri, lambda: self.s3)
            self._add_fresh_rows(due)

    def _labels(self, due: _Sent, collected: datetime) -> Iterator[RequestLabels]:
        for request in due.answered(self.seed):
            labels = tuple(due.rows.labels[row] for row in due.rows_of(request))
            yield RequestLabels(due.plan.inference_id(1, request), labels, collected)

    def _add_fresh_rows(self, due: _Sent) -> None:
        labelled = due.rows.take(row for request in due.answered(self.seed) for row in due.rows_of(request))
        if not labelled.rows:
            return
        name = f"hour-{due.hour:02d}.csv"
        with tempfile.TemporaryDirectory() as folder:
            labelled.write_csv(Path(folder, name), TARGET)
            self.s3.upload_file(str(Path(folder, name)), self.fresh_bucket, f"{Prefix.FRESH_DATA}/{name}")
