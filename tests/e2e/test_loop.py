"""The loop, from the deployed templates to the retrained model, and what goes wrong on the way.

One environment lives through a story, a chapter per fixture; every test looks at one chapter.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.contract.champion import CHAMPION_HISTORY, ChampionHistory
from plumbline.contract.names import METRIC_NAMESPACE, Metric, Prefix, ReportFile, alarm_name, ground_truth_prefix
from plumbline.contract.records import DriftReport, RecordCounts, Verdict
from plumbline.contract.retraining import champion_artifact
from plumbline.local.demo.deployment import Value
from plumbline.local.demo.loop import Loop
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.e2e import messages
from tests.e2e.alerts import AlertInbox, deliver
from tests.e2e.deployment import HOUR, ROWS_PER_HOUR, ROWS_PER_REQUEST, Deployment, deployed, environment_file
from tests.e2e.local_account import ROOT, eventually, processes_below
from tests.e2e.roles import clients_of_role

pytestmark = pytest.mark.e2e

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
MISSING_HOURS = 3
"""Of environments/dev.toml."""
SETTINGS: dict[str, Value] = {"retraining.minimum_fresh_rows": 1_000_000, "retraining.triggers": ["drift"]}
"""Drift is listed, so that the controller decides on it. So many rows never come: what a retraining leads to is another
story, tests/e2e/test_retraining.py."""
SERVING = "serving_container.py"
"""In the command line of an endpoint's container."""
HALF_A_LINE = b'{"captureData": {"endpointInput": {"data": "39,State-gov'


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("loop"), START, "dev", SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def inbox(deployment: Deployment) -> AlertInbox:
    return AlertInbox(deployment)


@dataclass(frozen=True)
class Played:
    """What stood when an hour was over."""

    report: DriftReport
    drift_alarm: str
    retrainings: list[str]


@pytest.fixture(scope="module")
def hours(deployment: Deployment, inbox: AlertInbox, tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """Two quiet hours, two drifted ones; the last one's capture also holds a line that was cut off."""
    loop = Loop(deployment.aws, deployment.episode(4), tmp_path_factory.mktemp("reports"))
    played: list[Played] = []
    for hour, _ in loop.play():
        assert hour.report
        state = deployment.alarm(AlarmKind.DRIFT)["StateValue"]
        played.append(Played(hour.report, state, deployment.retrainings()))
        if len(played) == 3:
            key = f"{deployment.capture_prefix(START + 3 * HOUR)}/cut-off.jsonl"
            bucket = deployment.outputs["CaptureBucketName"]
            deployment.aws.client("s3").put_object(Bucket=bucket, Key=key, Body=HALF_A_LINE)
    return played


def test_unchanged_capture_stays_quiet(hours: list[Played]) -> None:
    assert [hour.report.verdict for hour in hours[:2]] == [Verdict.NO_DRIFT] * 2
    assert [hour.drift_alarm for hour in hours[:2]] == ["OK"] * 2


def test_shifted_capture_alarms_and_the_topic_is_told_that_labels_are_needed(
    hours: list[Played], inbox: AlertInbox
) -> None:
    shifted = hours[2]
    assert shifted.report.verdict is Verdict.DRIFT
    assert "hours-per-week" in shifted.report.drifted_features
    assert shifted.drift_alarm == "ALARM"

    told = inbox.await_text("labels needed")
    assert alarm_name("dev", AlarmKind.DRIFT) in told
    # Some of the first two hours' rows have their labels by then, and nobody made up the others.
    (n_rows,) = map(int, re.findall(r"(\d+) labelled rows", told))
    assert 0 < n_rows < 2 * ROWS_PER_HOUR


def test_each_hour_goes_on_from_the_one_before(hours: list[Played]) -> None:
    over_time = [hour.report.over_time for hour in hours]
    assert [report.n_windows for report in over_time] == [1, 2, 3, 4]
    assert {report.verdict for report in over_time} == {Verdict.NOT_JUDGED}


def test_nothing_is_retrained_without_enough_labels(
    deployment: Deployment, hours: list[Played], inbox: AlertInbox
) -> None:
    message = inbox.await_text(alarm_name("dev", AlarmKind.DRIFT))

    decisions = [deliver(deployment, message) for _ in range(2)]

    assert [(decision["action"], decision["obstacle"]) for decision in decisions] == [("skipped", "labels_needed")] * 2
    assert [hour.retrainings for hour in hours] == [[]] * 4
    assert deployment.retrainings() == []


def test_reports_lie_under_sagemakers_key_layout(deployment: Deployment, hours: list[Played]) -> None:
    s3, bucket = deployment.aws.client("s3"), deployment.outputs["ReportsBucketName"]
    folder = "reports/plumbline-dev/plumbline-dev-monitor/2026/05/04/12/"
    found = {row["Key"].removeprefix(folder) for row in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]}
    assert found == set(ReportFile)

    key = deployment.report_key(START + 2 * HOUR, ReportFile.VIOLATIONS)
    violations = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])["violations"]
    assert "hours-per-week" in {violation["feature_name"] for violation in violations}


def test_execution_of_a_drifted_hour_completed_with_violations(deployment: Deployment, hours: list[Played]) -> None:
    assert deployment.execution(START + 2 * HOUR)["MonitoringExecutionStatus"] == "Completed"
    assert deployment.execution(START + 3 * HOUR)["MonitoringExecutionStatus"] == "CompletedWithViolations"


def test_malformed_capture_line_is_counted_and_the_run_goes_on(deployment: Deployment, hours: list[Played]) -> None:
    n_requests = ROWS_PER_HOUR // ROWS_PER_REQUEST
    report = hours[3].report

    place = f"{deployment.capture_prefix(START + 3 * HOUR).removeprefix('capture/')}/cut-off.jsonl:1"
    assert report.records == RecordCounts(
        read=n_requests + 1, used=n_requests, rejected={"not_json": 1}, examples={"not_json": (place,)}
    )
    assert (report.n_rows, report.verdict) == (ROWS_PER_HOUR, Verdict.DRIFT)


@pytest.fixture(scope="module")
def as_monitor(deployment: Deployment) -> Callable[[str], Any]:
    """Return a function that makes clients of the monitoring role."""
    schedule = deployment.aws.client("sagemaker").describe_monitoring_schedule(
        MonitoringScheduleName=deployment.naming.schedule
    )
    definition = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    return clients_of_role(deployment.aws, definition["RoleArn"])


def test_monitoring_role_writes_below_its_report_prefix_only(
    deployment: Deployment, as_monitor: Callable[[str], Any]
) -> None:
    s3, reports = as_monitor("s3"), deployment.outputs["ReportsBucketName"]
    s3.put_object(Bucket=reports, Key=f"{deployment.naming.report_prefix}/probe", Body=b"x")

    elsewhere = [(reports, "reports/another-endpoint/probe"), (reports, "probe")]
    elsewhere += [(deployment.outputs[name], "probe") for name in ("CaptureBucketName", "ArtifactsBucketName")]
    for bucket, key in elsewhere:
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")


def test_monitoring_role_reads_of_its_reports_what_runs_left_only(
    deployment: Deployment, hours: list[Played], as_monitor: Callable[[str], Any]
) -> None:
    s3, reports = as_monitor("s3"), deployment.outputs["ReportsBucketName"]
    for name in (ReportFile.WINDOW_COUNTS, ReportFile.WINDOW_STATE):
        s3.get_object(Bucket=reports, Key=deployment.report_key(START, name))
    s3.list_objects_v2(Bucket=reports, Prefix=f"{deployment.naming.report_prefix}/")

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=reports, Key=deployment.report_key(START, ReportFile.DRIFT_REPORT))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=reports, Prefix="reports/")


def test_monitoring_role_publishes_in_our_namespace_only(as_monitor: Callable[[str], Any]) -> None:
    cloudwatch = as_monitor("cloudwatch")
    probe = [{"MetricName": "Probe", "Value": 1.0}]
    cloudwatch.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=probe)

    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        cloudwatch.put_metric_data(Namespace="Foreign", MetricData=probe)


@dataclass(frozen=True)
class Idle:
    """The drift alarm before an hour without traffic, and the execution of that hour."""

    alarm_before: dict[str, Any]
    execution: dict[str, Any]


@pytest.fixture(scope="module")
def idle(deployment: Deployment, hours: list[Played]) -> Idle:
    return Idle(deployment.alarm(AlarmKind.DRIFT), deployment.pass_hour())


def test_idle_hour_fails_in_the_platforms_words_and_the_topic_is_told(
    deployment: Deployment, idle: Idle, inbox: AlertInbox
) -> None:
    assert idle.execution["MonitoringExecutionStatus"] == "Failed"
    assert idle.execution["FailureReason"].startswith("Job inputs had no data")

    event = json.loads(inbox.await_text("SageMaker Processing Job State Change"))
    assert event["detail"]["ProcessingJobArn"] == idle.execution["ProcessingJobArn"]


def test_idle_hour_says_nothing_about_drift(deployment: Deployment, idle: Idle) -> None:
    after = deployment.alarm(AlarmKind.DRIFT)

    assert after["StateValue"] == "ALARM"
    assert after["StateUpdatedTimestamp"] == idle.alarm_before["StateUpdatedTimestamp"]
    assert deployment.alarm(AlarmKind.MONITOR_FAILED)["StateValue"] == "OK"


@pytest.fixture(scope="module")
def redeployed(deployment: Deployment, idle: Idle) -> tuple[list[str], list[str]]:
    """Ids of the stacks' events before and after the same assembly is deployed again."""
    before = deployment.stack_events()
    deployment.cdk.deploy(deployment.assembly, ())
    return before, deployment.stack_events()


def test_deploying_again_changes_nothing(redeployed: tuple[list[str], list[str]]) -> None:
    before, after = redeployed
    assert after == before


@pytest.fixture(scope="module")
def promoted(deployment: Deployment, redeployed: object) -> str:
    """URI of another model, which serves from now on: named in the environment file and deployed."""
    parameter = deployment.aws.client("ssm").get_parameter(Name=champion_artifact("dev"))["Parameter"]["Value"]
    bucket, _, key = parameter.removeprefix("s3://").partition("/")
    artifacts, copy = deployment.outputs["ArtifactsBucketName"], f"{Prefix.MODELS}/by-hand/output/model.tar.gz"
    deployment.aws.client("s3").copy_object(Bucket=artifacts, Key=copy, CopySource={"Bucket": bucket, "Key": key})
    artifact = f"s3://{artifacts}/{copy}"
    file = environment_file(deployment.state, "dev", {**SETTINGS, "model.artifact": artifact})
    assembly = deployment.cdk.synthesize(file, deployment.state / "cdk.out.promoted")
    deployment.cdk.deploy(assembly, [deployment.naming.stack(part) for part in ("foundation", "serving")])
    return artifact


def test_history_knows_a_model_that_was_deployed_from_the_file(deployment: Deployment, promoted: str) -> None:
    def history() -> ChampionHistory:
        key = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"
        body = deployment.aws.client("s3").get_object(Bucket=deployment.outputs["ArtifactsBucketName"], Key=key)["Body"]
        return ChampionHistory.from_json(body.read().decode())

    found = eventually(history, lambda history: history.changing_from is None and len(history.champions) == 2)

    assert found.live.artifact == promoted
    assert found.live.model_package is None


def test_capture_goes_on_after_the_endpoint_got_another_model(deployment: Deployment, promoted: str) -> None:
    sagemaker = deployment.aws.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=deployment.naming.endpoint)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert (endpoint["EndpointStatus"], model["PrimaryContainer"]["ModelDataUrl"]) == ("InService", promoted)

    hour = deployment.aws.now()
    deployment.send("promoted", n_rows=50)
    deployment.aws.advance(90)
    messages.eventually(
        lambda: deployment.captured(hour).count('"inferenceId":"promoted-') == 5, "5 requests must be captured"
    )


@pytest.fixture(scope="module")
def broken(deployment: Deployment, promoted: str) -> dict[str, Any]:
    """The execution of an hour with traffic, after someone gave the schedule a target that the baseline has not."""
    sagemaker, schedule = deployment.aws.client("sagemaker"), deployment.naming.schedule
    config = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule)["MonitoringScheduleConfig"]
    specification = config["MonitoringJobDefinition"]["MonitoringAppSpecification"]
    specification["ContainerArguments"][-1] = "salary"
    sagemaker.update_monitoring_schedule(MonitoringScheduleName=schedule, MonitoringScheduleConfig=config)
    deployment.send("broken", n_rows=50)
    return deployment.pass_hour()


def test_broken_argument_ends_with_exit_code_2_and_the_monitor_failed_alarm(
    deployment: Deployment, broken: dict[str, Any]
) -> None:
    assert broken["MonitoringExecutionStatus"] == "Failed"
    assert broken["FailureReason"].endswith("exit code: 2")
    name = broken["ProcessingJobArn"].rpartition("/")[2]
    job = deployment.aws.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    assert "--target_label must be the baseline's target 'income', got 'salary'" in job["ExitMessage"]

    deployment.await_alarm(AlarmKind.MONITOR_FAILED, "ALARM")


def test_broken_run_is_no_run_and_no_verdict(deployment: Deployment, broken: dict[str, Any]) -> None:
    assert deployment.published(Metric.MONITOR_FAILURES) == [1]
    assert deployment.published(Metric.MONITOR_RUNS) == deployment.published(Metric.DRIFT_VERDICT) == []


def test_labels_by_hand_reach_where_the_environment_awaits_them_once(
    deployment: Deployment, broken: dict[str, Any], tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,row,label\nby-hand,0,>50K\nby-hand,1,<=50K\n")
    program = [str(ROOT / ".venv" / "bin" / "plumbline"), "labels", "--labels", str(table), "--environment", "dev"]
    when = ["--collected-at", "2026-05-04T09:00:00Z"]

    for _ in range(2):
        subprocess.run([*program, *when], env=dict(deployment.aws.environment), check=True)

    bucket, prefix = deployment.outputs["CaptureBucketName"], f"{ground_truth_prefix('plumbline-dev')}/2026/05/04/09/"
    s3 = deployment.aws.client("s3")
    (found,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    record = json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert record["eventMetadata"]["eventId"] == "by-hand"
    assert record["groundTruthData"]["data"] == ">50K\n<=50K"


@pytest.fixture(scope="module")
def silent(deployment: Deployment, broken: dict[str, Any]) -> str:
    """State of the monitor-missing alarm just before its hours without a run; the schedule is stopped for them."""
    schedule = deployment.naming.schedule
    before: str = deployment.alarm(AlarmKind.MONITOR_MISSING)["StateValue"]
    deployment.aws.client("sagemaker").stop_monitoring_schedule(MonitoringScheduleName=schedule)
    deployment.aws.advance((MISSING_HOURS * HOUR).total_seconds())
    return before


def test_monitor_that_never_runs_alarms_and_starts_no_training(
    deployment: Deployment, hours: list[Played], silent: str, inbox: AlertInbox
) -> None:
    assert silent == "OK"
    deployment.await_alarm(AlarmKind.MONITOR_MISSING, "ALARM")

    message = inbox.await_text(alarm_name("dev", AlarmKind.MONITOR_MISSING))
    assert deliver(deployment, message)["action"] == "ignored"
    assert deployment.retrainings() == []


def test_destroy_leaves_no_stack_and_no_container(deployment: Deployment, silent: str) -> None:
    def containers() -> list[str]:
        return [line for line in processes_below(deployment.state) if SERVING in line]

    assert len(containers()) == 1
    deployment.cdk.destroy(deployment.assembly)

    assert deployment.stack_names() == set()
    assert deployment.aws.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert containers() == []
