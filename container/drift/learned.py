"""What is learned once from the reference rows, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from contract.training import Task, task_of
from drift.counts import ValueCounts
from drift.table import FeatureSpec, Table


@dataclass(frozen=True, eq=False)
class LabelledTest:
    """The labelled test set, row for row: features, labels, and the model's probabilities of the positive class.

    `probabilities` has shape (n_rows,), each within 0 and 1; None when they were not given. Where the target has more
    than two classes they are those of the labels in `predicted`, row for row, which is None otherwise. Of a numeric
    target they are the predicted numbers themselves.
    """

    table: Table
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64] | None
    predicted: tuple[str, ...] | None = None

    @cached_property
    def task(self) -> Task:
        """What the model predicts."""
        return task_of(self.labels)


@dataclass(frozen=True, eq=False, kw_only=True)
class Baseline:
    """The reference: value counts of every feature of the training rows, and the labelled test set if there is one.

    `specs` is the payload's schema, in order; `counts` has one entry per spec. `target_label` is None when the
    reference has no target column, and `positive_label` also without a test set or when its target has not two classes.
    `sample` holds some of the training rows (`drift.row_sample`). `segments` has one entry per value of
    `segment_column`, each with one entry per spec; it is empty when no column is named.
    """

    target_label: str | None
    positive_label: str | None
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    counts: Mapping[str, ValueCounts]
    test: LabelledTest | None = None
    sample: Table | None = None
    segment_column: str | None = None
    segments: Mapping[str, Mapping[str, ValueCounts]] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What the model predicts; without a test set a probability is expected of it."""
        return self.test.task if self.test else Task.BINARY
