"""The test over windows: day-long means against the reference, as evidence that adds up over days (docs/adr/0030)."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from plumbline.contract.description import listed
from plumbline.contract.over_time import OverTimeFeature, OverTimeReport
from plumbline.contract.reasons import Reason, ReasonCode, has_code, joined, window_not_judged
from plumbline.contract.records import SWITCHED_OFF, FeatureType, Verdict, WindowBounds
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.times import DAY, HOUR, format_time, parse_time
from plumbline.drift.judge.comparison import RunContext, Sample
from plumbline.drift.judge.verdict import PREDICTION
from plumbline.drift.judge.window_state import Course, EarlierState, PartOfDay, WindowState
from plumbline.drift.settings.policy import FeatureRule
from plumbline.drift.statistics.day_test import (
    MIN_STEPS,
    Allowance,
    DayTest,
    Dispersion,
    allowance,
    compared,
    stepped,
    total,
)
from plumbline.drift.statistics.sequential import added, alarm_evidence, log_e_value
from plumbline.drift.statistics.series import LOCATION, MISSING, SPREAD, UNSEEN, Series, SeriesMean, means_of, series_of

MONTH = 30 * DAY
"""What the bound on false alarms is for, and how long evidence counts: what alarms in one month began in it or in the
one before."""
_OF_REFERENCE = 0.2
"""Fraction of alpha for the chance that the reference's means lie far off those of its population."""
_MIN_DAY_FRACTION = 0.75
"""Fraction of a day that its windows must cover: in half a one, day and night would not cancel."""
_ABOVE_THRESHOLD = math.log(1.5)
"""How far above the threshold evidence grows: one day without a change brings it below."""


_NO_DAYS: Mapping[str, Mapping[str, float]] = {}


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """What a run found over time, and the state that it leaves; None: it leaves none."""

    report: OverTimeReport
    state: WindowState | None


@dataclass(frozen=True, kw_only=True)
class WindowTimes:
    """Times of one window: `own` are those of the run, and `start` that of the rows, earlier where it looked back."""

    own: WindowBounds
    start: str | None

    @cached_property
    def end(self) -> datetime:
        """End of both."""
        return parse_time(self.own.end or "")

    @cached_property
    def spacing(self) -> timedelta:
        """Length of the run's own window."""
        return self.end - parse_time(self.own.start or "")

    @cached_property
    def day(self) -> timedelta:
        """A day, or the window where that is longer."""
        return max(DAY, self.spacing)

    @cached_property
    def day_start(self) -> datetime:
        """Start of the day that ends with the window."""
        return self.end - self.day


def judge_over_time(  # noqa: PLR0913 - both sides, and what was before
    specs: Sequence[FeatureSpec],
    reference: Sample,
    window: Sample,
    context: RunContext,
    *,
    times: WindowTimes,
    n_rows: int,
    earlier: EarlierState,
    past_days: Mapping[str, Mapping[str, float]] = _NO_DAYS,
) -> OverTime:
    """Add one window to the day that ends with it, judge that day, and return the state for the next run.

    A window that is not judged, for more than too few rows, adds nothing. Without a place where earlier windows are
    nothing is judged, but a state left for a run that has one.

    Parameters
    ----------
    earlier
        The state after the last window before.
    past_days
        How far the means of the past's days lie from the reference's (`History.days`): a day must move by more.
    """
    if times.own.start is None or times.own.end is None:
        return _none(ReasonCode.WINDOW_WITHOUT_TIMES.reason() if earlier.is_searched else SWITCHED_OFF)
    if earlier.failure is not None:
        # No state either: the next run goes on from the last one that can be read.
        return _none(ReasonCode.EARLIER_WINDOWS_UNREADABLE.reason(error=earlier.failure))
    before = replace(earlier.state, bounds=times.own) if earlier.state else WindowState(bounds=times.own)
    if context.not_judged is not None and not has_code(context.not_judged, ReasonCode.TOO_FEW_ROWS):
        found = _none(window_not_judged(context.not_judged), before)
    else:
        found = context.faults.guarded(
            "change over time",
            lambda: _found(_subjects(specs, reference, window, context, past_days), before, context, times, n_rows),
            lambda why: _none(why, before),
        )
    if not earlier.is_searched:
        return replace(found, report=OverTimeReport())
    notes = (ReasonCode.EARLIER_FILE_SKIPPED.reason(file=file) for file in earlier.skipped)
    return replace(found, report=replace(found.report, reason=joined(found.report.reason, *notes)))


def _none(why: Reason, state: WindowState | None = None) -> OverTime:
    return OverTime(report=OverTimeReport(reason=why), state=state)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Subject:
    """One feature, or the prediction: its reference, its values in the window, and its rule.

    `model` names what predictions depend on beside the reference; empty: nothing. `past_days` has by series the
    variance of days of the past.
    """

    name: str
    reference: ValueCounts
    window: ValueCounts | None
    rule: FeatureRule
    model: str = ""
    past_days: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """What is followed of it; empty: nothing can be."""
        return series_of(self.reference)

    @cached_property
    def means(self) -> tuple[SeriesMean, ...]:
        """The means of what is followed in the window; empty: it has no such column."""
        return () if self.window is None else means_of(self.reference, self.window, self.series)

    @cached_property
    def digest(self) -> str:
        """What its evidence is against: with another one it begins anew."""
        counts = self.reference
        is_numeric = isinstance(counts, NumericCounts)
        values = counts.values.tobytes() if is_numeric else json.dumps(counts.values.tolist()).encode()
        rest = json.dumps([counts.n_missing, self.model]).encode()
        return hashlib.sha256(values + counts.counts.tobytes() + rest).hexdigest()[:16]

    @property
    def scale(self) -> float:
        """By how much more its means may lie off: as its own threshold is higher than the default."""
        return self.rule.effect_threshold / DEFAULT_EFFECT_THRESHOLDS[self.rule.effect_measure]


def _subjects(
    specs: Sequence[FeatureSpec],
    reference: Sample,
    window: Sample,
    context: RunContext,
    past_days: Mapping[str, Mapping[str, float]],
) -> tuple[_Subject, ...]:
    policy = context.policy
    rules = {spec.name: policy.rule(spec.name, spec.type) for spec in specs}
    features = tuple(
        _Subject(
            name=name,
            reference=reference.columns[name],
            window=window.columns.get(name),
            rule=rule,
            past_days=past_days.get(name, {}),
        )
        for name, rule in rules.items()
        if not rule.unjudged
    )
    if reference.probabilities is None:
        return features
    prediction = _Subject(
        name=PROBABILITY_COLUMN,
        reference=reference.probabilities,
        window=window.probabilities,
        rule=policy.rule(None, FeatureType.NUMERIC),
        model=context.model.artifact if context.model else "unknown",
        past_days=past_days.get(PROBABILITY_COLUMN, {}),
    )
    return (*features, prediction)


def _found(
    subjects: Sequence[_Subject], before: WindowState, context: RunContext, times: WindowTimes, n_rows: int
) -> OverTime:
    courses = {subject.name: _course(subject, before.courses.get(subject.name)) for subject in subjects}
    parts = _still_of_the_day(before, courses, times)
    if n_rows:
        part = PartOfDay(
            start=times.start or "",
            end=times.own.end or "",
            n_rows=n_rows,
            means={subject.name: subject.means for subject in subjects if subject.means},
        )
        last = next((one for one in reversed(parts) if parse_time(one.end) <= parse_time(part.start)), None)
        if last is not None:
            courses = {subject.name: _stepped(subject, courses[subject.name], last, part) for subject in subjects}
        parts.append(part)
    day = _Day(times=times, parts=_apart(parts, times), threshold=_threshold(subjects, context, times))
    level = _reference_level(subjects, context)
    judged = {subject.name: day.judged(subject, courses[subject.name], level) for subject in subjects}
    # What this window has none of, as of predictions that could not be read, goes on with a later one.
    courses = {**before.courses, **{name: course for name, (_, course) in judged.items()}}
    state = WindowState(bounds=times.own, day=tuple(parts), courses=courses)
    return OverTime(report=_report([one for one, _ in judged.values()], day, context), state=state)


def _course(subject: _Subject, before: Course | None) -> Course:
    """Return what is known of a feature, nothing where it has another reference than it had."""
    if before is None or before.reference != subject.digest:
        return Course(reference=subject.digest, dispersions=(Dispersion(),) * len(subject.series))
    return before


def _still_of_the_day(before: WindowState, courses: Mapping[str, Course], times: WindowTimes) -> list[PartOfDay]:
    """Return the windows of the day and the one before it, with the means of features that have the reference yet."""
    same = {name for name, course in before.courses.items() if courses.get(name, course) is course}
    return [
        replace(part, means={name: means for name, means in part.means.items() if name in same})
        for part in before.day
        if parse_time(part.end) >= times.day_start
    ]


def _stepped(subject: _Subject, course: Course, last: PartOfDay, part: PartOfDay) -> Course:
    before, this = last.means.get(subject.name), part.means.get(subject.name)
    if before is None or this is None:
        return course
    steps = zip(course.dispersions, subject.series, before, this, strict=True)
    return replace(course, dispersions=tuple(stepped(*step) for step in steps))


def _apart(parts: Sequence[PartOfDay], times: WindowTimes) -> tuple[PartOfDay, ...]:
    """Return the windows within the day, without those that overlap a later one: no row counts twice."""
    chosen: list[PartOfDay] = []
    until = times.end
    for part in reversed(parts):
        if times.day_start <= parse_time(part.start) and parse_time(part.end) <= until:
            chosen.append(part)
            until = parse_time(part.start)
    return tuple(chosen[::-1])


def _threshold(subjects: Sequence[_Subject], context: RunContext, times: WindowTimes) -> float:
    """Return the log evidence of an alarm: each window of two months is the end of a first day, for each subject."""
    n_windows = 2 * math.ceil(MONTH / times.spacing)
    return alarm_evidence(n_windows * max(1, len(subjects)), (1 - _OF_REFERENCE) * context.policy.over_time_alpha)


def _reference_level(subjects: Sequence[_Subject], context: RunContext) -> float:
    """Return the level of each side of each series at which the reference's own mean is allowed for."""
    n_series = sum(len(subject.series) for subject in subjects)
    return _OF_REFERENCE * context.policy.over_time_alpha / (2 * max(1, n_series))


@dataclass(frozen=True, kw_only=True)
class _Day:
    """The day that ends with a window: its windows, and the evidence of an alarm."""

    times: WindowTimes
    parts: tuple[PartOfDay, ...]
    threshold: float

    @property
    def refusal(self) -> Reason | None:
        """Why the day is not judged, or None."""
        hours = sum((parse_time(part.end) - parse_time(part.start)) / HOUR for part in self.parts)
        day_hours = self.times.day / HOUR
        if hours >= _MIN_DAY_FRACTION * day_hours:
            return None
        return ReasonCode.DAY_INCOMPLETE.reason(
            hours=hours, day_hours=day_hours, min_hours=_MIN_DAY_FRACTION * day_hours
        )

    def judged(self, subject: _Subject, course: Course, level: float) -> tuple[OverTimeFeature, Course]:
        """Return the verdict on one feature, and its course with the day's evidence."""
        tests = [] if self.refusal else self._tests(subject, course, level)
        why = self.refusal or _refusal(subject, course, tests)
        if why is not None:
            return OverTimeFeature(name=subject.name, reason=why), course
        most = min(tests, key=lambda test: (test.p_value, -abs(test.difference)))
        course = self._with_evidence(course, log_e_value(min(1.0, len(tests) * most.p_value)))
        return self._feature(subject.name, course, most), course

    def _tests(self, subject: _Subject, course: Course, level: float) -> list[DayTest]:
        means = [part.means[subject.name] for part in self.parts if subject.name in part.means]
        days = [total(column) for column in zip(*means, strict=True)]
        return [
            compared(series, day, dispersion, self._allowed(subject, series, level))
            for series, day, dispersion in zip(subject.series, days, course.dispersions, strict=False)
            if day.n_rows and dispersion.n_steps >= MIN_STEPS
        ]

    def _allowed(self, subject: _Subject, series: Series, level: float) -> Allowance:
        found = allowance(series, level, subject.scale)
        return replace(found, variance=subject.past_days.get(series.name, 0.0))

    def _with_evidence(self, course: Course, log_e: float) -> Course:
        """Add the day to the evidence of the days before that ended at the same time, which share no row with it."""
        moment, start = self.times.end.strftime("%H:%M:%S"), format_time(self.times.day_start)
        before = course.evidence.get(moment)
        is_old = before is not None and self.times.end - parse_time(before.start) > MONTH
        if before is not None and is_old and before.log_e < self.threshold:
            before = None
        evidence = added(before, log_e, start, self.threshold + _ABOVE_THRESHOLD)
        others = {time: kept for time, kept in course.evidence.items() if time != moment}
        return replace(course, evidence=others if evidence is None else {**others, moment: evidence})

    def _feature(self, name: str, course: Course, most: DayTest) -> OverTimeFeature:
        evidence = course.evidence.get(self.times.end.strftime("%H:%M:%S"))
        found = OverTimeFeature(
            name=name,
            verdict=Verdict.NO_DRIFT,
            evidence=evidence.log_e if evidence else 0.0,
            difference=most.difference,
        )
        if evidence is None or evidence.log_e < self.threshold:
            return found
        start = min(one.start for one in course.evidence.values() if one.log_e >= self.threshold)
        why = ReasonCode.CHANGED_OVER_TIME.reason(what=_words(most), start=start)
        return replace(found, verdict=Verdict.DRIFT, start=start, reason=why)


def _refusal(subject: _Subject, course: Course, tests: Sequence[DayTest]) -> Reason | None:
    if not subject.series:
        return ReasonCode.NO_REFERENCE_VALUE.reason()
    if tests:
        return None
    n_steps = max(one.n_steps for one in course.dispersions)
    if n_steps < MIN_STEPS:
        return ReasonCode.TOO_FEW_STEPS.reason(n_steps=int(n_steps), min_steps=MIN_STEPS)
    return ReasonCode.NO_VALUES_THIS_DAY.reason()


def _words(most: DayTest) -> str:
    """Return what moved, and by how much."""
    series, higher, size = most.series, most.difference > 0, abs(most.difference)
    before, after = 100 * series.mean, 100 * most.mean
    if series.name == LOCATION:
        return f"{'higher' if higher else 'lower'} by {size:.2f} standard deviations of the rank"
    if series.name == SPREAD:
        return f"spread {'wider' if higher else 'closer'} by {size:.2f} standard deviations of the rank"
    named = {MISSING: "missing", UNSEEN: "labels that training never had"}.get(series.name, series.label)
    return f"{named} from {before:.1f} to {after:.1f} %"


def _report(features: Sequence[OverTimeFeature], day: _Day, context: RunContext) -> OverTimeReport:
    drifted = [one for one in features if one.verdict is Verdict.DRIFT]
    judged = [one for one in features if one.verdict is not Verdict.NOT_JUDGED]
    start = min((one.start for one in drifted if one.start), default=None)
    names = [PREDICTION if one.name == PROBABILITY_COLUMN else one.name for one in drifted]
    if drifted:
        features_and_why = [f"{name} ({one.reason})" for name, one in zip(names, drifted, strict=True)]
        reason: Reason | None = ReasonCode.FEATURES_CHANGED_OVER_TIME.reason(features=listed(features_and_why))
        verdict = Verdict.DRIFT
    elif judged:
        verdict, reason = Verdict.NO_DRIFT, ReasonCode.NOTHING_CHANGED_OVER_TIME.reason()
    else:
        verdict, reason = (
            Verdict.NOT_JUDGED,
            next((one.reason for one in features), ReasonCode.NO_FEATURE_JUDGED.reason()),
        )
    return OverTimeReport(
        verdict=verdict,
        reason=reason,
        start=start,
        alpha=context.policy.over_time_alpha,
        evidence_threshold=day.threshold,
        n_windows=len(day.parts),
        n_rows=sum(part.n_rows for part in day.parts),
        features=tuple(one for one in features if one.name != PROBABILITY_COLUMN),
        prediction=next((one for one in features if one.name == PROBABILITY_COLUMN), None),
    )
