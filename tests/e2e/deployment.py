"""A whole environment on an embedded AWS of its own: the app, synthesized and deployed by the real CDK CLI."""

import functools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Metric, Prefix, ReportFile, alarm_name, report_prefix
from plumbline.contract.records import DriftReport
from plumbline.contract.retraining import pipeline_name
from plumbline.data import population
from plumbline.data.choices import Format
from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import scenario
from plumbline.local.demo.deployment import Cdk, Value, derive
from plumbline.local.demo.loop import Episode
from plumbline.local.embedded import EmbeddedAws
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from plumbline.stacks.naming import Naming
from plumbline.traffic.replay import ReplayPlan, replay
from tests.e2e.local_account import ROOT, eventually

HOUR = timedelta(hours=1)
STACKS = ("foundation", "serving", "monitoring")
VARIANT = "AllTraffic"
ROWS_PER_REQUEST = 10
ROWS_PER_HOUR = 600
SEED = 7
POOL_ROWS = 12_000


@functools.cache
def pool() -> LabelledRows:
    """Return the rows that traffic is drawn from: the starter model's population, other rows."""
    return population.generate(POOL_ROWS, SEED)


@dataclass(frozen=True)
class Deployment:
    """One environment; `outputs` are those of all its stacks."""

    aws: EmbeddedAws
    cdk: Cdk
    state: Path
    assembly: Path
    naming: Naming
    outputs: Mapping[str, str]

    def episode(self, hours: int, **changes: Any) -> Episode:
        """Return two quiet hours, then a sudden drift; `changes` are other fields of it."""
        episode = Episode(
            environment=self.naming.environment,
            endpoint=self.naming.endpoint,
            schedule=self.naming.schedule,
            outputs=self.outputs,
            scenario=scenario("sudden"),
            pool=pool(),
            hours=hours,
            rows_per_hour=ROWS_PER_HOUR,
            seed=SEED,
        )
        return replace(episode, **changes)

    def send(self, name: str, n_rows: int) -> None:
        """Send undrifted rows now; every request must be answered."""
        rows = scenario("none").rows(pool(), 1, n_rows, SEED).rows
        plan = ReplayPlan(self.naming.endpoint, 1, n_rows, ROWS_PER_REQUEST, Format.ALTERNATE, name)
        summary = replay(plan, self.aws.client("sagemaker-runtime"), lambda hour, n: rows, pace=lambda seconds: None)
        assert summary.failed == 0, summary

    def advance_to(self, moment: datetime) -> None:
        """Jump to a moment that is still ahead."""
        self.aws.advance((moment - self.aws.now()).total_seconds())

    def execution(self, due: datetime) -> dict[str, Any]:
        """Wait for the end of the monitoring execution that was due at `due`."""

        def found() -> dict[str, Any]:
            rows = self.aws.client("sagemaker").list_monitoring_executions(MonitoringScheduleName=self.naming.schedule)
            due_then = (row for row in rows["MonitoringExecutionSummaries"] if row["ScheduledTime"] == due)
            return next(due_then, {"MonitoringExecutionStatus": "absent"})

        return eventually(found, lambda row: row["MonitoringExecutionStatus"] not in ("absent", "InProgress"))

    def pass_hour(self) -> dict[str, Any]:
        """Let the running hour pass, give the alarms their minute, and return the hour's execution."""
        due = self.aws.now().replace(minute=0, second=0, microsecond=0) + HOUR
        self.advance_to(due)
        execution = self.execution(due)
        self.aws.advance(60)
        return execution

    def report_key(self, hour: datetime, file: ReportFile) -> str:
        """Return where one of a window's files lies, under SageMaker's key layout."""
        layout = report_prefix(self.naming.endpoint, self.naming.schedule, f"{hour:%Y/%m/%d/%H}")
        return f"{Prefix.REPORTS}/{layout}/{file}"

    def report(self, hour: datetime) -> DriftReport:
        """Return the drift report of the window that began at `hour`."""
        key = self.report_key(hour, ReportFile.DRIFT_REPORT)
        body: bytes = self.aws.client("s3").get_object(Bucket=self.outputs["ReportsBucketName"], Key=key)["Body"].read()
        return DriftReport.from_json(body.decode())

    def capture_prefix(self, hour: datetime) -> str:
        """Return where the requests of an hour are captured."""
        return f"{self.naming.capture_prefix}/{VARIANT}/{hour:%Y/%m/%d/%H}"

    def captured(self, hour: datetime) -> str:
        """Return the text of an hour's capture files."""
        s3, bucket = self.aws.client("s3"), self.outputs["CaptureBucketName"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{self.capture_prefix(hour)}/").get("Contents", ())
        return "".join(s3.get_object(Bucket=bucket, Key=row["Key"])["Body"].read().decode() for row in found)

    def alarm(self, kind: AlarmKind) -> dict[str, Any]:
        """Return an alarm's description."""
        name = alarm_name(self.naming.environment, kind)
        described = self.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert len(described) == 1, f"{name}: {described}"
        row: dict[str, Any] = described[0]
        return row

    def await_alarm(self, kind: AlarmKind, state: str) -> dict[str, Any]:
        """Wait until an alarm is in a state, and return its description."""
        return eventually(lambda: self.alarm(kind), lambda row: row["StateValue"] == state, seconds=20)

    def published(self, metric: Metric) -> list[float]:
        """Return the maximum of the endpoint's metric in the last half hour; nothing when it was not published."""
        now = self.aws.now()
        answer = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace=METRIC_NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": Dimension.ENDPOINT, "Value": self.naming.endpoint}],
            StartTime=now - HOUR / 2,
            EndTime=now + HOUR / 2,
            Period=3600,
            Statistics=["Maximum"],
        )
        return [point["Maximum"] for point in answer["Datapoints"]]

    def retrainings(self) -> list[str]:
        """Return the ARNs of the executions of the retraining pipeline."""
        found = self.aws.client("sagemaker").list_pipeline_executions(
            PipelineName=pipeline_name(self.naming.environment)
        )["PipelineExecutionSummaries"]
        return [row["PipelineExecutionArn"] for row in found]

    def stack_names(self) -> set[str]:
        """Return the names of the environment's stacks that exist."""
        listed = self.aws.client("cloudformation").describe_stacks()["Stacks"]
        return {row["StackName"] for row in listed if row["StackName"].startswith(f"{self.naming.prefix}-")}

    def stack_events(self) -> list[str]:
        """Return the ids of everything that ever happened to the stacks."""
        cloudformation = self.aws.client("cloudformation")
        return [
            event["EventId"]
            for part in STACKS
            for event in cloudformation.describe_stack_events(StackName=self.naming.stack(part))["StackEvents"]
        ]


@contextmanager
def deployed(state: Path, start: datetime, environment: str, values: Mapping[str, Value]) -> Iterator[Deployment]:
    """Deploy the development environment under another name and with other `values`, then end the server."""
    naming = Naming(environment)
    file = environment_file(state, environment, values)
    with EmbeddedAws.start(state, start=start) as aws:
        cdk = Cdk(ROOT, aws.environment, state / "cdk.log")
        with ThreadPoolExecutor(1) as aside:
            bootstrapped = aside.submit(cdk.bootstrap, aws.account, aws.region)
            assembly = cdk.synthesize(file, state / "cdk.out")
            bootstrapped.result()
        cdk.deploy(assembly, ())
        yield Deployment(aws, cdk, state, assembly, naming, _outputs(aws, naming))


def environment_file(state: Path, environment: str, values: Mapping[str, Value]) -> Path:
    """Write the development environment's file under another name and with other values."""
    return derive(ROOT / "environments" / "dev.toml", state / "environment.toml", {"name": environment, **values})


def _outputs(aws: EmbeddedAws, naming: Naming) -> dict[str, str]:
    described = [
        aws.client("cloudformation").describe_stacks(StackName=naming.stack(part))["Stacks"][0] for part in STACKS
    ]
    return {output["OutputKey"]: output["OutputValue"] for stack in described for output in stack["Outputs"]}
