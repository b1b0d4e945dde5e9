"""The whole study of verdicts in a given extent: worlds are judged in parallel, each in one process."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from typing import TypeVar

from research.studies.calibration.population import Population
from research.studies.streams.run import quiet
from research.studies.verdicts import features, kinds
from research.studies.verdicts.kinds import VerdictExtent, VerdictTally, VerdictTask
from research.studies.verdicts.results import VerdictStudy
from research.studies.verdicts.worlds import Arrival

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost-cpu")
_T = TypeVar("_T")


@dataclass(frozen=True)
class StudyExtent:
    """How much is run: of whole runs, and windows of single features by their rows."""

    command: str
    runs: VerdictExtent
    cells: Mapping[int, int]


FULL = StudyExtent("make study", kinds.FULL, {300: 100, 1_000: 100, 5_000: 50, 20_000: 25})
QUICK = StudyExtent("python -m research.studies.verdicts --quick", kinds.QUICK, {300: 5, 1_000: 5})


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
            for history in (False, True)
        ),
    ]
    tallies = [one for found in _all(_judged, tasks, processes) for one in found]
    cells = list(features.tallies(drawn_from, extent.cells, seed))
    return VerdictStudy(
        command=extent.command,
        seed=seed,
        population=name,
        versions={"Python": platform.python_version(), **{library: version(library) for library in _LIBRARIES}},
        seconds=time.monotonic() - started,
        tallies=tuple(tallies),
        cells=tuple(cells),
    )


def _all(judge: Callable[[VerdictTask], list[_T]], tasks: Sequence[VerdictTask], processes: int) -> list[list[_T]]:
    if processes == 1:
        return [judge(task) for task in tasks]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(judge, tasks))


def _judged(task: VerdictTask) -> list[VerdictTally]:
    quiet()
    return task.tallies()
