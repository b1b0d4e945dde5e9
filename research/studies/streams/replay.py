"""A stream's production, window by window, through `plumbline monitor`: files in, reports out, labels late or never."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from pathlib import Path

from plumbline.contract.accuracy import Shift
from plumbline.contract.quality import WindowQuality
from plumbline.contract.records import DriftReport, Verdict, WindowBounds
from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.data.times import HOUR, format_time, parse_time
from plumbline.drift.projection import Projector
from plumbline.drift.read.capture import count_folder, count_window, plan_of
from plumbline.drift.run import monitor
from plumbline.drift.settings.policy import Policy
from plumbline.drift.settings.run import LabelSource, OptionalAnalyses
from research.studies.accuracy.product import UNLIMITED
from research.studies.model import capture_line, label_line
from research.studies.streams.outcomes import Bounded, RunMode, StreamOutcome
from research.studies.streams.subject import StreamSubject

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Replay:
    """Windows of one size in time order.

    Each is as long as so many rows usually take, and follows the one before it: what lies between two windows that are
    spread over a long stream is left out. So a window's labels come when the next one is judged, or the one after.
    `is_linked`: a run finds the files of the runs before it.
    """

    subject: StreamSubject
    n_rows: int
    starts: Sequence[int]
    is_linked: bool = True

    @property
    def length(self) -> timedelta:
        """From a window's start to its end, in whole hours."""
        # Rounded first: a third of an hour three times is an hour.
        return ceil(round(self.n_rows * self.subject.stream.hours_per_row, 6)) * HOUR

    def start_of(self, number: int) -> datetime:
        """Return when a window starts."""
        first = parse_time(self.subject.stream.times[self.subject.stream.n_known])
        return first.replace(minute=0, second=0, microsecond=0) + number * self.length

    def bounds(self, number: int) -> WindowBounds:
        """Return a window's start and end."""
        return WindowBounds(format_time(self.start_of(number)), format_time(self.start_of(number + 1)))

    def write_window(self, number: int, captures: Path, labels: Path) -> None:
        """Write what is captured in a window, a request for each row, and the labels that come for it."""
        stream, first = self.subject.stream, self.starts[number]
        rows = stream.part(first, first + self.n_rows)
        probabilities = self.subject.probabilities[first : first + self.n_rows].tolist()
        step = self.length / self.n_rows
        with (captures / _name(number)).open("w") as captured, (labels / _name(number)).open("w") as labelled:
            for place, (row, label, one) in enumerate(zip(rows.rows, rows.labels, probabilities, strict=True)):
                event, moment = f"{number}-{place}", format_time(self.start_of(number) + place * step)
                captured.write(capture_line([row], [one], event, moment))
                labelled.write(label_line(label, event))

    def outcomes(self, mode: RunMode) -> list[StreamOutcome]:
        """Judge every window in turn, and return what was found."""
        runs = list(self.reports(mode.late))
        found = [self._outcome(number, mode, runs[number]) for number in range(len(self.starts))]
        found = [one if one.refused is None else self._with_withheld(one) for one in found]
        late = mode.late or 0
        return [_labelled(one, runs[one.number + late], late) for one in found] if mode.late is not None else found

    def reports(self, late: int | None) -> Iterator[DriftReport]:
        """Yield the report of each window, and then those of the runs without traffic in which the last labels come.

        Parameters
        ----------
        late
            How many windows late labels come; None: never.
        """
        with ExitStack() as stack:
            captures, labels, reports = (stack.enter_context(temporary_folder()) for _ in range(3))
            for number in range(len(self.starts)):
                self.write_window(number, captures, labels)
            for number in range(len(self.starts) + (late or 0)):
                yield self._run(number, late, captures, labels, reports)

    def _run(self, number: int, labels_late: int | None, captures: Path, labels: Path, reports: Path) -> DriftReport:
        late = labels_late or 0
        with temporary_folder() as captured, temporary_folder() as labelled:
            # What lies outside of the windows that await labels is left away: a run would read it for nothing.
            _link(captures, captured, range(number - late, number + 1))
            _link(labels, labelled, range(number - late, number - late + 1) if labels_late is not None else range(0))
            source = LabelSource(labels=str(labelled), captures=str(captured), lag_hours=late * self._hours)
            bounds = self.bounds(number)
            return monitor(
                dataset_source=captured,
                baseline=self.subject.baseline,
                output=reports / f"{number:04d}",
                start_time=bounds.start,
                end_time=bounds.end,
                recent=reports if self.is_linked else None,
                analyses=OptionalAnalyses(multivariate=True, labels=None if labels_late is None else source),
            )

    def _with_withheld(self, outcome: StreamOutcome) -> StreamOutcome:
        """Return the outcome of a refused window with what the projection would have been."""
        baseline = self.subject.baseline
        with temporary_folder() as captured, temporary_folder() as labels:
            self.write_window(outcome.number, captured, labels)
            window = count_window(partial(count_folder, captured), plan_of(baseline))
        projector = Projector.of(baseline, seed=0, limits=UNLIMITED)
        found = projector.project(window, drop_threshold=Policy().accuracy_drop_threshold)
        return replace(outcome, withheld=Bounded(found.estimate, found.lower, found.upper))

    @property
    def _hours(self) -> int:
        return self.length // HOUR

    def _outcome(self, number: int, mode: RunMode, report: DriftReport) -> StreamOutcome:
        first, projected = self.starts[number], report.projected_accuracy
        is_estimated = projected.estimate is not None
        return StreamOutcome(
            stream=self.subject.stream.name,
            n_rows=self.n_rows,
            number=number,
            start=first,
            history=mode.history,
            late=mode.late,
            realised=float(self.subject.right[first : first + self.n_rows].mean()),
            reference=self.subject.reference_accuracy,
            figure=Bounded(projected.estimate, projected.lower, projected.upper),
            parts={} if projected.half_widths is None else asdict(projected.half_widths),
            refused=None if is_estimated or projected.reason is None else projected.reason.code,
            why=None if is_estimated else str(projected.reason),
            separability=projected.evidence.separability,
            drift=report.verdict,
            features=tuple(one.name for one in report.features if one.verdict is Verdict.DRIFT),
            prediction=report.prediction.verdict,
            multivariate=report.multivariate.verdict,
            projected=projected.verdict,
        )


def _labelled(outcome: StreamOutcome, report: DriftReport, late: int) -> StreamOutcome:
    """Return the outcome with what the labels showed in the run in which they had come."""
    windows: tuple[WindowQuality, ...] = report.quality.windows
    if len(windows) <= late:
        raise ValueError(f"the report must have the quality of {late + 1} windows, got {report.quality}")
    found = windows[-1 - late]
    concept = found.shift(Shift.CONCEPT)
    return replace(
        outcome,
        quality=found.verdict,
        concept=concept.verdict,
        concept_code=None if concept.reason is None else concept.reason.code,
    )


def _link(source: Path, target: Path, numbers: range) -> None:
    for name in _names(source, numbers):
        (target / name).hardlink_to(source / name)


def _names(folder: Path, numbers: range) -> Iterator[str]:
    yield from (name for name in map(_name, numbers) if (folder / name).exists())


def _name(number: int) -> str:
    return f"{number:06d}.jsonl"
