"""A new normal on AWS: drift, `plumbline accept`, quiet and visible, undone, drift again; under the deployed roles."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from plumbline.contract.names import Prefix
from plumbline.contract.records import DriftReport, Verdict
from plumbline.local.demo.deployment import Value
from plumbline.local.demo.loop import Loop
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.e2e.deployment import HOUR, Deployment, deployed
from tests.e2e.local_account import ROOT
from tests.e2e.roles import clients_of_role

pytestmark = pytest.mark.e2e

N_HOURS, FIRST_DRIFTED = 6, 3
ENVIRONMENT = "normal"


@dataclass(frozen=True)
class Story:
    """What the hours came to, and what the command said."""

    running: Deployment
    reports: list[DriftReport]
    alarms: list[str]
    said: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    values: dict[str, Value] = {"monitor.engine": "scheduler", "alarms.drift_datapoints": 1, "alarms.drift_periods": 1}
    start = datetime(2026, 5, 4, 10, Engine.SCHEDULER.minute + 1, tzinfo=UTC)
    with deployed(tmp_path_factory.mktemp("accepted"), start, ENVIRONMENT, values) as running:
        yield played(running, tmp_path_factory)


def played(running: Deployment, folders: pytest.TempPathFactory) -> Story:
    engine = Engine.SCHEDULER
    episode = running.episode(N_HOURS, engine=engine, run_minute=engine.minute)
    begun = running.aws.now().replace(minute=0, second=0, microsecond=0)
    reports, alarms, said = [], [], []
    for hour, _ in Loop(running.aws, episode, folders.mktemp("reports")).play():
        assert hour.report
        reports.append(hour.report)
        alarms.append(running.alarm(AlarmKind.DRIFT)["StateValue"])
        if len(reports) == FIRST_DRIFTED:
            times = [f"{begun + number * HOUR:%Y-%m-%dT%H:%M:%SZ}" for number in (FIRST_DRIFTED - 1, FIRST_DRIFTED)]
            said.append(accept(running, "--window", "/".join(times), "--reason", "the new region"))
        if len(reports) == FIRST_DRIFTED + 2:
            said.append(accept(running, "--undo", "--reason", "a fault after all", "--by", "Bob"))
            said.append(accept(running, "--list"))
    return Story(running, reports, alarms, said)


def accept(running: Deployment, *arguments: str) -> str:
    command = [sys.executable, "-m", "plumbline.cli", "accept", "--environment", ENVIRONMENT, *arguments]
    where = ["--endpoint-url", running.aws.url, "--region", running.aws.region]
    environment = {**os.environ, **running.aws.environment}
    done = subprocess.run([*command, *where], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_accepted_drift_is_quiet_until_it_is_undone(story: Story) -> None:
    verdicts = [report.verdict for report in story.reports]
    quiet, drift = Verdict.NO_DRIFT, Verdict.DRIFT
    assert verdicts == [quiet, quiet, drift, quiet, quiet, drift]
    assert story.alarms == ["OK", "OK", "ALARM", "OK", "OK", "ALARM"]


def test_accepted_drift_is_visible_with_who_and_why(story: Story) -> None:
    assert [report.accepted.is_used for report in story.reports] == [False, False, False, True, True, False]
    for report in story.reports[3:5]:
        accepted = report.accepted
        assert accepted.features
        assert {one.name for one in accepted.features} <= set(story.reports[2].drifted_features)
        assert accepted.stated_reason == "the new region"
        assert accepted.accepted_by == f"arn:aws:iam::{story.running.aws.account}:root"
        assert report.model is not None


def test_the_command_says_what_it_records_and_lists_it(story: Story) -> None:
    recorded, undone, listed = story.said
    assert "differs from the training data: " in recorded
    assert "no longer the reference" in undone
    assert "undone by Bob: a fault after all" in listed
    assert "the new region" in listed


def test_the_monitoring_role_reads_the_records_and_writes_none(story: Story) -> None:
    running = story.running
    schedule = running.aws.client("scheduler").get_schedule(Name=running.naming.schedule)
    role = schedule["Target"]["Input"].split('"RoleArn":"', 1)[1].split('"', 1)[0]
    s3 = clients_of_role(running.aws, role)("s3")
    bucket = running.outputs["ArtifactsBucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{Prefix.ACCEPTED}/")["Contents"]
    assert len(listed) == 2
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key=f"{Prefix.ACCEPTED}/mine.json", Body=b"{}")
