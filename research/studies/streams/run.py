"""The whole study in a given extent: replays run in parallel, each in one process."""

import logging
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from plumbline.drift.data.documents import temporary_folder
from plumbline.drift.projection.learn_history import learn_reference
from research.studies.streams import others, sources
from research.studies.streams.outcomes import PeerOutcome, RunMode, StreamOutcome
from research.studies.streams.replay import Replay
from research.studies.streams.results import StreamStudy
from research.studies.streams.sources import TIME_COLUMN, StreamSource
from research.studies.streams.subject import StreamSubject, answers, write_history, write_reference

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost-cpu")
_log = logging.getLogger(__name__)
_T = TypeVar("_T")

MODES = (RunMode(False, 1), RunMode(True, None), RunMode(True, 1), RunMode(True, 2))


@dataclass(frozen=True)
class StreamExtent:
    """How much is run: `windows` of each of the `sizes`, at most, in each of the `modes`.

    `tools` judge the same windows; `has_others` says whether anything but the product does.
    """

    command: str
    sizes: tuple[int, ...]
    windows: int
    modes: tuple[RunMode, ...] = MODES
    tools: tuple[str, ...] = others.TOOLS
    has_others: bool = True


FULL = StreamExtent("make study", (500, 1_000, 2_000), 20)
QUICK = StreamExtent("python -m research.studies.streams --quick", (500,), 4, tools=())


@dataclass(frozen=True)
class StreamTask:
    """One stream, to be judged in one mode."""

    source: StreamSource
    path: Path
    extent: StreamExtent
    mode: RunMode
    seed: int

    def outcomes(self) -> list[StreamOutcome]:
        """Judge the windows of every size."""
        started = time.monotonic()
        subject = prepared(self.source, self.path, self.seed, history=self.mode.history)
        found: list[StreamOutcome] = []
        for n_rows in self.extent.sizes:
            starts = subject.stream.starts(n_rows, self.extent.windows)
            found += Replay(subject, n_rows, starts).outcomes(self.mode)
        _log.info("%s, %s: %d windows, %.0f s", self.source.name, self.mode, len(found), time.monotonic() - started)
        return found


@dataclass(frozen=True)
class PeerTask:
    """One stream, to be judged by other tools, each with its interpreter, and by simple methods."""

    source: StreamSource
    path: Path
    extent: StreamExtent
    python: Mapping[str, Path]
    seed: int

    def outcomes(self) -> list[PeerOutcome]:
        """Judge the windows of every size."""
        started = time.monotonic()
        subject = prepared(self.source, self.path, self.seed, history=False)
        found: list[PeerOutcome] = []
        for n_rows in self.extent.sizes:
            starts = subject.stream.starts(n_rows, self.extent.windows)
            found += others.outcomes(subject, n_rows, starts, self.python)
        _log.info("%s, other tools: %.0f s", self.source.name, time.monotonic() - started)
        return found


def study(
    extent: StreamExtent, wanted: Iterable[StreamSource], folder: Path | None, seed: int, processes: int
) -> StreamStudy:
    """Judge every window; only the time it took depends on anything but the arguments.

    Parameters
    ----------
    folder
        Folder of the streams' files; None: `sources.NEIGHBOUR`.
    processes
        1 judges in this very process.
    """
    started = time.monotonic()
    streams = list(wanted)
    found = list(sources.find(streams, folder))
    python = others.interpreters(extent.tools) if found else {}
    tasks = [StreamTask(source, path, extent, mode, seed) for source, path in found for mode in extent.modes]
    peers = [PeerTask(source, path, extent, python, seed) for source, path in found if extent.has_others]
    at_hand = {*python, *(source.name for source, _ in found)}
    return StreamStudy(
        command=extent.command,
        seed=seed,
        versions={"Python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        outcomes=tuple(one for outcomes in _all(_judged, tasks, processes) for one in outcomes),
        others=tuple(one for outcomes in _all(_by_others, peers, processes) for one in outcomes),
        absent=tuple(name for name in (*(one.name for one in streams), *extent.tools) if name not in at_hand),
        seconds=time.monotonic() - started,
    )


def _all(judge: Callable[[Any], list[_T]], tasks: Sequence[Any], processes: int) -> Iterable[list[_T]]:
    if processes == 1:
        return [judge(task) for task in tasks]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(judge, tasks))


def quiet() -> None:
    """Log what the study does, and of the product errors alone: it warns of what a study means to show."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("research").setLevel(logging.INFO)
    logging.getLogger("plumbline").setLevel(logging.ERROR)


def _judged(task: StreamTask) -> list[StreamOutcome]:
    quiet()
    return task.outcomes()


def _by_others(task: PeerTask) -> list[PeerOutcome]:
    quiet()
    return task.outcomes()


def prepared(source: StreamSource, path: Path, seed: int, *, history: bool) -> StreamSubject:
    """Train the model on a stream's first rows and learn its baseline as a user does, from files."""
    stream = sources.read(source, path)
    probabilities = answers(stream, seed)
    with temporary_folder() as folder:
        files = write_reference(stream, probabilities, folder)
        if history:
            files = replace(files, history=folder / "history.csv", time_column=TIME_COLUMN)
            write_history(stream, seed, folder / "history.csv")
        return StreamSubject(stream, probabilities, learn_reference(files))
