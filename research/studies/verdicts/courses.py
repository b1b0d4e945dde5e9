"""Hours one after the other: how soon a slow change is found, and how often one is found in a month without any.

On the path from value counts to verdict: each hour's counts and the state that the hour before left.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from plumbline.contract.records import Verdict, WindowBounds
from plumbline.drift.data.times import format_time
from plumbline.drift.judge.comparison import RunContext, Sample
from plumbline.drift.judge.over_time import WindowTimes, judge_over_time
from plumbline.drift.judge.window_state import EarlierState
from plumbline.drift.settings.policy import Policy
from research.studies.calibration.population import Counted, Frequencies, Population
from research.studies.calibration.product import PopulationMonitor
from research.studies.calibration.shifts import tilt
from research.studies.verdicts.worlds import Arrival, Pool, hour_tilts

N_REFERENCE = 20_000
WARM_UP_HOURS = 72
"""Before a ramp begins: what has not changed for three days is what a user has when it does."""
_START = datetime(2025, 1, 6, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_WEEK_HOURS = 168

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ramp:
    """The mean of `age` rises by so many standard deviations in so many hours, and stays there for a day."""

    deviations: float
    hours: int

    @property
    def name(self) -> str:
        """The ramp in words."""
        return f"age +{self.deviations:g} SD in {self.hours} h"

    @property
    def total_hours(self) -> int:
        """Hours from the ramp's start to the end of what is watched."""
        return self.hours + 24

    def at(self, hour: int) -> float:
        """Return how far the mean has risen in an hour after the ramp began."""
        return self.deviations * min(1.0, (hour + 1) / self.hours)


MONTH_HOURS = 720
RAMPS = (Ramp(0.2, 48), Ramp(1.0, 168))


@dataclass(frozen=True, kw_only=True)
class CourseTally:
    """Courses of hours, all drawn alike. `alarmed` are those in which something changed over time by the verdict.

    Of a ramp, `delays` are the hours from its start to the first alarm, of the courses that have one after it, and
    `early` are the courses with an alarm before. `window_hours` counts the hours of `hours` in which the window alone
    drifted; None: that was not judged.
    """

    change: str
    arrival: str
    rows_per_hour: int
    n_courses: int
    hours: int
    alarmed: int = 0
    early: int = 0
    delays: tuple[int, ...] = ()
    window_hours: int | None = None


@dataclass(frozen=True)
class CourseTask:
    """Courses of one kind; without a ramp they are a month long."""

    arrival: Arrival
    ramp: Ramp | None
    rows_per_hour: int
    n_courses: int
    seed: int
    month_hours: int = MONTH_HOURS

    def tallies(self) -> list[CourseTally]:
        """Judge every hour of every course."""
        started = time.monotonic()
        hours = self.month_hours if self.ramp is None else WARM_UP_HOURS + self.ramp.total_hours
        world = _HourlyWorld(self.arrival, self.rows_per_hour, self.seed)
        alarmed = early = n_drifted = 0
        delays = []
        for number in range(self.n_courses):
            course = world.course(number, hours, self.ramp)
            first = course.first_alarm
            alarmed += first is not None
            n_drifted += course.n_drifted
            if self.ramp is not None and first is not None:
                early += first < WARM_UP_HOURS
                delays += [first - WARM_UP_HOURS + 1] if first >= WARM_UP_HOURS else []
        _log.info("%s, %s: %.0f s", self.arrival, self.ramp or "a month", time.monotonic() - started)
        return [
            CourseTally(
                change="none" if self.ramp is None else self.ramp.name,
                arrival=str(self.arrival),
                rows_per_hour=self.rows_per_hour,
                n_courses=self.n_courses,
                hours=hours,
                alarmed=alarmed,
                early=early,
                delays=tuple(delays),
                window_hours=None if self.ramp is None else n_drifted,
            )
        ]


@dataclass
class _Course:
    """What was found hour by hour."""

    first_alarm: int | None = None
    n_drifted: int = 0


@dataclass(frozen=True)
class _HourlyWorld:
    arrival: Arrival
    rows_per_hour: int
    seed: int

    @cached_property
    def pool(self) -> Pool:
        return Pool.of(self.seed)

    @cached_property
    def population(self) -> Population:
        return Population.of(self.pool.rows)

    @cached_property
    def product(self) -> PopulationMonitor:
        return PopulationMonitor.of(self.population)

    def course(self, number: int, hours: int, ramp: Ramp | None) -> _Course:
        """Judge the hours of one course; with a ramp each window by itself, too."""
        random = np.random.default_rng([self.seed, number, 4])
        reference = self._reference(random)
        baseline, found = self.product.learned(reference), _Course()
        side = Sample(columns=baseline.counts)
        state = EarlierState(is_searched=True)
        context = RunContext(policy=Policy(), seed=number)
        for hour in range(hours):
            window = self._hour(hour, random)
            if ramp is not None and hour >= WARM_UP_HOURS:
                window = tilt(self.population, "age", ramp.at(hour - WARM_UP_HOURS)).apply(window, random)
                found.n_drifted += self.product.judge(baseline, window, seed=number).verdict is Verdict.DRIFT
            bounds = WindowBounds(format_time(_START + hour * _HOUR), format_time(_START + (hour + 1) * _HOUR))
            sample = Sample(columns=self.population.counts(window))
            times = WindowTimes(own=bounds, start=bounds.start)
            judged = judge_over_time(
                baseline.specs, side, sample, context, times=times, n_rows=self.rows_per_hour, earlier=state
            )
            state = EarlierState(is_searched=True, state=judged.state)
            if judged.report.verdict is Verdict.DRIFT:
                found.first_alarm = hour
                break
        return found

    def _reference(self, random: np.random.Generator) -> Frequencies:
        hourly = (self._drawn(hour, N_REFERENCE // _WEEK_HOURS, random) for hour in range(_WEEK_HOURS))
        return _added(hourly)

    def _hour(self, hour: int, random: np.random.Generator) -> Frequencies:
        return self._drawn(hour, self.rows_per_hour, random)

    def _drawn(self, hour: int, n_rows: int, random: np.random.Generator) -> Frequencies:
        return self.population.counted(self.pool.draw(hour_tilts(self.arrival, hour), n_rows, random))


def _added(parts: Iterator[Frequencies]) -> Frequencies:
    total: dict[str, Counted] = {}
    for part in parts:
        total = {name: counts + total.get(name, np.zeros_like(counts)) for name, counts in part.items()}
    return total
