"""Runs every program on every window, in alternating order, each in a process of its own on one core."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from research.benchmarks.programs import ON_SPARK, OURS, BenchmarkTask, Program, ProgramCommand
from research.benchmarks.results import NotRun, ProgramMeasurement

ONCE_ABOVE_RECORDS: Final = 1_000_000
"""Larger windows are run once: their time varies little, and there is much of it."""

Measure = Callable[[ProgramCommand, Path], Mapping[str, Any]]
"""(command, log file) -> what `research.benchmarks.measure` prints."""


class BenchmarkError(Exception):
    """Our own program failed, or read another number of rows than there are."""


@dataclass(frozen=True)
class BenchmarkPlan:
    """Which windows are run, and how often."""

    sizes: Sequence[int]
    repetitions: int
    largest_of_peers: int
    """Windows with more records are run by ours alone."""
    size_on_spark: int | None = None
    """The window that ours is run on with Spark as well; None for none."""

    def turns(self, programs: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """Yield (records, repetition, program) in the order to run: each repetition starts with another program."""
        for records in self._all_sizes():
            several = [name for name in programs if self._includes(name, records)]
            for repetition in range(1 if records > ONCE_ABOVE_RECORDS else self.repetitions):
                first = repetition % len(several)
                for name in several[first:] + several[:first]:
                    yield records, repetition, name

    def left_out(self, programs: Sequence[str]) -> list[NotRun]:
        """Return the windows that are too large for the peers."""
        reason = f"above --largest-of-peers {self.largest_of_peers}"
        sizes = [records for records in self._all_sizes() if records > self.largest_of_peers]
        return [NotRun(name, records, reason) for records in sizes for name in programs if not _is_ours(name)]

    def _all_sizes(self) -> list[int]:
        return sorted({*self.sizes, *filter(None, [self.size_on_spark])})

    def _includes(self, program: str, records: int) -> bool:
        if program == ON_SPARK:
            return records == self.size_on_spark
        return _is_ours(program) or records <= self.largest_of_peers


def _is_ours(program: str) -> bool:
    return program in {OURS, ON_SPARK}


@dataclass
class Runner:
    """Performs a plan's turns.

    `task` makes the task of a window of so many records, with an output folder that does not exist yet.
    """

    task: Callable[[int], BenchmarkTask]
    measure: Measure
    report_progress: Callable[[str], None]
    measurements: list[ProgramMeasurement] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)

    def run(self, plan: BenchmarkPlan, programs: Sequence[Program]) -> None:
        """Run every turn; a peer that fails on a window is noted and not run on it, or a larger one, again.

        Raises
        ------
        BenchmarkError
            If ours fails.
        """
        by_name = {program.name: program for program in programs}
        self.not_run += plan.left_out(list(by_name))
        failed: set[str] = set()
        for records, repetition, name in plan.turns(list(by_name)):
            if name in failed:
                continue
            try:
                self._turn(by_name[name], records, repetition)
            except BenchmarkError as error:
                if _is_ours(name):
                    raise
                failed.add(name)
                self.not_run.append(NotRun(name, records, str(error)))
                self.report_progress(f"{name} at {records} records: {error}")

    def _turn(self, program: Program, records: int, repetition: int) -> None:
        task = self.task(records)
        _read_through(task.window)
        shutil.rmtree(task.output, ignore_errors=True)
        task.output.mkdir(parents=True)
        log = task.output / "log"
        found = dict(self.measure(program.command(task), log))
        exit_code = found.pop("exit_code")
        if exit_code:
            raise BenchmarkError(f"exit code {exit_code}: {_last_line(log)}")
        if (rows := program.rows_judged(task)) != records:
            raise BenchmarkError(f"rows judged must be {records}, got {rows}")
        entry = ProgramMeasurement(program=program.name, records=records, repetition=repetition, **found)
        self.measurements.append(entry)
        self.report_progress(
            f"{records:>9,} records, {program.name}: {entry.seconds:.2f} s, {entry.peak_bytes / 1e6:.0f} MB "
            f"(repetition {repetition + 1})"
        )


def measure(core: int | None) -> Measure:
    """Return what measures a command from a small process of its own, pinned to `core` if it may use one core only."""
    script = Path(__file__).with_name("measure.py")

    def run(command: ProgramCommand, log: Path) -> Mapping[str, Any]:
        pinned = str(core) if command.one_core and core is not None else "-"
        printed = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-I", "-S", script, pinned, log, *command.words],
            check=True,
            stdout=subprocess.PIPE,
            cwd=command.folder,
            env=dict(command.environment),
        )
        found: dict[str, Any] = json.loads(printed.stdout)
        return found

    return run


def _read_through(folder: Path) -> None:
    """Bring the files into the system's cache, so that no program pays for the disk."""
    for file in folder.rglob("*.jsonl"):
        with file.open("rb") as stream:
            while stream.read(1 << 20):
                pass


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing on standard error"


def describe_machine() -> dict[str, str]:
    """Return processor, cores, memory and system in words; what the system does not report is left out."""
    facts = {
        "processor": _line("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count() or ""),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": platform.python_version(),
    }
    return {name: text for name, text in facts.items() if text}


def core_to_pin() -> int | None:
    """Return the last core that this process may use: the first one serves the system's interrupts."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _memory() -> str:
    kilobytes = _line("/proc/meminfo", "MemTotal").split()
    return f"{int(kilobytes[0]) * 1024 / 1e9:.0f} GB" if kilobytes else ""


def _line(file: str, key: str) -> str:
    """Return the value after ``key:`` in a file of the kernel; empty when there is none."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
