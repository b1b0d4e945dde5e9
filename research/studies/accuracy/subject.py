"""A model of ours with its baseline, and windows as the product counts them."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.data.rows import DataSplit, LabelledRows
from plumbline.drift.data.table import Table, transpose
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.read.capture import count_folder, count_window, plan_of
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.csv_inputs import infer_table, typed
from plumbline.drift.reference.learn import learn
from research.studies.model import TARGET, TrainedModel, capture_line

_ROWS_PER_RECORD = 1_000


@dataclass(frozen=True, eq=False)
class LabelledWindow:
    """A window that has its labels already.

    `table` holds its rows as the baseline's types, `probabilities` and `positive` have shape (n_rows,).
    """

    counts: WindowCounts
    table: Table
    probabilities: NDArray[np.float64]
    positive: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """Fraction of the rows whose prediction is right, 0..1."""
        return float(np.mean((self.probabilities >= DECISION_THRESHOLD) == self.positive))


@dataclass(frozen=True, eq=False)
class Subject:
    """A model trained on a split, and the baseline of all features."""

    name: str
    seed: int
    model: TrainedModel
    baseline: Baseline

    @classmethod
    def of(cls, name: str, split: DataSplit, seed: int, seen: Sequence[str] | None = None) -> Self:
        """Train our model on the split's training part and learn the baseline with its test part.

        Parameters
        ----------
        seen
            The features that the model is trained on; all of them if None. The monitor sees all of them.
        """
        model = TrainedModel.of(split.train, seed, seen)
        features = infer_table(split.train.header, transpose(split.train.rows, len(split.train.header)))
        baseline = learn(
            train=features,
            target_label=TARGET,
            test=_table(features, split.test),
            test_labels=split.test.labels,
            probabilities=model.probabilities(split.test),
        )
        return cls(name, seed, model, baseline)

    @property
    def test_accuracy(self) -> float:
        """The model's accuracy on the labelled test set, 0..1."""
        test = self.baseline.test
        if test is None or test.probabilities is None:
            raise ValueError("baseline must have a labelled test set with probabilities, got none; learn it with both")
        positive = np.array([label == self.baseline.positive_label for label in test.labels])
        return float(np.mean((test.probabilities >= DECISION_THRESHOLD) == positive))

    def window(self, rows: LabelledRows) -> LabelledWindow:
        """Let the model answer the rows, and count what is captured of that."""
        probabilities = self.model.probabilities(rows)
        positive = np.array([label == self.baseline.positive_label for label in rows.labels])
        table = _table(Table(self.baseline.specs, {}), rows)
        return LabelledWindow(self.counts(rows, probabilities), table, probabilities, positive)

    def counts(self, rows: LabelledRows, probabilities: NDArray[np.float64]) -> WindowCounts:
        """Write rows and answers as data capture does, and count them by the product's own reader."""
        with tempfile.TemporaryDirectory() as folder:
            lines = _capture(rows, probabilities)
            (Path(folder) / "capture.jsonl").write_text("".join(lines), encoding="utf-8")
            return count_window(partial(count_folder, Path(folder)), plan_of(self.baseline))


def _table(typed_as: Table, rows: LabelledRows) -> Table:
    columns = zip(typed_as.specs, transpose(rows.rows, len(rows.header)), strict=True)
    return Table(typed_as.specs, {spec.name: typed(spec, texts) for spec, texts in columns})


def _capture(rows: LabelledRows, probabilities: NDArray[np.float64]) -> Iterator[str]:
    for first in range(0, len(rows), _ROWS_PER_RECORD):
        chosen = slice(first, first + _ROWS_PER_RECORD)
        yield capture_line(rows.rows[chosen], probabilities[chosen].tolist(), str(first), "2026-01-31T13:00:00Z")
