import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from research.benchmarks import runner
from research.benchmarks.programs import ProgramCommand

_MEGABYTE = 1_000_000


def measure(code: str, log: Path, core: int | None = None) -> Mapping[str, Any]:
    """Measure as the benchmark does: from a small process, since this one is a large one."""
    return runner.measure(core)(ProgramCommand((sys.executable, "-c", code), os.environ, log.parent), log)


def test_measures_time_and_memory_of_the_process(tmp_path: Path) -> None:
    code = "import time; held = b'x' * 80_000_000; time.sleep(0.2)"
    found = measure(code, tmp_path / "log")
    assert found["exit_code"] == 0
    assert found["seconds"] >= 0.2
    assert 80 * _MEGABYTE < found["peak_bytes"] < 200 * _MEGABYTE


def test_memory_of_child_processes_counts(tmp_path: Path) -> None:
    child = "import time; held = b'x' * 60_000_000; time.sleep(1.5)"
    code = f"import subprocess, sys; several = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]"
    code += "; [process.wait() for process in several]"
    found = measure(code, tmp_path / "log")
    assert found["peak_bytes"] > 120 * _MEGABYTE


def test_first_line_is_timed_and_the_log_kept(tmp_path: Path) -> None:
    code = "import sys, time; time.sleep(0.2); print('one', file=sys.stderr, flush=True); time.sleep(0.2); sys.exit(3)"
    found = measure(code, tmp_path / "log")
    assert found["exit_code"] == 3
    assert 0.2 <= found["first_line_seconds"] <= found["seconds"] - 0.2
    assert (tmp_path / "log").read_text() == "one\n"


def test_silent_process_has_no_first_line(tmp_path: Path) -> None:
    assert measure("", tmp_path / "log")["first_line_seconds"] is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot pin")
def test_process_gets_one_core(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    code = "import os, sys; print(sorted(os.sched_getaffinity(0)), file=sys.stderr)"
    measure(code, tmp_path / "log", core=max(before))
    assert (tmp_path / "log").read_text() == f"[{max(before)}]\n"


def test_memory_of_whoever_measures_does_not_count(tmp_path: Path) -> None:
    held = b"x" * 200 * _MEGABYTE
    assert measure("", tmp_path / "log")["peak_bytes"] < len(held) / 4
