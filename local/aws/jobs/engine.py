"""The common part of training and processing jobs: thread, folder, process, statuses and events of a job."""

import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from plumbline.contract.names import PLATFORM_ROOT
from plumbline.local.aws import objects
from plumbline.local.aws.events import in_milliseconds
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.processes import Processes
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import MAX_REASON

log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.1

Record = Mapping[str, Any]


class JobError(Exception):
    """Raised when a job fails; the text becomes its FailureReason. `members` are set on its record as well."""

    def __init__(self, reason: str, **members: Any) -> None:
        super().__init__(reason)
        self.members = members


class JobStopped(Exception):
    """Raised when a job was stopped by hand or by its time limit."""

    def __init__(self, *, by_limit: bool) -> None:
        super().__init__("MaxRuntimeExceeded" if by_limit else "Stopped")


@dataclass(frozen=True)
class Job:
    """One run: its request, its platform folder (/opt/ml in the image) and its log."""

    name: str
    record: Record
    folder: Path
    processes: Processes
    stop: threading.Event

    @property
    def root(self) -> Path:
        """The folder that stands for /opt/ml."""
        return self.folder / "opt" / "ml"

    @property
    def log(self) -> Path:
        """Everything the container printed."""
        return self.folder / "job.log"

    def host_path(self, text: str) -> Path:
        """Return where a path of the image below /opt/ml is on this machine."""
        return Path(self.mapped(text))

    def mapped(self, text: str) -> str:
        """Map a text that is a path below /opt/ml to this job's folder; every other text stays as it is."""
        if text == PLATFORM_ROOT or text.startswith(f"{PLATFORM_ROOT}/"):
            return str(self.root) + text.removeprefix(PLATFORM_ROOT)
        return text

    def write_json(self, relative: str, document: Any) -> None:
        """Write a configuration file below the platform folder."""
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1, default=str), encoding="utf-8")

    def run(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
        """Run the container's process and return its exit code.

        The time limit counts real seconds: a compressed clock does not make our machine faster.

        Raises
        ------
        JobStopped
            When the job was stopped or its MaxRuntimeInSeconds has passed.
        """
        temporary = self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        private = {"HOME": str(temporary), "TMPDIR": str(temporary), "LANG": "C.UTF-8"}
        limit = self.record.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86400)
        deadline = time.monotonic() + limit
        process = self.processes.start(command, cwd=cwd, environment={**private, **environment}, log=self.log)
        try:
            while not self.stop.is_set() and time.monotonic() < deadline:
                try:
                    return process.wait(_POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
            raise JobStopped(by_limit=not self.stop.is_set())
        finally:
            self.processes.end(process)


def fetch(client: Any, uri: str, folder: Path, role: str) -> None:
    """Download an S3Prefix source in File mode.

    Raises
    ------
    JobError
        With SageMaker's text when nothing is there or the role may not read it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        count = objects.download_prefix(client, S3Location.parse(uri), folder)
    except (ClientError, ValueError) as error:
        raise JobError(f"ClientError: Data download failed:Failed to download data from {uri}: {error}") from error
    if not count:
        raise JobError(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
            "Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, "
            f'and that the role "{role}" has "s3:ListBucket" permissions.'
        )


class JobEngine:
    """Runs the jobs of one kind, each in a thread of its own.

    Parameters
    ----------
    kind
        ``TrainingJob`` or ``ProcessingJob``.
    work
        Does one job and returns the members that its record gets on completion; raises JobError or JobStopped.
    """

    def __init__(
        self,
        plane: ControlPlane,
        kind: str,
        work: Callable[[Job], dict[str, Any]],
        processes: Processes,
        folder: Path,
    ) -> None:
        self._plane = plane
        self._kind = kind
        self._verb = kind.removesuffix("Job")
        self._work = work
        self._processes = processes
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._threads: dict[str, threading.Thread] = {}
        plane.hooks[f"{kind}.create"] = self._create
        plane.hooks[f"{kind}.stop"] = self._stop

    def wait(self, name: str) -> Job:
        """Return a job after its end.

        Raises
        ------
        KeyError
            If no job of this name was started.
        """
        self._threads[name].join()
        return self._jobs[name]

    def stop(self) -> None:
        """Stop every job that still runs."""
        for job in list(self._jobs.values()):
            job.stop.set()

    def _create(self, record: dict[str, Any]) -> None:
        name = record[f"{self._kind}Name"]
        job = Job(name, dict(record), self._folder / name, self._processes, threading.Event())
        self._jobs[name] = job
        thread = threading.Thread(target=self._run, args=(job,), name=f"{self._kind}-{name}", daemon=True)
        self._threads[name] = thread
        thread.start()

    def _stop(self, record: Record) -> None:
        self._jobs[record[f"{self._kind}Name"]].stop.set()

    def _run(self, job: Job) -> None:
        self._change(job, "InProgress", self._secondary("Starting"), **{f"{self._verb}StartTime": self._plane.clock()})
        try:
            members = self._work(job)
        except JobStopped as stopped:
            self._end(job, "Stopped", str(stopped))
        except JobError as error:
            self._fail(job, error)
        except Exception as error:
            log.exception("%s %s", self._kind, job.name)
            self._fail(job, JobError(f"InternalServerError: {error}"))
        else:
            self._end(job, "Completed", "Completed", **members)

    def _fail(self, job: Job, error: JobError) -> None:
        log.error("%s %s failed: %s (log: %s)", self._kind, job.name, error, job.log)
        self._end(job, "Failed", "Failed", FailureReason=str(error)[:MAX_REASON], **error.members)

    def _end(self, job: Job, status: str, secondary: str, **members: Any) -> None:
        ended = {f"{self._verb}EndTime": self._plane.clock()}
        self._change(job, status, self._secondary(secondary), **ended, **members)

    def _secondary(self, status: str) -> dict[str, str]:
        return {"SecondaryStatus": status} if self._verb == "Training" else {}

    def _change(self, job: Job, status: str, secondary: Mapping[str, str], **members: Any) -> None:
        """Set the status, unless the job is stopped while it starts, and emit the event."""
        with self._plane.lock:
            if status == "InProgress" and job.stop.is_set():
                status = "Stopping"
            record = self._plane.change(self._kind, job.name, **{f"{self._kind}Status": status}, **secondary, **members)
            detail = in_milliseconds(record)
        arn = record[f"{self._kind}Arn"]
        self._plane.emit_event(f"SageMaker {self._verb} Job State Change", detail, [arn])
