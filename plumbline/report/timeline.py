"""The windows in order, with the holes between them: what every plot and table is drawn from."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from plumbline.contract.description import PREDICTION, is_labelled
from plumbline.contract.quality import QualityReport, WindowQuality
from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import DriftReport, EffectMeasure, FeatureReport, Status, Verdict
from plumbline.report.collect import Problem, ReportError

MAX_HOLE = 48
"""Windows without a report are drawn one by one up to this many in a row; a longer hole is cut to it."""


@dataclass(frozen=True)
class Event:
    """Something to mark: `at` is a window's start or any time, ISO 8601; `kind` is alarm or retraining, for example."""

    at: str
    kind: str
    text: str


@dataclass(frozen=True)
class Slot:
    """One place on the time axis; `report` is None where a window has no report.

    `quality` is from the newest report on the window's labels.
    """

    start: datetime | None
    end: datetime | None
    report: DriftReport | None
    true_accuracy: float | None = None
    events: tuple[Event, ...] = ()
    quality: WindowQuality | None = None

    @property
    def judged(self) -> bool:
        """Whether the window has a verdict."""
        return self.report is not None and self.report.verdict is not Verdict.NOT_JUDGED


@dataclass(frozen=True)
class Timeline:
    """All slots in order, the features' names in the reports' order, and what could not be placed."""

    slots: tuple[Slot, ...]
    features: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def reports(self) -> tuple[DriftReport, ...]:
        """The reports that are there."""
        return tuple(slot.report for slot in self.slots if slot.report is not None)

    @property
    def last_quality(self) -> QualityReport | None:
        """The newest report's account of the labels; None where none are awaited."""
        awaited = [report.quality for report in self.reports if not report.quality.is_switched_off]
        return awaited[-1] if awaited else None

    @property
    def last_labelled(self) -> tuple[Slot, WindowQuality] | None:
        """The last window that labels judge."""
        found = [(slot, slot.quality) for slot in self.slots if slot.quality and is_labelled(slot.quality)]
        return found[-1] if found else None

    def moment(self, slot: Slot) -> str:
        """Return the window's start as sentences name it, or its place."""
        if slot.start is None:
            return f"window {self.slots.index(slot) + 1}"
        return f"{slot.start:%H:%M} on {slot.start.day} {slot.start:%B %Y}"

    def brief_moment(self, slot: Slot) -> str:
        """Return the window's start for a table, or its place."""
        return f"{slot.start.day} {slot.start:%b %Y %H:%M}" if slot.start else self.moment(slot)

    def ranked_rows(self) -> "list[FeatureRow]":
        """Return the features' rows, first to drift first, then by their largest score; the prediction is last."""
        rows = [FeatureRow(name, self.feature(name)) for name in self.features]
        rows.sort(key=lambda row: (row.drifted[0] if row.drifted else math.inf, -row.highest, row.name))
        return [*rows, FeatureRow(PREDICTION, self.prediction())]

    def feature(self, name: str) -> tuple[FeatureReport | None, ...]:
        """Return one feature's result in each slot, None where there is none."""
        return tuple(
            next((feature for feature in slot.report.features if feature.name == name), None) if slot.report else None
            for slot in self.slots
        )

    def prediction(self) -> tuple[FeatureReport | None, ...]:
        """Return the captured probability's result in each slot."""
        return tuple(slot.report.prediction if slot.report else None for slot in self.slots)


@dataclass(frozen=True)
class FeatureRow:
    """One feature's results over the slots."""

    name: str
    results: tuple[FeatureReport | None, ...]

    @property
    def scores(self) -> tuple[float, ...]:
        """Scores in percent, NaN where there is none or no verdict on it."""
        judged = (r if r and r.verdict is not Verdict.NOT_JUDGED else None for r in self.results)
        scores = (None if one is None else one.effect(EffectMeasure.DRIFT_SCORE) for one in judged)
        return tuple(math.nan if score is None else score for score in scores)

    @property
    def judged(self) -> bool:
        """Whether any slot has a verdict on it."""
        return any(r is not None and r.verdict is not Verdict.NOT_JUDGED for r in self.results)

    @property
    def drifted(self) -> tuple[int, ...]:
        """Slots in which the verdict is drift."""
        return tuple(i for i, r in enumerate(self.results) if r is not None and r.verdict is Verdict.DRIFT)

    @property
    def highest(self) -> float:
        """The largest score, 0 if there is none."""
        return max((score for score in self.scores if not math.isnan(score)), default=0.0)


def timeline(
    reports: Sequence[DriftReport], truth: Mapping[str, float], events: Sequence[Event], problems: Sequence[Problem]
) -> Timeline:
    """Place reports, the later results of their labels, true accuracies and events on one axis.

    Raises
    ------
    ReportError
        If a true accuracy is outside 0 to 1 or its window's start is no time.
    """
    slots = _with_holes([Slot(moment_of(r.own_window.start), moment_of(r.own_window.end), r) for r in reports])
    accuracies = _accuracies(truth)
    starts = {slot.start for slot in slots}
    unplaced = [Problem("true accuracy", f"no window starts at {key}") for key, at in accuracies if at not in starts]
    known = {at: truth[key] for key, at in accuracies}
    marked: dict[int, list[Event]] = {}
    for event in events:
        index = _slot_of(event, slots)
        if index is None:
            unplaced.append(Problem(f"event {event.kind}", f"no window holds {event.at}: {event.text}"))
        else:
            marked.setdefault(index, []).append(event)
    qualities = _newest_qualities(reports)
    placed = tuple(
        Slot(
            s.start,
            s.end,
            s.report,
            known.get(s.start) if s.start else None,
            tuple(marked.get(i, ())),
            qualities.get(s.start) if s.start else _own_quality(s.report),
        )
        for i, s in enumerate(slots)
    )
    return Timeline(placed, _feature_names(reports), (*problems, *unplaced, *_without_slot(qualities, starts)))


def _newest_qualities(reports: Iterable[DriftReport]) -> dict[datetime, WindowQuality]:
    """Return the newest results of labels, by the window's start.

    A report of another model's window judges none of the earlier model's; what was judged before stays.
    """
    dated = [(moment_of(one.own_window.start), one) for report in reports for one in report.quality.windows]
    found: dict[datetime, WindowQuality] = {}
    for start, quality in dated:
        if start is not None and not (start in found and has_code(quality.reason, ReasonCode.MODEL_CHANGED)):
            found[start] = quality
    return found


def _own_quality(report: DriftReport | None) -> WindowQuality | None:
    windows = report.quality.windows if report else ()
    return windows[-1] if windows and windows[-1].window.start is None else None


def _without_slot(
    qualities: Mapping[datetime, WindowQuality], starts: Collection[datetime | None]
) -> Iterable[Problem]:
    found = sorted(start for start, one in qualities.items() if one.n_labelled and start not in starts)
    if found:
        first = f"{found[0]:%Y-%m-%dT%H:%MZ}"
        yield Problem("labels", f"{len(found)} windows with labels have no report here, the first starts at {first}")


def _feature_names(reports: Iterable[DriftReport]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(feature.name for report in reports for feature in report.features))


def _with_holes(slots: Sequence[Slot]) -> list[Slot]:
    """Return the slots with an empty one for each window that should be between two others."""
    filled: list[Slot] = []
    for slot in slots:
        if filled and filled[-1].end and slot.start and slot.end and slot.start < slot.end:
            length = slot.end - slot.start
            missing = round((slot.start - filled[-1].end) / length)
            first = slot.start - length * min(missing, MAX_HOLE)
            filled += [Slot(first + length * k, first + length * (k + 1), None) for k in range(min(missing, MAX_HOLE))]
        filled.append(slot)
    return filled


def _accuracies(truth: Mapping[str, float]) -> list[tuple[str, datetime]]:
    pairs = []
    for key, value in truth.items():
        moment = moment_of(key)
        if moment is None:
            raise ReportError(f"the truth's windows must be named by their start in ISO 8601, got {key!r}; rename it")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ReportError(f"a true accuracy must be a number from 0 to 1, got {value!r} for {key}; correct it")
        pairs.append((key, moment))
    return pairs


def _slot_of(event: Event, slots: Sequence[Slot]) -> int | None:
    """Return the window that holds the event; one after the last window's end belongs to the last."""
    moment = moment_of(event.at)
    if moment is None:
        return None
    for index, slot in enumerate(slots):
        if slot.start and slot.end and slot.start <= moment < slot.end:
            return index
    last = slots[-1]
    if last.end and last.end <= moment <= last.end + timedelta(hours=24):
        return len(slots) - 1
    return None


def moment_of(text: str | None) -> datetime | None:
    """Read ISO 8601; a time without zone is UTC; None for what is no time."""
    try:
        moment = datetime.fromisoformat(text) if text else None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_NO_REPORT = Reason(ReasonCode.OTHER, "no report")
_NO_REASON = Reason(ReasonCode.OTHER, "no reason given")


def refusal(slot: Slot) -> Reason | None:
    """Return why the window has no projected accuracy; None where it has one."""
    if slot.report is None:
        return _NO_REPORT
    projected = slot.report.projected_accuracy
    if projected.status is Status.ESTIMATED:
        return None
    return projected.reason or slot.report.reason or _NO_REASON
