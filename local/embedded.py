"""Start and stop the embedded AWS as a child process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from plumbline.local import environments
from plumbline.local.aws.images.docker import STATE_VARIABLE
from plumbline.local.aws.settings import ACCOUNT, REGION, ROOT, ServerSettings, credentials, environment

LOCK: Final = ROOT / "requirements" / "emulator.txt"
SERVER: Final = ("-m", "plumbline.local.aws.server")
"""What the emulator's interpreter runs."""
_READY_SECONDS: Final = 60
_STOP_SECONDS: Final = 15
_TAIL_LINES: Final = 30


class EmbeddedAwsError(Exception):
    """The embedded AWS did not start, or stopped by itself."""


class EmbeddedAws:
    """A running embedded AWS; use it as a context manager, then nothing stays behind.

    Attributes
    ----------
    url
        Its endpoint URL.
    account, region
        The account that root credentials act in, and the Region.
    log
        The server's log file.
    environment
        Environment for the CDK CLI and for SDKs in child processes: this process's own, pointed at the server.
    """

    account = ACCOUNT
    region = REGION

    def __init__(self, process: subprocess.Popen[bytes], settings: ServerSettings, python: Path) -> None:
        self._process = process
        self._settings = settings
        self.url = settings.url
        self.log = _log_file(settings)
        self.environment = client_environment(settings, python)
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(
        cls, state: Path, *, port: int | None = None, start: datetime | None = None, speed: float = 1.0
    ) -> "EmbeddedAws":
        """Start the server and wait until it answers.

        Parameters
        ----------
        state
            Folder for everything it leaves; made when it is missing.
        port
            Loopback port; the operating system chooses a free one when it is None.
        start
            The simulated clock's first reading, with a time zone; None for the real time.
        speed
            Simulated seconds per real second.

        Raises
        ------
        EmbeddedAwsError
            If it does not answer; the message ends with the last lines of its log.
        EnvironmentSetupError
            If its packages cannot be installed.
        """
        settings = ServerSettings(port or _free_port(), state.resolve(), start, speed)
        settings.state.mkdir(parents=True, exist_ok=True)
        python = environments.ensure(LOCK, name="emulator")
        embedded = cls(_spawn(settings, python), settings, python)
        try:
            embedded._wait_until_ready()
        except BaseException:
            embedded.stop()
            raise
        return embedded

    def client(self, service: str) -> Any:
        """Return the boto3 client of the account's root user: one per service, kept with its connections."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def now(self) -> datetime:
        """Return the simulated time in UTC."""
        return _moment(self._request("GET", "/_local/clock"))

    def advance(self, seconds: float) -> datetime:
        """Jump the simulated clock forward and return the new time; schedules and alarms follow promptly."""
        return _moment(self._request("POST", f"/_local/clock?advance={seconds}"))

    def stop(self) -> None:
        """End the server and all it started. A second call does nothing."""
        with _shielded():
            if self._process.stdin:
                self._process.stdin.close()
            if self._process.poll() is None:
                self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def __enter__(self) -> Self:
        """Return the running embedded AWS."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmbeddedAwsError(self._failure(f"ended with exit code {self._process.returncode}"))
            with contextlib.suppress(OSError):
                self._request("GET", "/_local/health")
                return
            time.sleep(0.05)
        raise EmbeddedAwsError(self._failure(f"did not answer within {_READY_SECONDS} s"))

    def _failure(self, what: str) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        tail = "\n".join(text.splitlines()[-_TAIL_LINES:])
        return f"the embedded AWS {what}; the end of {self.log}:\n{tail}"

    def _request(self, method: str, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310 - our own loopback URL
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


def client_environment(settings: ServerSettings, python: Path) -> dict[str, str]:
    """Return our environment without the user's AWS set-up, plus what points the CDK CLI and SDKs at the server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **credentials(settings.url),
        # The CLI remembers which account a key belongs to, across emulators.
        "CDK_HOME": str(settings.state / "cdk-home"),
        "CDK_DOCKER": str(_docker_program(settings.state, python)),
        STATE_VARIABLE: str(settings.state),
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,19,20,21,23",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
    }


def _docker_program(state: Path, python: Path) -> Path:
    """Write the executable that replaces docker: the CLI takes a program's name, without arguments."""
    program = state / "bin" / "docker"
    program.parent.mkdir(parents=True, exist_ok=True)
    # -P: the folder of a build context holds a part of the package, which would hide the whole.
    command = f'PYTHONPATH="{ROOT}" exec "{python}" -P -m plumbline.local.aws.images.docker "$@"'
    program.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def _moment(answer: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(answer["now"], UTC)


def _log_file(settings: ServerSettings) -> Path:
    return settings.state / "server.log"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _spawn(settings: ServerSettings, python: Path) -> subprocess.Popen[bytes]:
    command = [str(python), *SERVER, "--port", str(settings.port), "--state", str(settings.state)]
    command += ["--speed", str(settings.speed)]
    if settings.start:
        command += ["--start", settings.start.isoformat()]
    with _log_file(settings).open("ab") as log:
        # A session of its own: Ctrl-C reaches us alone, and we end the server in order. Its standard input is a pipe
        # that closes with us, however we end.
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=ROOT,
            env={**environment(settings, os.environ), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextlib.contextmanager
def _shielded() -> Iterator[None]:
    """Keep a second Ctrl-C from interrupting the clean-up; only the main thread may set signal handlers."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
