"""One stream made ready: the files that a user learns the baseline from, and the model's answers in production."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import DECISION_THRESHOLD, PROBABILITY_COLUMN
from plumbline.drift.data.table import Table, transpose
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.csv_inputs import ReferenceFiles, typed
from plumbline.drift.reference.history import HistoryRows
from research.studies.model import TARGET, TrainedModel
from research.studies.streams.sources import ORIGINS, TIME_COLUMN, Stream


@dataclass(frozen=True, eq=False)
class StreamSubject:
    """A stream, the model's probability of the positive class of each row, and its baseline with history or without.

    `probabilities` has shape (n_rows,); it is 0 for the rows that the model was trained on.
    """

    stream: Stream
    probabilities: NDArray[np.float64]
    baseline: Baseline

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each row's prediction is right, shape (n_rows,)."""
        positive = np.array(self.stream.rows.labels) == self.baseline.positive_label
        right: NDArray[np.bool_] = (self.probabilities >= DECISION_THRESHOLD) == positive
        return right

    @property
    def reference_accuracy(self) -> float:
        """The model's accuracy on the labelled test set, 0..1."""
        return float(self.right[self.stream.source.n_train : self.stream.n_known].mean())


def answers(stream: Stream, seed: int) -> NDArray[np.float64]:
    """Return the answers of a model that was trained on the stream's first rows, 0 for those; shape (n_rows,)."""
    n_train = stream.source.n_train
    model = TrainedModel.of(stream.part(0, n_train), seed)
    later = model.probabilities(stream.part(n_train, len(stream.rows)))
    return np.concatenate([np.zeros(n_train), later])


def past_answers(stream: Stream, seed: int) -> tuple[int, NDArray[np.float64]]:
    """Return what models of the past answered the known rows that came after they were trained (`ORIGINS`).

    Returns
    -------
    tuple
        The first row that has such an answer, and the answers from it to the last known row.
    """
    ends = [round(fraction * stream.n_known) for fraction in (*ORIGINS, 1.0)]
    parts = [
        TrainedModel.of(stream.part(0, first), seed).probabilities(stream.part(first, end))
        for first, end in zip(ends, ends[1:], strict=False)
    ]
    return ends[0], np.concatenate(parts)


def write_reference(stream: Stream, probabilities: NDArray[np.float64], folder: Path) -> ReferenceFiles:
    """Write training rows, test rows and the model's answers to these; return them."""
    n_train, n_known = stream.source.n_train, stream.n_known
    train, test, predictions = (folder / f"{name}.csv" for name in ("train", "test", "predictions"))
    stream.part(0, n_train).write_csv(train, TARGET)
    stream.part(n_train, n_known).write_csv(test, TARGET)
    _write(predictions, [[PROBABILITY_COLUMN], *([repr(one)] for one in probabilities[n_train:n_known].tolist())])
    return ReferenceFiles(train=train, test=test, predictions=predictions, target_label=TARGET)


def past_rows(stream: Stream, baseline: Baseline, seed: int) -> HistoryRows:
    """Return the labelled rows of the past with what was answered out of sample, typed as the baseline's."""
    first, probabilities = past_answers(stream, seed)
    part, specs = stream.part(first, stream.n_known), baseline.specs
    columns = transpose(part.rows, len(specs))
    table = Table(specs, {spec.name: typed(spec, texts) for spec, texts in zip(specs, columns, strict=True)})
    return HistoryRows(
        table=table, times=stream.times[first : stream.n_known], labels=part.labels, probabilities=probabilities
    )


def write_history(stream: Stream, seed: int, path: Path) -> None:
    """Write the labelled rows of the past with their times and what was answered out of sample."""
    first, probabilities = past_answers(stream, seed)
    part = stream.part(first, stream.n_known)
    times = stream.times[first : stream.n_known]
    rows = zip(times, part.rows, part.labels, probabilities.tolist(), strict=True)
    header = [TIME_COLUMN, *part.header, TARGET, PROBABILITY_COLUMN]
    _write(path, [header, *([time, *row, label, repr(one)] for time, row, label, one in rows)])


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
