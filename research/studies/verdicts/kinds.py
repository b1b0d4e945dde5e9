"""Every verdict of a run, by `plumbline monitor` from files: how often it is drift without a reason, and with one."""

import csv
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from plumbline.contract.accuracy import Shift
from plumbline.contract.reasons import ReasonCode, has_code
from plumbline.contract.records import DriftReport, Verdict
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.projection.learn_history import learn_reference
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from research.studies.model import TARGET, TrainedModel
from research.studies.streams.replay import Replay
from research.studies.streams.sources import TIME_COLUMN, Stream, StreamSource
from research.studies.streams.subject import StreamSubject
from research.studies.verdicts.worlds import CHANGES, Arrival, Pool, WindowChange, arriving, times

_log = logging.getLogger(__name__)

NO_CHANGE = "none"
"""The name of what is done to a window of which nothing is."""
_Verdict = Callable[[DriftReport], Verdict]


def _feature(*codes: ReasonCode) -> _Verdict:
    """Return the verdict of a report's features by the reasons that have one of these codes."""

    def verdict(report: DriftReport) -> Verdict:
        drifted = [one for one in report.features if one.verdict is Verdict.DRIFT]
        if any(has_code(one.reason, *codes) for one in drifted):
            return Verdict.DRIFT
        judged = any(one.verdict is not Verdict.NOT_JUDGED for one in report.features)
        return Verdict.NO_DRIFT if judged else Verdict.NOT_JUDGED

    return verdict


def _of_labels(kind: Shift | None) -> _Verdict:
    def verdict(report: DriftReport) -> Verdict:
        found = report.quality.windows[-1]
        return found.verdict if kind is None else found.shift(kind).verdict

    return verdict


KINDS: Mapping[str, _Verdict] = {
    "features": lambda report: report.verdict,
    "distribution": _feature(ReasonCode.DISTRIBUTION_DRIFTED),
    "missing values": _feature(ReasonCode.MISSING_FRACTION_MOVED),
    "tail and range": _feature(ReasonCode.OUT_OF_RANGE, ReasonCode.HEAVIER_TAIL),
    "prediction": lambda report: report.prediction.verdict,
    "whole rows": lambda report: report.multivariate.verdict,
    "projected drop": lambda report: report.projected_accuracy.verdict,
    "quality": _of_labels(None),
    "concept shift": _of_labels(Shift.CONCEPT),
}
"""Verdicts by name, each from a report."""


@dataclass(frozen=True, kw_only=True)
class VerdictTally:
    """Windows of one size, all drawn alike; counts by the name of the verdict.

    `arrival` is how rows come in the past and in the window, `change` what was done to the window's rows. `enough`
    says whether the past had enough windows to be held against. `held` counts the intervals of the projected accuracy
    that hold the realised one, of `estimated` ones.
    """

    arrival: str
    history: bool
    change: str
    n_window: int
    n_windows: int
    drifts: Mapping[str, int] = field(default_factory=dict)
    not_judged: Mapping[str, int] = field(default_factory=dict)
    held: int = 0
    estimated: int = 0


@dataclass(frozen=True)
class VerdictExtent:
    """How much is run: windows by their rows, without a change and with one; and the rows of each part of a world."""

    unchanged: Mapping[int, int]
    changed: Mapping[int, int]
    n_train: int = 10_000
    n_past: int = 40_000
    n_test: int = 4_000


FULL = VerdictExtent({300: 40, 1_000: 40, 5_000: 20, 20_000: 10}, {300: 20, 1_000: 20, 5_000: 10, 20_000: 5})
SHORT = VerdictExtent({}, {}, 4_000, 12_000, 2_500)
QUICK = VerdictExtent({300: 4}, {300: 2}, 2_000, 6_000, 1_000)


@dataclass(frozen=True, eq=False)
class World:
    """A model in a world with its past: rows that were trained on, then `n_past` of which the last are the test set."""

    arrival: Arrival
    pool: Pool
    known: LabelledRows
    model: TrainedModel
    extent: VerdictExtent
    seed: int

    @classmethod
    def of(cls, arrival: Arrival, extent: VerdictExtent, seed: int) -> "World":
        """Let rows come, and train the model on the first of them."""
        pool = Pool.of(seed)
        known = arriving(arrival, pool, extent.n_train + extent.n_past, np.random.default_rng([seed, 0]))
        model = TrainedModel.of(known.take(range(extent.n_train)), seed)
        return cls(arrival, pool, known, model, extent, seed)

    def subject(self, production: LabelledRows, *, history: bool) -> StreamSubject:
        """Return the model with its baseline, and the rows to judge."""
        rows = LabelledRows(self.known.header, self.known.rows + production.rows, self.known.labels + production.labels)
        n_train, n_known = self.extent.n_train, len(self.known)
        stream = Stream(StreamSource(str(self.arrival), "", TARGET, n_train, n_known - n_train), times(len(rows)), rows)
        later = self.model.probabilities(rows.take(range(n_train, len(rows))))
        probabilities = np.concatenate([np.zeros(n_train), later])
        with temporary_folder() as folder:
            files = self._write(stream, probabilities.tolist(), folder)
            if not history:
                files = replace(files, history=None, time_column=None)
            return StreamSubject(stream, probabilities, learn_reference(files))

    def _write(self, stream: Stream, probabilities: Sequence[float], folder: Path) -> ReferenceFiles:
        n_train, n_known = self.extent.n_train, len(self.known)
        first_test = n_known - self.extent.n_test
        stream.part(0, n_train).write_csv(folder / "train.csv", TARGET)
        stream.part(first_test, n_known).write_csv(folder / "test.csv", TARGET)
        _write_csv(
            folder / "predictions.csv",
            [[PROBABILITY_COLUMN], *([repr(one)] for one in probabilities[first_test:n_known])],
        )
        past = stream.part(n_train, n_known)
        lines = zip(stream.times[n_train:n_known], past.rows, past.labels, probabilities[n_train:n_known], strict=True)
        _write_csv(
            folder / "history.csv",
            [
                [TIME_COLUMN, *past.header, TARGET, PROBABILITY_COLUMN],
                *([time, *row, label, repr(one)] for time, row, label, one in lines),
            ],
        )
        return ReferenceFiles(
            train=folder / "train.csv",
            test=folder / "test.csv",
            predictions=folder / "predictions.csv",
            target_label=TARGET,
            history=folder / "history.csv",
            time_column=TIME_COLUMN,
        )


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


@dataclass(frozen=True)
class VerdictTask:
    """The windows of one world, without a change or with each of `CHANGES`."""

    arrival: Arrival
    history: bool
    is_changed: bool
    extent: VerdictExtent
    seed: int

    def tallies(self) -> list[VerdictTally]:
        """Judge the windows of every size."""
        started = time.monotonic()
        world = World.of(self.arrival, self.extent, self.seed)
        found = list(self._changed(world) if self.is_changed else self._unchanged(world))
        _log.info("%s, history %s: %.0f s", self.arrival, self.history, time.monotonic() - started)
        return found

    def _unchanged(self, world: World) -> Iterator[VerdictTally]:
        n_rows = max(size * number for size, number in self.extent.unchanged.items())
        random = np.random.default_rng([self.seed, 1])
        rows = arriving(self.arrival, world.pool, n_rows, random, first_row=len(world.known))
        subject = world.subject(rows, history=self.history)
        for size, number in self.extent.unchanged.items():
            starts = [len(world.known) + size * place for place in range(number)]
            yield self._tally(subject, NO_CHANGE, size, starts)

    def _changed(self, world: World) -> Iterator[VerdictTally]:
        drawn: list[tuple[WindowChange, int, LabelledRows]] = []
        random = np.random.default_rng([self.seed, 2])
        for change in CHANGES:
            for size, number in self.extent.changed.items():
                drawn += [(change, size, change.rows(world.pool, size, random)) for _ in range(number)]
        cells = [row for _, _, rows in drawn for row in rows.rows]
        labels = [label for _, _, rows in drawn for label in rows.labels]
        subject = world.subject(LabelledRows(world.known.header, tuple(cells), tuple(labels)), history=self.history)
        places = np.cumsum([0, *(size for _, size, _ in drawn)]) + len(world.known)
        for change in CHANGES:
            for size in self.extent.changed:
                starts = [
                    place
                    for place, (of, n_rows, _) in zip(places.tolist(), drawn, strict=False)
                    if (of.name, n_rows) == (change.name, size)
                ]
                yield self._tally(subject, change.name, size, starts)

    def _tally(self, subject: StreamSubject, change: str, size: int, starts: Sequence[int]) -> VerdictTally:
        """Judge windows, each for itself: as the first one after the baseline was learned, with its labels at once."""
        replay = Replay(subject, size, starts, is_linked=False)
        reports = list(replay.reports(0))
        figures = [report.projected_accuracy for report in reports]
        realised = [float(subject.right[first : first + size].mean()) for first in starts]
        return VerdictTally(
            arrival=str(self.arrival),
            history=self.history,
            change=change,
            n_window=size,
            n_windows=len(starts),
            drifts={name: _count(reports, kind, Verdict.DRIFT) for name, kind in KINDS.items()},
            not_judged={name: _count(reports, kind, Verdict.NOT_JUDGED) for name, kind in KINDS.items()},
            held=sum(
                figure.lower is not None and figure.upper is not None and figure.lower <= truth <= figure.upper
                for figure, truth in zip(figures, realised, strict=True)
            ),
            estimated=sum(figure.estimate is not None for figure in figures),
        )


def _count(reports: Sequence[DriftReport], kind: _Verdict, verdict: Verdict) -> int:
    return sum(kind(report) is verdict for report in reports)
