"""A function of the retraining loop: one at a time, nothing beyond its runtime, what it could not handle is kept."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from contract.names import METRIC_NAMESPACE
from contract.retraining import LoopVariable
from stacks.constructs.alert_topic import AlertTopic
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.loop_state import LoopState

SHARED = {"shared": "lambda/shared", "contract": "contract"}
"""Packages of every function: folder in the repository."""
TIMEOUT = Duration.seconds(60)
MEMORY_MB = 256
LOG_RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What both functions have around them."""

    root: Path
    alerts: AlertTopic
    state: LoopState
    dead_letters: DeadLetters
    log_days: int
    removal: RemovalPolicy


class LoopFunction(Construct):
    """A function with its role and log group; it may keep its state, tell the topic and count.

    Parameters
    ----------
    package
        Folder below lambda/ and package in the function; its handler is ``<package>.handler.handler``.
    description
        What it does, for its page and its role's.
    variables
        Beside the state's table, which it gets anyway.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        package: str,
        description: str,
        variables: Mapping[LoopVariable, str],
        around: Surroundings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._dead_letters = around.dead_letters
        log_group = logs.LogGroup(self, "Logs", retention=LOG_RETENTION[around.log_days], removal_policy=around.removal)
        self.role = iam.Role(
            self, "Role", description=description, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        self.allow(["cloudwatch:PutMetricData"], ["*"], {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}})
        around.dead_letters.allow_send(self.role)
        around.alerts.allow_publish(self.role)
        around.state.allow_use(self.role)
        all_variables = {
            LoopVariable.TOPIC_ARN: around.alerts.topic.topic_arn,
            LoopVariable.STATE_TABLE: around.state.table.table_name,
            **variables,
        }
        with tempfile.TemporaryDirectory() as folder:
            # Synthesis stages a copy at once.
            code = lambda_.Code.from_asset(str(stage(around.root, package, Path(folder))))
            self.function = lambda_.Function(
                self,
                "Function",
                description=f"Plumbline: {description[0].lower()}{description[1:]}",
                code=code,
                handler=f"{package}.handler.handler",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                role=self.role,
                environment={name.value: value for name, value in all_variables.items()},
                timeout=TIMEOUT,
                memory_size=MEMORY_MB,
                # Two deliveries of one event are handled one after the other.
                reserved_concurrent_executions=1,
                dead_letter_queue=around.dead_letters.queue,
                log_group=log_group,
            )

    def allow(
        self, actions: list[str], resources: list[str], conditions: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        """Let the function perform the actions on the resources."""
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))

    def allow_sagemaker(self, actions: list[str], *resources: str) -> None:
        """Let the function perform actions of SageMaker on resources like ``model/prefix-*``."""
        self.allow(actions, [sagemaker_arn(self, resource) for resource in resources])

    def allow_parameters(self, actions: list[str], *names: str) -> None:
        """Let the function perform actions on parameters of SSM; a name begins with a slash."""
        arns = [
            Stack.of(self).format_arn(service="ssm", resource=f"parameter{name}", arn_format=ArnFormat.NO_RESOURCE_NAME)
            for name in names
        ]
        self.allow(actions, arns)

    def hear(self, construct_id: str, *, description: str, kind: str, detail: Mapping[str, list[str]]) -> None:
        """Invoke the function for each of SageMaker's events of a kind with such a detail."""
        events.Rule(
            self,
            construct_id,
            description=description,
            event_pattern=events.EventPattern(source=["aws.sagemaker"], detail_type=[kind], detail=dict(detail)),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=self._dead_letters.queue)],
        )


def sagemaker_arn(scope: Construct, resource: str) -> str:
    """Return the ARN of a resource of SageMaker by what follows the account in it."""
    return Stack.of(scope).format_arn(service="sagemaker", resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME)


def stage(root: Path, package: str, folder: Path) -> Path:
    """Copy the function's packages into `folder` and return it."""
    for name, source in {package: f"lambda/{package}", **SHARED}.items():
        target = folder / name
        target.mkdir()
        for path in sorted((root / source).glob("*.py")):
            shutil.copyfile(path, target / path.name)
    return folder
