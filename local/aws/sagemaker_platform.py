"""The part of the local SageMaker that runs things: endpoints, jobs, schedules and data capture."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plumbline.local import environments
from plumbline.local.aws import sessions
from plumbline.local.aws.cloudwatch.service_metrics import EndpointMetrics
from plumbline.local.aws.hosting.capture import DataCapture
from plumbline.local.aws.hosting.endpoints import EndpointHosting
from plumbline.local.aws.hosting.invocation import Answer, Invocations
from plumbline.local.aws.hosting.rollouts import Guardrails
from plumbline.local.aws.hosting.serving import Launcher
from plumbline.local.aws.images.store import ImageStore
from plumbline.local.aws.jobs.engine import JobEngine
from plumbline.local.aws.jobs.monitoring import Monitoring
from plumbline.local.aws.jobs.processing_jobs import ProcessingWork
from plumbline.local.aws.jobs.training_jobs import TrainingWork
from plumbline.local.aws.pipelines.engine import PipelineEngine
from plumbline.local.aws.pipelines.executions import PipelineExecutions
from plumbline.local.aws.processes import Processes
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.model_packages import ModelPackages

_SESSION: Final = "SageMaker"
_TICK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class SageMakerPlatform:
    """All parts that run behind one control plane."""

    invocations: Invocations
    metrics: EndpointMetrics
    hosting: EndpointHosting
    monitoring: Monitoring
    jobs: tuple[JobEngine, ...]
    pipelines: PipelineEngine
    processes: Processes
    stopping: threading.Event

    def invoke(self, endpoint_name: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer InvokeEndpoint with status, headers and body."""
        return self.invocations.invoke(endpoint_name, headers, body)

    def wait_in_service(self, name: str) -> None:
        """Return when an endpoint's latest create or update is in service.

        Raises
        ------
        HostingError
            With the reason when it failed.
        """
        self.hosting.wait(name)

    def stop(self) -> None:
        """End every schedule, job and container, and leave no process behind."""
        self.stopping.set()
        self.monitoring.stop()
        self.pipelines.stop()
        for engine in self.jobs:
            engine.stop()
        self.processes.stop()


def install(plane: ControlPlane, state: Path, root: Path) -> SageMakerPlatform:
    """Register the operations of `plane`, and what happens when its resources are created, changed and deleted.

    Parameters
    ----------
    state
        Folder for images, containers and jobs; nothing is written outside it but cached environments.
    root
        The repository: it has the lock file of the XGBoost image's libraries.
    """
    client = _clients()
    s3 = functools.partial(client, "s3")
    processes = Processes()

    def interpreter() -> Path:
        return environments.ensure(root / "requirements" / "xgboost.txt", name="xgboost")

    def credentials(role_arn: str) -> dict[str, str]:
        return sessions.role_environment(role_arn, _SESSION)

    capture = DataCapture(plane.clock, s3)
    launcher = Launcher(processes, s3, credentials, interpreter)
    hosting = EndpointHosting(plane, launcher, Guardrails(plane.account, plane.region), state / "endpoints")
    training = JobEngine(
        plane, "TrainingJob", TrainingWork(s3, credentials, interpreter), processes, state / "training-jobs"
    )
    work = ProcessingWork(ImageStore(state), s3, credentials)
    processing = JobEngine(plane, "ProcessingJob", work, processes, state / "processing-jobs")
    monitoring = Monitoring(plane, processing, capture, client)
    pipelines = PipelineEngine(plane, PipelineExecutions(plane), client)
    ModelPackages(plane)
    stopping = threading.Event()
    threading.Thread(target=_write_captures, args=(capture, stopping), name="data-capture", daemon=True).start()
    metrics = EndpointMetrics(plane.clock, plane.account, plane.region)
    invocations = Invocations(hosting, capture, metrics, account=plane.account, region=plane.region)
    return SageMakerPlatform(
        invocations, metrics, hosting, monitoring, (training, processing), pipelines, processes, stopping
    )


def _clients() -> Callable[[str, str], Any]:
    """Return a function from service and role to a client; boto3 makes clients on one thread at a time only."""
    lock = threading.Lock()
    make = functools.lru_cache(maxsize=None)(lambda service, role: sessions.client(service, role, _SESSION))

    def client(service: str, role_arn: str) -> Any:
        with lock:
            return make(service, role_arn)

    return client


def _write_captures(capture: DataCapture, stopping: threading.Event) -> None:
    while not stopping.wait(_TICK_SECONDS):
        capture.tick()
