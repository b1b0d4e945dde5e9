"""Monitoring schedules: one execution for every window of the clock that is over, each a processing job."""

import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from plumbline.contract.names import MlPath, ReportFile
from plumbline.local.aws import objects
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.events import iso
from plumbline.local.aws.hosting.capture import DataCapture
from plumbline.local.aws.jobs.engine import Job, JobEngine
from plumbline.local.aws.jobs.monitoring_contract import (
    capture_folders,
    check_supported,
    definition_of,
    job_request,
    output_of,
    timing_of,
)
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.sagemaker import listing
from plumbline.local.aws.sagemaker.control_plane import ControlPlane

log = logging.getLogger(__name__)

METRIC_NAMESPACE: Final = "aws/sagemaker/Endpoints/data-metrics"
"""Of the metrics file: AWS's pages disagree, its working samples have this spelling."""

_POLL_SECONDS: Final = 0.2
_METRICS_PER_CALL: Final = 1000
_WITH_VIOLATIONS: Final = "CompletedWithViolations"

Record = Mapping[str, Any]


class Monitoring:
    """Runs the executions of every schedule: one after another per schedule, and none that is due is left out.

    Parameters
    ----------
    client
        Takes a service's name and a role's ARN.

    Attributes
    ----------
    executions
        By the name of their processing job; rows have the members of MonitoringExecutionSummary.
    """

    def __init__(
        self, plane: ControlPlane, jobs: JobEngine, capture: DataCapture, client: Callable[[str, str], Any]
    ) -> None:
        self._plane = plane
        self._jobs = jobs
        self._capture = capture
        self._client = client
        self._ended: dict[str, threading.Event] = {}
        self.executions: dict[str, dict[str, Any]] = {}
        plane.operations["ListMonitoringExecutions"] = self._list_executions
        plane.hooks["MonitoringSchedule.create"] = self._create
        plane.hooks["MonitoringSchedule.update"] = lambda record, _before: check_supported(record)
        plane.hooks["MonitoringSchedule.delete"] = lambda record: self._ended[record["MonitoringScheduleName"]].set()

    def stop(self) -> None:
        """Start no more executions."""
        for ended in list(self._ended.values()):
            ended.set()

    def _create(self, record: Record) -> None:
        check_supported(record)
        name = record["MonitoringScheduleName"]
        ended = self._ended[name] = threading.Event()
        first = timing_of(record).next_due(record["CreationTime"])
        threading.Thread(target=self._loop, args=(name, first, ended), name=f"monitor-{name}", daemon=True).start()

    def _loop(self, name: str, due: int, ended: threading.Event) -> None:
        while not ended.is_set():
            if self._plane.clock() < due:
                self._plane.clock.wait(_POLL_SECONDS)
                continue
            try:
                schedule = dict(self._plane.get("MonitoringSchedule", name))
            except ApiError:
                return  # deleted
            try:
                if schedule["MonitoringScheduleStatus"] == "Scheduled":
                    self._execute(schedule, due)
            except Exception:
                log.exception("execution of schedule %s due at %s", name, iso(due))
            due = timing_of(schedule).next_due(due)

    def _execute(self, schedule: Record, due: int) -> None:
        self._capture.flush()
        name = f"model-monitoring-{datetime.fromtimestamp(due, UTC):%Y%m%d%H%M}-{uuid.uuid4().hex[:12]}"
        row = {
            "MonitoringScheduleName": schedule["MonitoringScheduleName"],
            "ScheduledTime": float(due),
            "CreationTime": self._plane.clock(),
            "ProcessingJobArn": self._plane.arn("ProcessingJob", name),
            "EndpointName": schedule["EndpointName"],
        }
        self._publish(name, {**row, "MonitoringExecutionStatus": "InProgress"})
        try:
            outcome = self._run_job(name, schedule, due)
        except Exception as error:
            self._publish(name, {**row, "MonitoringExecutionStatus": "Failed", "FailureReason": str(error)})
            raise
        self._publish(name, {**row, **outcome})

    def _run_job(self, name: str, schedule: Record, due: int) -> dict[str, str]:
        """Run the processing job of one execution and return the execution's end."""
        definition = definition_of(schedule)
        endpoint = self._plane.get("Endpoint", schedule["EndpointName"])
        config = self._plane.get("EndpointConfig", endpoint["EndpointConfigName"])
        source = S3Location.parse(config["DataCaptureConfig"]["DestinationS3Uri"]).joined(schedule["EndpointName"])
        variants = [variant["VariantName"] for variant in config["ProductionVariants"]]
        found = self._with_data(definition["RoleArn"], source, capture_folders(schedule, variants, due))
        self._plane.call("CreateProcessingJob", job_request(name, schedule, due, source, found))
        self._plane.change("ProcessingJob", name, MonitoringScheduleArn=schedule["MonitoringScheduleArn"])
        job = self._jobs.wait(name)
        self._put_metrics(job, definition["RoleArn"])
        return outcome(self._plane.get("ProcessingJob", name), job.host_path(output_of(definition)["LocalPath"]))

    def _with_data(self, role: str, source: S3Location, folders: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """Return the folders with capture of the window; all when none has, so that the job fails for want of data."""
        try:
            client = self._client("s3", role)
            found = [
                folder
                for folder, hours in folders.items()
                if any(any(objects.keys(client, source.joined(hour))) for hour in hours)
            ]
        except ClientError:
            return [*folders]  # the job meets the same refusal and reports it
        return found or [*folders]

    def _publish(self, name: str, row: dict[str, Any]) -> None:
        """Show the state of an execution."""
        row["LastModifiedTime"] = self._plane.clock()
        with self._plane.lock:
            self.executions[name] = row
            try:
                schedule = self._plane.get("MonitoringSchedule", row["MonitoringScheduleName"])
            except ApiError:
                return  # deleted while the execution ran, which goes on, as on AWS
            schedule["LastMonitoringExecutionSummary"] = row

    def _list_executions(self, params: dict[str, Any]) -> dict[str, Any]:
        return listing.page(
            "ListMonitoringExecutions",
            list(self.executions.values()),
            {"SortBy": "ScheduledTime", **params},
            name_field="MonitoringScheduleName",
            status_field="MonitoringExecutionStatus",
        )

    def _put_metrics(self, job: Job, role: str) -> None:
        """Publish the metrics file of the contract, as the platform does with the job's role."""
        files = sorted((job.root / MlPath.METRICS).parent.glob("*.jsonl"))
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not lines:
            return
        try:
            data = [json.loads(line) for line in lines]
            client = self._client("cloudwatch", role)
            for start in range(0, len(data), _METRICS_PER_CALL):
                chunk = data[start : start + _METRICS_PER_CALL]
                client.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=chunk)
        except (ValueError, BotoCoreError, ClientError):
            log.exception("metrics file of %s", job.name)


def outcome(record: Record, output: Path) -> dict[str, str]:
    """Return the end of an execution from its processing job and the job's output folder.

    AWS documents no signal for violations: the exit message's first word or the violations file counts as one.
    """
    status = record["ProcessingJobStatus"]
    if status == "Failed":
        reason = record["FailureReason"]
        no_data = "No S3 objects found" in reason
        return {
            "MonitoringExecutionStatus": status,
            "FailureReason": f"Job inputs had no data: {reason}"[:1024] if no_data else reason,
        }
    is_in_message = record.get("ExitMessage", "").startswith(_WITH_VIOLATIONS)
    if status == "Completed" and (is_in_message or _has_violations(output / ReportFile.VIOLATIONS)):
        status = _WITH_VIOLATIONS
    return {"MonitoringExecutionStatus": status}


def _has_violations(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and bool(document.get("violations"))
