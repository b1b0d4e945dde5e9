import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.hosting.capture import CaptureTarget, DataCapture, Exchange
from plumbline.local.aws.images.store import Image, ImageStore
from plumbline.local.aws.jobs.engine import JobEngine
from plumbline.local.aws.jobs.monitoring import METRIC_NAMESPACE, Monitoring, outcome
from plumbline.local.aws.jobs.monitoring_contract import timing_of
from plumbline.local.aws.jobs.processing_jobs import ProcessingWork
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import FakeS3, RecordingPlane

ROLE = "arn:aws:iam::000000000000:role/monitor"
ENDPOINT_ROLE = "arn:aws:iam::000000000000:role/endpoint"
INPUT, OUTPUT = "/opt/ml/processing/input/endpoint", "/opt/ml/processing/output"
CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
SCRIPT = """
import json, os, pathlib
root = pathlib.Path(os.environ["PLUMBLINE_ML_ROOT"])
source = pathlib.Path(os.environ["dataset_source"])
files = sorted(str(path.relative_to(source)) for path in source.rglob("*.jsonl"))
contract = {name: value for name, value in os.environ.items() if name.islower()}
pathlib.Path(os.environ["output_path"], "seen.json").write_text(json.dumps({"files": files, **contract}))
metrics = root / "output" / "metrics" / "cloudwatch"
metrics.mkdir(parents=True)
(metrics / "cloudwatch_metrics.jsonl").write_text('{"MetricName": "rows", "Value": 1}\\n')
(root / "output" / "message").write_text("Completed: fine")
"""


class FakeCloudWatch:
    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def put_metric_data(self, **call: Any) -> None:
        self.calls.append(call)


@pytest.fixture
def cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch()


@pytest.fixture
def capture(clock: Clock, s3: FakeS3) -> DataCapture:
    return DataCapture(clock, lambda role: s3)


@pytest.fixture
def monitored(
    plane: RecordingPlane,
    processes: Processes,
    folder: Path,
    s3: FakeS3,
    capture: DataCapture,
    cloudwatch: FakeCloudWatch,
) -> Any:
    """Start the runner beside an endpoint with two variants, and stop it at the end."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    store = ImageStore(folder)
    store.put("registry/drift:1", Image(str(tree), "0", sys.executable, ("python", "-c", SCRIPT), {}, "/", "root"))
    jobs = JobEngine(plane, "ProcessingJob", ProcessingWork(store, lambda role: s3, lambda role: {}), processes, folder)
    clients = {"s3": s3, "cloudwatch": cloudwatch}
    monitoring = Monitoring(plane, jobs, capture, lambda service, role: clients[service])
    plane.call("CreateModel", {"ModelName": "m", "ExecutionRoleArn": ENDPOINT_ROLE})
    variants = [
        {"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        for name in ("one", "two")
    ]
    plane.call(
        "CreateEndpointConfig",
        {"EndpointConfigName": "c", "ProductionVariants": variants, "DataCaptureConfig": CAPTURE},
    )
    plane.call("CreateEndpoint", {"EndpointName": "census", "EndpointConfigName": "c"})
    yield monitoring
    monitoring.stop()


def create_schedule(plane: RecordingPlane, expression: str = "cron(0 * ? * * *)", **definition: Any) -> None:
    output = {"S3Uri": "s3://b/reports", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
    plane.call(
        "CreateMonitoringSchedule",
        {
            "MonitoringScheduleName": "hourly",
            "MonitoringScheduleConfig": {
                "ScheduleConfig": {"ScheduleExpression": expression},
                "MonitoringJobDefinition": {
                    "MonitoringAppSpecification": {"ImageUri": "registry/drift:1"},
                    "MonitoringInputs": [{"EndpointInput": {"EndpointName": "census", "LocalPath": INPUT}}],
                    "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
                    "MonitoringResources": {
                        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
                    },
                    "RoleArn": ROLE,
                    "Environment": {"PLUMBLINE_ALPHA": "0.01"},
                    **definition,
                },
            },
        },
    )


def offer(capture: DataCapture, variant: str = "one") -> None:
    target = CaptureTarget.from_config("census", variant, ENDPOINT_ROLE, CAPTURE)
    assert target is not None
    capture.offer(target, Exchange("text/csv", b"1", None, b"0.5"))


def executions(monitored: Monitoring, count: int) -> list[dict[str, Any]]:
    """Return the ended executions in order of their hours, once there are `count`."""
    pause = threading.Event()
    for _ in range(1500):
        rows = sorted(monitored.executions.values(), key=lambda row: row["ScheduledTime"])
        if len(rows) == count and all(row["MonitoringExecutionStatus"] != "InProgress" for row in rows):
            return rows
        pause.wait(0.02)
    raise AssertionError(f"{count} executions expected, got {rows}")


def test_execution_gets_the_hours_capture_and_the_contract(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock, s3: FakeS3
) -> None:
    create_schedule(plane)
    offer(capture)
    clock.advance(3600)

    (execution,) = executions(monitored, 1)

    assert execution["MonitoringExecutionStatus"] == "Completed"
    seen = json.loads(s3.objects["b", "reports/census/hourly/2026/11/25/10/seen.json"])
    assert [str(Path(name).parent) for name in seen.pop("files")] == ["census/one/2026/11/25/10"]
    root = seen["dataset_source"].removesuffix("/processing/input/endpoint")
    assert seen == {
        "dataset_format": '{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}',
        "dataset_source": f"{root}/processing/input/endpoint",
        "output_path": f"{root}/processing/output",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "census",
        "sagemaker_monitoring_schedule_name": "hourly",
        "sagemaker_endpoint_datacapture_prefix": "s3://b/capture/census",
        "start_time": "2026-11-25T10:00:00Z",
        "end_time": "2026-11-25T11:00:00Z",
    }


def test_execution_is_a_processing_job_of_the_schedule(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock
) -> None:
    create_schedule(plane)
    offer(capture)
    clock.advance(3600)

    (execution,) = executions(monitored, 1)
    name = execution["ProcessingJobArn"].rpartition("/")[2]
    job = plane.call("DescribeProcessingJob", {"ProcessingJobName": name})

    assert name.startswith("model-monitoring-202611251100-")
    assert (job["ExitMessage"], job["RoleArn"]) == ("Completed: fine", ROLE)
    assert job["MonitoringScheduleArn"] == plane.arn("MonitoringSchedule", "hourly")
    assert plane.events[-1][1]["ProcessingJobStatus"] == "Completed"
    summary = plane.get("MonitoringSchedule", "hourly")["LastMonitoringExecutionSummary"]
    assert summary["MonitoringExecutionStatus"] == "Completed"


def test_metrics_file_is_published_in_the_platforms_namespace(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock, cloudwatch: FakeCloudWatch
) -> None:
    create_schedule(plane)
    offer(capture)
    clock.advance(3600)
    executions(monitored, 1)

    assert cloudwatch.calls == [{"Namespace": METRIC_NAMESPACE, "MetricData": [{"MetricName": "rows", "Value": 1}]}]


def test_no_due_hour_is_left_out_after_a_long_jump(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock
) -> None:
    create_schedule(plane)
    clock.advance(3600)
    offer(capture, "two")
    clock.advance(2 * 3600 + 600)

    rows = executions(monitored, 3)

    assert [row["MonitoringExecutionStatus"] for row in rows] == ["Failed", "Completed", "Failed"]
    assert [row["ScheduledTime"] - rows[0]["ScheduledTime"] for row in rows] == [0, 3600, 7200]


def test_hour_without_data_starts_no_container(
    plane: RecordingPlane, monitored: Monitoring, clock: Clock, s3: FakeS3
) -> None:
    create_schedule(plane)
    clock.advance(3600)

    (execution,) = executions(monitored, 1)

    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"].startswith("Job inputs had no data: ClientError")
    assert not s3.objects
    assert plane.events[-1][1]["ProcessingJobStatus"] == "Failed"


def expression(text: str) -> dict[str, Any]:
    return {"MonitoringScheduleConfig": {"ScheduleConfig": {"ScheduleExpression": text}}}


@pytest.mark.parametrize(
    ("text", "hours", "due"),
    [
        ("cron(0 * ? * * *)", 1, 11),
        ("cron(0 0/4 ? * * *)", 4, 12),
        ("cron(0 0/12 ? * * *)", 12, 12),
        ("cron(0 0 ? * * *)", 24, 24),
        ("cron(0 10 ? * * *)", 24, 34),
        ("cron(0 11 ? * * *)", 24, 11),
    ],
)
def test_executions_are_due_when_the_expression_says(text: str, hours: int, due: int) -> None:
    day = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
    timing = timing_of(expression(text))
    found = timing.next_due(day + 10 * 3600)
    assert ((found - day) // 3600, (found - timing.start(found)) // 3600) == (due, hours)
    assert timing.next_due(found) == found + hours * 3600


def test_a_longer_window_gets_the_days_of_its_hours_with_data_and_its_own_times(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock, s3: FakeS3
) -> None:
    create_schedule(plane, "cron(0 0/12 ? * * *)")
    offer(capture)
    clock.advance(3600)
    offer(capture, "two")
    clock.advance(2 * 3600)

    (execution,) = executions(monitored, 1)

    assert datetime.fromtimestamp(execution["ScheduledTime"], UTC).hour == 12
    seen = json.loads(s3.objects["b", "reports/census/hourly/2026/11/25/00/seen.json"])
    assert [str(Path(name).parent) for name in seen["files"]] == [
        "census/one/2026/11/25/10",
        "census/two/2026/11/25/11",
    ]
    assert (seen["start_time"], seen["end_time"]) == ("2026-11-25T00:00:00Z", "2026-11-25T12:00:00Z")


def test_a_window_over_midnight_gets_the_days_that_have_data(
    plane: RecordingPlane, monitored: Monitoring, capture: DataCapture, clock: Clock, s3: FakeS3
) -> None:
    create_schedule(plane, "cron(0 9 ? * * *)")
    offer(capture)
    clock.advance(24 * 3600)

    (execution,) = executions(monitored, 1)

    assert execution["MonitoringExecutionStatus"] == "Completed"
    seen = json.loads(s3.objects["b", "reports/census/hourly/2026/11/25/09/seen.json"])
    assert [str(Path(name).parent) for name in seen["files"]] == ["census/one/2026/11/25/10"]


def test_stopped_schedule_rests_until_it_is_started(plane: RecordingPlane, monitored: Monitoring, clock: Clock) -> None:
    create_schedule(plane)
    clock.advance(3600)
    executions(monitored, 1)
    plane.call("StopMonitoringSchedule", {"MonitoringScheduleName": "hourly"})
    clock.advance(3600)
    threading.Event().wait(0.5)
    plane.call("StartMonitoringSchedule", {"MonitoringScheduleName": "hourly"})
    clock.advance(3600)

    first, second = executions(monitored, 2)

    assert second["ScheduledTime"] - first["ScheduledTime"] == 2 * 3600


def test_deleted_schedule_runs_no_more(plane: RecordingPlane, monitored: Monitoring, clock: Clock) -> None:
    create_schedule(plane)
    plane.call("DeleteMonitoringSchedule", {"MonitoringScheduleName": "hourly"})
    clock.advance(3600)
    threading.Event().wait(0.5)

    assert monitored.executions == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"expression": "cron(0 0/5 ? * * *)"}, "ScheduleExpression must be"),
        ({"expression": "cron(0 24 ? * * *)"}, "ScheduleExpression must be"),
        ({"expression": "cron(30 * ? * * *)"}, "ScheduleExpression must be"),
        ({"expression": "NOW"}, "ScheduleExpression must be"),
        ({"BaselineConfig": {"ConstraintsResource": {"S3Uri": "s3://b/c"}}}, "BaselineConfig is not supported"),
    ],
)
def test_fails_by_name_for_a_schedule_it_does_not_run(
    plane: RecordingPlane, monitored: Monitoring, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ApiError, match=words):
        create_schedule(plane, **arguments)
    assert plane.records("MonitoringSchedule") == []


@pytest.mark.parametrize(
    ("record", "violations", "expected"),
    [
        ({"ProcessingJobStatus": "Completed"}, [], "Completed"),
        ({"ProcessingJobStatus": "Completed"}, [{"feature_name": "age"}], "CompletedWithViolations"),
        (
            {"ProcessingJobStatus": "Completed", "ExitMessage": "CompletedWithViolations: 1"},
            [],
            "CompletedWithViolations",
        ),
        ({"ProcessingJobStatus": "Stopped"}, [{"feature_name": "age"}], "Stopped"),
        ({"ProcessingJobStatus": "Failed", "FailureReason": "exit code: 2"}, [], "Failed"),
    ],
)
def test_status_of_an_execution_follows_job_message_and_violations(
    tmp_path: Path, record: dict[str, Any], violations: list[Any], expected: str
) -> None:
    (tmp_path / "constraint_violations.json").write_text(json.dumps({"violations": violations}))

    assert outcome(record, tmp_path)["MonitoringExecutionStatus"] == expected


def test_executions_are_listed_by_scheduled_time(plane: RecordingPlane, monitored: Monitoring) -> None:
    for hour in (1.0, 2.0):
        monitored.executions[f"x{hour}"] = {
            "MonitoringScheduleName": "s",
            "ScheduledTime": hour,
            "CreationTime": 9.0 - hour,
            "MonitoringExecutionStatus": "Completed",
        }
    listed = plane.call("ListMonitoringExecutions", {"MonitoringScheduleName": "s"})
    assert [row["ScheduledTime"] for row in listed["MonitoringExecutionSummaries"]] == [2.0, 1.0]
    assert plane.call("ListMonitoringExecutions", {"EndpointName": "no"})["MonitoringExecutionSummaries"] == []
