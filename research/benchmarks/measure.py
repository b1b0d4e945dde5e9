"""Run one command and print, as JSON, how long it took and how much memory it needed.

A program of its own, without imports of ours: the kernel counts the memory of the parent as part of the
new process's peak, so the starter must be small.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.2
_KILOBYTE = 1024


def measure(words: list[str], *, core: int | None, log: Path) -> dict[str, Any]:
    """Run a command to its end and return what it took; its standard error goes to `log`.

    Parameters
    ----------
    core
        The one core that the command may use; None where the system cannot pin.

    Returns
    -------
    exit_code; seconds from start to end (wall clock); cpu_seconds; peak_bytes of resident memory, of all processes
    together where there are several; first_line_seconds from the start to the first line on standard error, None
    without one.
    """
    start = time.perf_counter()
    process = _start(words, core)
    ended = threading.Event()
    sampler = _Sampler(process.pid, ended)
    sampler.start()
    first_line = _drain(process, log, start)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    sampler.join()
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else _KILOBYTE)
    return {
        "exit_code": process.returncode,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": max(peak, sampler.peak_of_several),
        "first_line_seconds": first_line,
    }


def _start(words: list[str], core: int | None) -> "subprocess.Popen[bytes]":
    """Start a command on one core: what it may use is inherited from this process, which then takes it back."""
    cores = None if core is None else os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    process = subprocess.Popen(  # noqa: S603 - the caller's command
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if cores is not None:
        os.sched_setaffinity(0, cores)
    return process


def _drain(process: "subprocess.Popen[bytes]", log: Path, start: float) -> float | None:
    """Copy standard error to `log` until it closes; return when its first line came."""
    first_line = None
    assert process.stderr is not None  # noqa: S101 - it is a pipe, as started
    with process.stderr, log.open("wb") as stream:
        for line in process.stderr:
            first_line = first_line or time.perf_counter() - start
            stream.write(line)
    return first_line


class _Sampler(threading.Thread):
    """Adds up the resident memory of a process and its descendants, now and again; wait4 knows one process only."""

    def __init__(self, pid: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, ended
        self.peak_of_several = 0

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            pids = _family(self._pid)
            if len(pids) > 1:
                self.peak_of_several = max(self.peak_of_several, sum(map(_resident_bytes, pids)))


def _family(pid: int) -> list[int]:
    """Return a process and its descendants; without /proc, the process alone."""
    parents = dict(map(_parent, Path("/proc").glob("[0-9]*/stat")))
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _parent(stat: Path) -> tuple[int, int]:
    """Return a process and the one that started it; 0 once it has ended."""
    try:
        after_name = stat.read_text().rpartition(")")[2]
    except OSError:
        return int(stat.parent.name), 0
    return int(stat.parent.name), int(after_name.split()[1])


def _resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # the process has ended
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Take the core (or ``-``), the log file and the command from the arguments."""
    core, log, *words = sys.argv[1:]
    print(json.dumps(measure(words, core=None if core == "-" else int(core), log=Path(log))))


if __name__ == "__main__":
    main()
