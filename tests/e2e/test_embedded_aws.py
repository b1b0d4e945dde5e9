"""The server as a child process: its clock, its end, and what it says when it cannot start."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plumbline.local.aws.settings import ROOT
from plumbline.local.embedded import EmbeddedAws, EmbeddedAwsError

pytestmark = pytest.mark.e2e

STARTER = """
import sys, time
from pathlib import Path
from plumbline.local.embedded import EmbeddedAws
with EmbeddedAws.start(Path(sys.argv[1])) as aws:
    print(aws.url, aws._process.pid, flush=True)
    time.sleep(60)
"""


def _gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, 0)
            time.sleep(0.05)
            continue
        return True
    return False


@contextlib.contextmanager
def _started(state: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-c", STARTER, str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        _, pid = parent.stdout.readline().split()
        try:
            yield parent, int(pid)
        finally:
            parent.kill()


def test_clock_starts_where_it_is_told_and_jumps(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with EmbeddedAws.start(tmp_path, start=start) as aws:
        assert timedelta(0) <= aws.now() - start < timedelta(minutes=1)
        assert aws.advance(3600) - start >= timedelta(hours=1)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            aws.advance(-1)
    assert _gone(aws._process.pid)


def test_clock_runs_at_its_speed(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with EmbeddedAws.start(tmp_path, start=start, speed=3600) as aws:
        before = aws.now()
        time.sleep(0.5)
        assert aws.now() - before >= timedelta(minutes=30)


def test_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    with _started(tmp_path) as (parent, pid):
        parent.kill()
        assert _gone(pid)


def test_ctrl_c_in_the_parent_ends_the_server(tmp_path: Path) -> None:
    with _started(tmp_path) as (parent, pid):
        parent.send_signal(signal.SIGINT)
        assert _gone(pid)


def test_everything_it_leaves_is_below_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with EmbeddedAws.start(tmp_path / "state") as aws:
        aws.client("s3").create_bucket(Bucket="some-bucket")
    assert list(temporary.iterdir()) == []


def test_taken_port_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EmbeddedAwsError, match=r"(?s)ended with exit code 1; .*server\.log:\n.*in use"):
            EmbeddedAws.start(tmp_path, port=taken.getsockname()[1])
