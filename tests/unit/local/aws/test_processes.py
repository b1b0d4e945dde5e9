import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plumbline.local.aws.processes import Processes

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def start(processes: Processes, folder: Path, code: str) -> "subprocess.Popen[bytes]":
    return processes.start([sys.executable, "-c", code], cwd=folder, environment={}, log=folder / "logs" / "log")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").is_dir() else True


def wait_for(text: str, log: Path) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if log.exists() and text in (said := log.read_text()):
            return said
        time.sleep(0.01)
    raise AssertionError(f"{text!r} never appeared in {log}")


def test_output_goes_to_the_log(processes: Processes, tmp_path: Path) -> None:
    process = start(processes, tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert process.wait() == 3
    assert processes.end(process) == 3
    assert sorted((tmp_path / "logs" / "log").read_text().split()) == ["err", "out"]


def test_stop_ends_a_whole_group(processes: Processes, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', '{SLEEP}'])\n"
        "print('child', child.pid, flush=True)\n"
        "child.wait()"
    )
    process = start(processes, tmp_path, code)
    child = int(wait_for("\n", tmp_path / "logs" / "log").split()[1])

    processes.stop()

    assert process.returncode is not None
    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(child)


def test_process_that_ignores_the_polite_signal_is_killed(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plumbline.local.aws.processes._GRACE_SECONDS", 0.1)
    process = start(processes, tmp_path, STUBBORN)
    wait_for("up", tmp_path / "logs" / "log")

    assert processes.end(process) == -9


def test_nothing_starts_after_stop(processes: Processes, tmp_path: Path) -> None:
    processes.stop()

    with pytest.raises(RuntimeError, match="stopping"):
        start(processes, tmp_path, SLEEP)


def test_standard_input_closes_with_us(processes: Processes, tmp_path: Path) -> None:
    process = start(processes, tmp_path, "import sys; sys.stdin.read(); print('closed')")
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait() == 0
    processes.end(process)
