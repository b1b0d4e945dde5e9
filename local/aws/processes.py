"""Child processes of the embedded AWS: each leads a process group of its own, and none outlives the platform."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_GRACE_SECONDS: Final = 3.0


class Processes:
    """Starts process groups and remembers them until they are ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def start(
        self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a new process group, with exactly `environment`; its output is appended to `log`.

        Its standard input is a pipe that closes when this process dies, however it dies.

        Raises
        ------
        RuntimeError
            If the platform was stopped already.
        OSError
            If the program cannot be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._stopped:
                raise RuntimeError("the embedded AWS is stopping; no process is started any more")
            with log.open("ab") as output:
                process = subprocess.Popen(  # noqa: S603 - commands come from images and our own scripts
                    list(command),
                    cwd=cwd,
                    env=dict(environment),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._live.add(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """End the whole group, politely first, and return the leader's exit code."""
        if process.poll() is None:
            _signal_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
        _signal_group(process, signal.SIGKILL)
        code = process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        with self._lock:
            self._live.discard(process)
        return code

    def stop(self) -> None:
        """End everything that still runs and refuse to start more."""
        with self._lock:
            self._stopped = True
            live = list(self._live)
        for process in live:
            _signal_group(process, signal.SIGTERM)
        for process in live:
            self.end(process)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the group; members may be left when its leader is gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
