"""The production environment's own file deploys on the embedded AWS, scaling included, and its alarms keep quiet."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from plumbline.contract.names import alarm_name
from plumbline.contract.retraining import pipeline_name
from plumbline.local.demo.deployment import Cdk
from plumbline.local.embedded import EmbeddedAws
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind, MissingDataPolicy
from plumbline.stacks.naming import Naming
from tests.e2e import messages
from tests.e2e.local_account import ROOT

pytestmark = pytest.mark.e2e

START = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
MISSING_WINDOW = timedelta(hours=3)
"""alarms.monitor_silence_hours of environments/prod.toml."""
NAMING = Naming("prod")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    state = tmp_path_factory.mktemp("production")
    with EmbeddedAws.start(state, start=START) as aws:
        cdk = Cdk(ROOT, aws.environment, state / "cdk.log")
        cdk.bootstrap(aws.account, aws.region)
        cdk.deploy(cdk.synthesize(ROOT / "environments" / "prod.toml", state / "cdk.out"), ())
        yield aws


def states(aws: EmbeddedAws) -> dict[AlarmKind, str]:
    names = {alarm_name("prod", kind): kind for kind in AlarmKind}
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=list(names))["MetricAlarms"]
    return {names[alarm["AlarmName"]]: alarm["StateValue"] for alarm in found}


def test_endpoint_is_registered_for_scaling(production: EmbeddedAws) -> None:
    scaling = production.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{NAMING.endpoint}/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600
    tags = scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
    assert tags["project"] == "plumbline"


def test_alarms_keep_quiet_until_a_window_passed_without_runs(production: EmbeddedAws) -> None:
    production.client("sagemaker").stop_monitoring_schedule(MonitoringScheduleName=NAMING.schedule)
    quiet = {
        kind: "OK" if kind.rule.missing is MissingDataPolicy.NOT_BREACHING else "INSUFFICIENT_DATA"
        for kind in AlarmKind
    }
    production.advance((START + MISSING_WINDOW - production.now()).total_seconds())
    messages.eventually(lambda: states(production) == quiet, f"alarms must be {quiet}, are {states(production)}")
    # The warm-up began with the deployment, which took some of the clock's first minutes.
    production.advance(600)
    silent = {**quiet, AlarmKind.MONITOR_MISSING: "ALARM"}
    messages.eventually(lambda: states(production) == silent, f"alarms must be {silent}, are {states(production)}")


def test_dead_letter_fires_its_alarm(production: EmbeddedAws) -> None:
    stack = production.client("cloudformation").describe_stacks(StackName=NAMING.stack("monitoring"))["Stacks"][0]
    (queue,) = [row["OutputValue"] for row in stack["Outputs"] if row["OutputKey"] == "DeadLetterQueueUrl"]
    production.client("sqs").send_message(QueueUrl=queue, MessageBody="undelivered")
    production.advance(60)
    messages.eventually(
        lambda: states(production)[AlarmKind.DEAD_LETTERS] == "ALARM", "a dead letter must fire its alarm"
    )
    name = pipeline_name(NAMING.environment)
    assert (
        production.client("sagemaker").list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"] == []
    )
