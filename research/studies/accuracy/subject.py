"""A model of ours with its baseline, and windows as the product counts them."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import xgboost
from dataset import LabelledTable
from numpy.typing import NDArray
from train import encode_labels, fit, learn_preprocessor, parse_hyperparameters

from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.data import choices as traffic_choices
from plumbline.data.rows import DataSplit, LabelledRows
from plumbline.drift.data.table import Table, transpose
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.preprocessing import Preprocessor
from plumbline.drift.read.capture import count_folder, count_window, plan_of
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.csv_inputs import infer_table, typed
from plumbline.drift.reference.learn import learn
from plumbline.traffic import payload

TARGET = "label"
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
    """A model trained on a split, which sees the features `seen`, and the baseline of all features."""

    name: str
    seed: int
    seen: tuple[str, ...]
    preprocessor: Preprocessor
    booster: xgboost.Booster
    baseline: Baseline

    @classmethod
    def of(cls, name: str, split: DataSplit, seed: int, seen: Sequence[str] | None = None) -> Self:
        """Train our model on the split's training part and learn the baseline with its test part.

        Parameters
        ----------
        seen
            The features that the model is trained on; all of them if None. The monitor sees all of them.
        """
        names = tuple(seen or split.train.header)
        train = LabelledTable(names, _restricted(split.train, names), split.train.labels)
        preprocessor = learn_preprocessor(train, TARGET)
        settings = parse_hyperparameters(["--target_label", TARGET, "--seed", str(seed), "--nthread", "1"])
        booster = fit(preprocessor.transform(train.rows), encode_labels(train.labels, preprocessor), settings)
        features = infer_table(split.train.header, transpose(split.train.rows, len(split.train.header)))
        probabilities = _probabilities(preprocessor, booster, _restricted(split.test, names))
        baseline = learn(
            train=features,
            target_label=TARGET,
            test=_table(features, split.test),
            test_labels=split.test.labels,
            probabilities=probabilities,
        )
        return cls(name, seed, names, preprocessor, booster, baseline)

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
        probabilities = _probabilities(self.preprocessor, self.booster, _restricted(rows, self.seen))
        positive = np.array([label == self.baseline.positive_label for label in rows.labels])
        table = _table(Table(self.baseline.specs, {}), rows)
        return LabelledWindow(self.counts(rows, probabilities), table, probabilities, positive)

    def counts(self, rows: LabelledRows, probabilities: NDArray[np.float64]) -> WindowCounts:
        """Write rows and answers as data capture does, and count them by the product's own reader."""
        with tempfile.TemporaryDirectory() as folder:
            lines = _capture(rows, probabilities)
            (Path(folder) / "capture.jsonl").write_text("".join(lines), encoding="utf-8")
            return count_window(partial(count_folder, Path(folder)), plan_of(self.baseline))


def _restricted(rows: LabelledRows, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    if tuple(names) == rows.header:
        return rows.rows
    places = [rows.header.index(name) for name in names]
    return tuple(tuple(row[place] for place in places) for row in rows.rows)


def _probabilities(
    preprocessor: Preprocessor, booster: xgboost.Booster, rows: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    answers = booster.inplace_predict(preprocessor.transform(rows))
    # As the endpoint writes them.
    return np.array([float(f"{answer:.9g}") for answer in answers], dtype=np.float64)


def _table(typed_as: Table, rows: LabelledRows) -> Table:
    columns = zip(typed_as.specs, transpose(rows.rows, len(rows.header)), strict=True)
    return Table(typed_as.specs, {spec.name: typed(spec, texts) for spec, texts in columns})


def _capture(rows: LabelledRows, probabilities: NDArray[np.float64]) -> Iterator[str]:
    for first in range(0, len(rows), _ROWS_PER_RECORD):
        chosen = slice(first, first + _ROWS_PER_RECORD)
        answers = "\n".join(map(repr, probabilities[chosen].tolist()))
        sides = {
            "endpointInput": _side("INPUT", payload.encode(rows.rows[chosen], traffic_choices.CSV_TYPE).decode()),
            "endpointOutput": _side("OUTPUT", answers),
        }
        event = {"eventId": str(first), "inferenceTime": "2026-01-31T13:00:00Z"}
        yield json.dumps({"captureData": sides, "eventMetadata": event, "eventVersion": "0"}) + "\n"


def _side(mode: str, data: str) -> dict[str, Any]:
    return {"observedContentType": traffic_choices.CSV_TYPE, "mode": mode, "data": data, "encoding": "CSV"}
