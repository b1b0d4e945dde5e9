"""The whole study in a given extent: replays run in parallel, each in one process."""

import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from plumbline.drift.data.documents import temporary_folder
from research.studies.streams import sources
from research.studies.streams.outcomes import RunMode, StreamOutcome
from research.studies.streams.replay import Replay
from research.studies.streams.sources import StreamSource
from research.studies.streams.subject import StreamSubject, answers, write_reference

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamExtent:
    """How much is run: `windows` of each of the `sizes`, at most, in each of the `modes`."""

    sizes: tuple[int, ...]
    windows: int
    modes: tuple[RunMode, ...]


MODES = (RunMode(False, 1), RunMode(True, None), RunMode(True, 1), RunMode(True, 2))
FULL = StreamExtent((500, 1_000, 2_000), 20, MODES)
QUICK = StreamExtent((500,), 4, MODES)


@dataclass(frozen=True)
class StreamTask:
    """One stream in one mode."""

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


def study(
    extent: StreamExtent, wanted: Iterable[StreamSource], folder: Path | None, seed: int, processes: int
) -> list[StreamOutcome]:
    """Judge every window; equal arguments give equal outcomes.

    Parameters
    ----------
    folder
        Folder of the streams' files; None: `sources.NEIGHBOUR`.
    processes
        1 judges in this very process.
    """
    found = list(sources.find(list(wanted), folder))
    tasks = [StreamTask(source, path, extent, mode, seed) for source, path in found for mode in extent.modes]
    return [outcome for outcomes in _all(tasks, processes) for outcome in outcomes]


def _all(tasks: Sequence[StreamTask], processes: int) -> Iterable[list[StreamOutcome]]:
    if processes == 1:
        return [task.outcomes() for task in tasks]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_outcomes, tasks))


def _outcomes(task: StreamTask) -> list[StreamOutcome]:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("research").setLevel(logging.INFO)
    logging.getLogger("plumbline").setLevel(logging.ERROR)
    return task.outcomes()


def prepared(source: StreamSource, path: Path, seed: int, *, history: bool) -> StreamSubject:
    """Train the model on a stream's first rows and learn its baseline as a user does, from files."""
    stream = sources.read(source, path)
    probabilities = answers(stream, seed)
    with temporary_folder() as folder:
        files = write_reference(stream, probabilities, folder)
        if history:
            raise ValueError("a baseline of this version keeps no history; run with --history without")
        return StreamSubject(stream, probabilities, files.learn())
