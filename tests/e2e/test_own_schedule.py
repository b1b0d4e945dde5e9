"""The engine for accounts that Model Monitor is closed to: EventBridge Scheduler starts the same job."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plumbline.contract.names import Metric, ReportFile
from plumbline.contract.records import RecordCounts, Verdict
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.e2e import messages
from tests.e2e.deployment import HOUR, ROWS_PER_REQUEST, Deployment, deployed
from tests.e2e.local_account import eventually

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
RUN_MINUTE = timedelta(minutes=15)
"""After the hour: capture files may come late."""
DEPLOYED_AT = START + 2 * RUN_MINUTE
"""After the run of the hour before, which had no endpoint."""
N_ROWS = 400
VALUES = {"monitor.engine": "scheduler", "monitor.schedule": "cron(15 * ? * * *)"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("own"), DEPLOYED_AT, "own", VALUES) as running:
        yield running


@pytest.fixture(scope="module")
def busy(deployment: Deployment) -> dict[str, Any]:
    """The job of an hour with traffic."""
    deployment.send("own", N_ROWS)
    deployment.advance_to(START + HOUR)
    messages.eventually(
        lambda: deployment.captured(START).count("\n") == N_ROWS // ROWS_PER_REQUEST, "all requests must be captured"
    )
    return job_after(deployment, START + HOUR, n_jobs=1)


@pytest.fixture(scope="module")
def idle(deployment: Deployment, busy: dict[str, Any]) -> dict[str, Any]:
    """The job of the hour after, in which nothing was sent."""
    return job_after(deployment, START + 2 * HOUR, n_jobs=2)


def job_after(deployment: Deployment, end: datetime, n_jobs: int) -> dict[str, Any]:
    """Advance to the run that follows an hour's end and return its job, the newest of `n_jobs`, when it is over."""
    deployment.advance_to(end + RUN_MINUTE)
    sagemaker = deployment.aws.client("sagemaker")

    def newest() -> dict[str, Any]:
        found = sagemaker.list_processing_jobs(NameContains=f"{deployment.naming.schedule}-", SortOrder="Descending")
        rows = found["ProcessingJobSummaries"]
        if len(rows) != n_jobs:
            return {"ProcessingJobStatus": "InProgress", "n_jobs": len(rows)}
        job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=rows[0]["ProcessingJobName"])
        return job

    return eventually(newest, lambda job: job["ProcessingJobStatus"] != "InProgress")


def test_no_model_monitor_schedule_is_deployed(deployment: Deployment) -> None:
    assert deployment.aws.client("sagemaker").list_monitoring_schedules()["MonitoringScheduleSummaries"] == []


def test_hour_with_traffic_is_reported_under_the_same_key_layout(deployment: Deployment, busy: dict[str, Any]) -> None:
    assert busy["ProcessingJobStatus"] == "Completed", busy
    folder = "reports/plumbline-own/plumbline-own-monitor/2026/05/04/10/"
    bucket = deployment.outputs["ReportsBucketName"]
    found = deployment.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="reports/")["Contents"]
    # The idle hour's report may be there too: tests may run in any order.
    of_the_hour = {row["Key"].removeprefix(folder) for row in found if row["Key"].startswith(folder)}
    assert of_the_hour == set(ReportFile)


def test_report_tells_the_last_full_hour(deployment: Deployment, busy: dict[str, Any]) -> None:
    report = deployment.report(START)

    assert (report.window.start, report.window.end) == ("2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z")
    assert (report.endpoint, report.schedule) == ("plumbline-own", "plumbline-own-monitor")
    n_requests = N_ROWS // ROWS_PER_REQUEST
    assert (report.records, report.n_rows) == (RecordCounts(read=n_requests, used=n_requests), N_ROWS)
    assert report.verdict is Verdict.NO_DRIFT


def test_idle_hour_is_not_judged_and_no_failure(deployment: Deployment, idle: dict[str, Any]) -> None:
    assert idle["ProcessingJobStatus"] == "Completed", idle
    report = deployment.report(START + HOUR)

    assert (report.verdict, str(report.reason)) == (Verdict.NOT_JUDGED, "no records in the window")
    # The role may read what the run before left.
    assert str(report.over_time.reason) == "the window is not judged: no records in the window"
    assert deployment.published(Metric.WINDOWS_WITHOUT_DATA) == [1]
    assert deployment.published(Metric.MONITOR_RUNS) == [1]
    assert deployment.published(Metric.MONITOR_FAILURES) == [0]
    assert deployment.alarm(AlarmKind.MONITOR_FAILED)["StateValue"] == "OK"
    assert deployment.alarm(AlarmKind.SCHEMA)["StateValue"] == "OK"
