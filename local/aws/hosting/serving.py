"""The container of one production variant: model and code from S3, the serving script, and requests to it."""

import http.client
import queue
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from plumbline.local.aws import objects
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.processes import Processes

_XGBOOST: Final = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/sagemaker-xgboost[:@].+")
_SCRIPT: Final = Path(__file__).with_name("serving_container.py")
_HEALTH_SECONDS: Final = 600
_POLL_SECONDS: Final = 0.05
_INVOKE_SECONDS: Final = 60.0
"""How long a model has to answer an invocation."""

Record = Mapping[str, Any]


class HostingError(Exception):
    """Raised when a container cannot come up; the text becomes the endpoint's FailureReason."""


def check_xgboost(image: str) -> None:
    """Refuse images other than SageMaker's XGBoost.

    Raises
    ------
    HostingError
        For another image.
    """
    if not _XGBOOST.fullmatch(image):
        raise HostingError(f"the embedded AWS runs models in sagemaker-xgboost images only, got {image!r}")


def fetch_source(client: Any, uri: str, folder: Path) -> None:
    """Unpack a script-mode source archive into `folder`.

    Raises
    ------
    HostingError
        If it has a requirements.txt.
    """
    archive = folder.with_name("sourcedir.tar.gz")
    objects.download(client, S3Location.parse(uri), archive)
    objects.unpack(archive, folder)
    if (folder / "requirements.txt").exists():
        raise HostingError(f"the embedded AWS installs no requirements.txt of a source archive, found one in {uri}")


@dataclass(frozen=True)
class ContainerResponse:
    """Status, content type (None when absent) and body of a container's answer."""

    status: int
    content_type: str | None
    body: bytes


class ContainerClient:
    """Keep-alive HTTP connections to one container on a loopback port, shared between threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()

    def is_healthy(self) -> bool:
        """Return whether GET /ping answers 200."""
        try:
            return self._send("GET", "/ping", b"", {}).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        """Send one request to /invocations.

        Raises
        ------
        OSError, http.client.HTTPException
            If the container does not answer.
        """
        return self._send("POST", "/invocations", body, headers)

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_INVOKE_SECONDS)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            response = ContainerResponse(answer.status, answer.getheader("Content-Type"), answer.read())
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return response


@dataclass
class ServingContainer:
    """A running container and its client."""

    process: subprocess.Popen[bytes]
    client: ContainerClient


@dataclass(frozen=True)
class Launcher:
    """Brings containers up and down.

    `s3` and `credentials` take a role's ARN; `interpreter` returns the Python of the XGBoost libraries.
    """

    processes: Processes
    s3: Callable[[str], Any]
    credentials: Callable[[str], Mapping[str, str]]
    interpreter: Callable[[], Path]

    def launch(self, model: Record, variant: Record, folder: Path) -> ServingContainer:
        """Return a container that answers /ping; `folder` gets its files and its log.

        Raises
        ------
        HostingError
            With the reason when it cannot.
        """
        primary = _primary(model)
        variables = primary.get("Environment", {})
        program = variables.get("SAGEMAKER_PROGRAM")
        if not program:
            raise HostingError("the embedded AWS serves script mode only: the model must set SAGEMAKER_PROGRAM")
        self._fetch(model, primary, folder)
        process = self.processes.start(
            self._command(folder, program),
            cwd=folder,
            environment={
                "PATH": "/usr/bin:/bin",
                # One core per request, as a gunicorn worker has; a pool per request makes small rows slow.
                "OMP_NUM_THREADS": "1",
                **self.credentials(model["ExecutionRoleArn"]),
                **variables,
            },
            log=folder / "container.log",
        )
        try:
            return ServingContainer(process, self._wait(process, variant, folder))
        except HostingError:
            self.processes.end(process)
            raise

    def end(self, container: ServingContainer) -> None:
        """Stop a container."""
        self.processes.end(container.process)
        container.client.close()

    def _command(self, folder: Path, program: str) -> list[str]:
        paths = {"--model-dir": folder / "model", "--code-dir": folder / "code", "--port-file": folder / "port"}
        options = [str(word) for pair in paths.items() for word in pair]
        # -P: our other modules in the script's folder must not hide libraries of the same name.
        return [str(self.interpreter()), "-P", str(_SCRIPT), "--program", program, *options]

    def _fetch(self, model: Record, primary: Record, folder: Path) -> None:
        role = model["ExecutionRoleArn"]
        uri = primary.get("ModelDataUrl", "")
        source = primary.get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        client = self.s3(role)
        try:
            archive = folder / "model.tar.gz"
            objects.download(client, S3Location.parse(uri), archive)
            objects.unpack(archive, folder / "model")
            if source.startswith("s3://"):
                uri = source
                fetch_source(client, source, folder / "code")
            else:
                (folder / "code").symlink_to(folder / "model" / "code")
        except ClientError as error:
            raise HostingError(
                f'Could not access model data at {uri}. Please ensure that the role "{role}" exists, that it has '
                f'"s3:GetObject" permissions and that the object is located in this Region: {error}'
            ) from error
        except (objects.ArchiveError, ValueError) as error:
            raise HostingError(f"Failed to extract model data from {uri or 'no URL'}: {error}") from error

    def _wait(self, process: subprocess.Popen[bytes], variant: Record, folder: Path) -> ContainerClient:
        limit = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _HEALTH_SECONDS)
        deadline = time.monotonic() + limit
        port_file = folder / "port"
        client: ContainerClient | None = None
        while time.monotonic() < deadline and process.poll() is None:
            if client is None and port_file.exists():
                client = ContainerClient(int(port_file.read_text(encoding="ascii")))
            if client is not None and client.is_healthy():
                return client
            time.sleep(_POLL_SECONDS)
        log = folder / "container.log"
        cause = last_words(log.read_text(encoding="utf-8", errors="replace"))
        raise HostingError(
            f"The primary container for production variant {variant['VariantName']} did not pass the ping health "
            f"check. Its last words in {log}: {cause}"
        )


def last_words(text: str) -> str:
    """Return a log's line with the likely cause of the process's end: the last error before any native stack."""
    lines = text.strip().splitlines() or ["none"]
    errors = [line for line in lines if not line[:1].isspace() and ": " in line]
    return errors[-1] if errors else lines[-1]


def _primary(model: Record) -> Record:
    primary: Record | None = model.get("PrimaryContainer")
    if primary is None:
        containers = model.get("Containers", [])
        if len(containers) != 1:
            raise HostingError(f"the embedded AWS serves one container per model, got {len(containers)}")
        primary = containers[0]
    check_xgboost(primary.get("Image", ""))
    return primary
