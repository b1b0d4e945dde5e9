"""SIGTERM leaves an exit message within its grace, whatever the run is doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plumbline.drift.cli import EXIT_FINISHED, exit_code_of
from plumbline.drift.report.termination import EXIT_TERMINATED, STOPPED, Terminated, reporting_termination

TREE = Path(__file__).parents[4]
JOBS = {
    "waits": "threading.Event().wait()",
    "waits for a file": "open(os.environ['PIPE']).read()",
    "computes in C": "hashlib.pbkdf2_hmac('sha512', b'', b'', 10**9)",
    "computes in Python": "while True: pass",
    "guards its work": """
while True:
    try:
        time.sleep(0.01)
    except Exception:
        pass
""",
}
PROGRAM = """
import hashlib, os, sys, threading, time
from plumbline.drift import cli
from plumbline.drift.report import termination

termination._GRACE_SECONDS = 2.0

def job(_):
    print("running", flush=True)
    exec(os.environ["JOB"])

cli._run = job
sys.exit(cli.main([]))
"""


@pytest.mark.parametrize("name", JOBS)
def test_a_stopped_run_leaves_an_exit_message(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    environment = {
        "JOB": JOBS[name],
        "PIPE": str(tmp_path / "pipe"),
        "PLUMBLINE_ML_ROOT": str(tmp_path),
        "publish_cloudwatch_metrics": "Disabled",
        "PYTHONPATH": str(TREE),
        "PATH": os.environ["PATH"],
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        time.sleep(0.2)  # until the job is in what its name says
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == EXIT_TERMINATED == 143, log
    assert (tmp_path / "output/message").read_text() == f"Failed: {STOPPED}"
    assert STOPPED in log
    assert "MonitorFailures" in (tmp_path / "output/metrics/cloudwatch/cloudwatch_metrics.jsonl").read_text()


def test_the_handler_goes_with_the_work() -> None:
    before = signal.getsignal(signal.SIGTERM)
    reports: list[str] = []
    assert exit_code_of(lambda: None, reports.append) == EXIT_FINISHED
    assert signal.getsignal(signal.SIGTERM) is before
    assert reports == []


def test_a_signal_that_is_not_sigterm_is_no_end() -> None:
    reports: list[str] = []
    earlier = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with reporting_termination(reports.append):
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, earlier)
    assert reports == []


def test_a_second_signal_does_not_interrupt_the_report() -> None:
    reports: list[str] = []

    def report(text: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        reports.append(text)

    def stopped() -> None:
        with reporting_termination(report):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(Terminated):
        stopped()
    assert reports == [STOPPED]
