"""The whole study of verdicts in a given extent: worlds are judged in parallel, each in one process."""

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from typing import TypeVar

from research.studies.calibration.population import Population
from research.studies.streams.run import quiet
from research.studies.verdicts import features, kinds
from research.studies.verdicts.arrivals import ArrivalTally, ArrivalTask
from research.studies.verdicts.courses import MONTH_HOURS, RAMPS, CourseTally, CourseTask
from research.studies.verdicts.kinds import VerdictExtent, VerdictTally, VerdictTask
from research.studies.verdicts.results import VerdictStudy
from research.studies.verdicts.worlds import Arrival

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost-cpu")
_T = TypeVar("_T")
_Task = TypeVar("_Task")


@dataclass(frozen=True)
class StudyExtent:
    """How much is run: whole runs, windows by their rows, and courses by the rows of their hours.

    `arrivals` are windows without a change, of which the features and the prediction are judged, and `cells` windows of
    which one feature is changed.

    Courses without a change have as many rows an hour as the first ones with it, and last `month_hours`.
    """

    command: str
    runs: VerdictExtent
    arrivals: Mapping[int, int]
    cells: Mapping[int, int]
    courses: Mapping[int, int]
    months: int
    month_hours: int = MONTH_HOURS

    def course_tasks(self, seed: int) -> Iterator[CourseTask]:
        """Yield the courses of each kind."""
        for ramp in RAMPS:
            for rows_per_hour, n_courses in self.courses.items():
                yield CourseTask(Arrival.SINGLY, ramp, rows_per_hour, n_courses, seed)
        rows_per_hour = next(iter(self.courses))
        for arrival in (Arrival.SINGLY, Arrival.RHYTHMIC, Arrival.WEEKLY):
            yield CourseTask(arrival, None, rows_per_hour, self.months, seed, self.month_hours)


FULL = StudyExtent(
    "make study",
    kinds.FULL,
    {300: 200, 1_000: 200, 5_000: 60, 20_000: 20},
    {300: 100, 1_000: 100, 5_000: 50, 20_000: 25},
    {300: 20, 1_000: 20},
    20,
)
SHORT = StudyExtent(
    "python -m research.studies.verdicts --short",
    kinds.SHORT,
    {300: 40},
    {300: 10, 1_000: 10},
    {300: 2},
    1,
)
QUICK = StudyExtent(
    "python -m research.studies.verdicts --quick",
    kinds.QUICK,
    {300: 4},
    {300: 5, 1_000: 5},
    {300: 1},
    1,
    month_hours=48,
)


def study(drawn_from: Population, name: str, extent: StudyExtent, seed: int, processes: int) -> VerdictStudy:
    """Judge every window; only the time it took depends on anything but the arguments.

    Parameters
    ----------
    drawn_from, name
        What single features are drawn from.
    processes
        1 judges in this very process.
    """
    started = time.monotonic()
    tasks = [
        VerdictTask(Arrival.SINGLY, history=True, is_changed=True, extent=extent.runs, seed=seed),
        *(
            VerdictTask(arrival, history=history, is_changed=False, extent=extent.runs, seed=seed)
            for arrival in Arrival
            for history in ((False, True) if arrival is Arrival.SINGLY else (True,))
        ),
    ]
    arrivals = [ArrivalTask(arrival, extent.arrivals, extent.runs, seed) for arrival in Arrival]
    whole = tasks if extent.runs.unchanged else []
    tallies = [one for found in _all(_judged, whole, processes) for one in found]
    courses = [one for found in _all(_followed, list(extent.course_tasks(seed)), processes) for one in found]
    cells = list(features.tallies(drawn_from, extent.cells, seed))
    return VerdictStudy(
        command=extent.command,
        seed=seed,
        population=name,
        versions={"Python": platform.python_version(), **{library: version(library) for library in _LIBRARIES}},
        seconds=time.monotonic() - started,
        tallies=tuple(tallies),
        arrivals=tuple(one for found in _all(_arrived, arrivals, processes) for one in found),
        cells=tuple(cells),
        courses=tuple(courses),
    )


def _all(judge: Callable[[_Task], list[_T]], tasks: Sequence[_Task], processes: int) -> list[list[_T]]:
    if processes == 1:
        return [judge(task) for task in tasks]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(judge, tasks))


def _judged(task: VerdictTask) -> list[VerdictTally]:
    quiet()
    return task.tallies()


def _arrived(task: ArrivalTask) -> list[ArrivalTally]:
    quiet()
    return task.tallies()


def _followed(task: CourseTask) -> list[CourseTally]:
    quiet()
    return task.tallies()
