"""The Lambda that starts a training job when an alarm says that fresh rows are needed."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.constructs.dead_letters import DeadLetters

HANDLER = "retraining.handler.handler"
SOURCES = {"retraining": "lambda/retraining", "contract": "contract"}
"""Package in the function: folder in the repository."""
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


class RetrainingTrigger(Construct):
    """Function behind the topic: one at a time, nothing beyond its runtime, failures kept.

    Parameters
    ----------
    environment
        The function's variables, by contract.names.RetrainingVariable.
    dead_letters
        Gets the events that the function could not handle.
    """

    def __init__(  # noqa: PLR0913 - the parts of a function
        self,
        scope: Construct,
        construct_id: str,
        *,
        root: Path,
        environment: Mapping[str, str],
        topic: sns.ITopic,
        dead_letters: DeadLetters,
        log_days: int,
        removal: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(self, "Logs", retention=LOG_RETENTION[log_days], removal_policy=removal)
        self.role = iam.Role(
            self,
            "Role",
            description="Starts training jobs when traffic or labels drift",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            )
        )
        dead_letters.allow_send(self.role)
        with tempfile.TemporaryDirectory() as folder:
            # Synthesis stages a copy at once.
            self.function = lambda_.Function(
                self,
                "Function",
                description="Plumbline: starts a training job when drift, quality or concept-shift alarms fire",
                code=lambda_.Code.from_asset(str(stage(root, Path(folder)))),
                handler=HANDLER,
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                role=self.role,
                environment=dict(environment),
                timeout=TIMEOUT,
                memory_size=MEMORY_MB,
                # Two deliveries of one alarm are handled one after the other.
                reserved_concurrent_executions=1,
                dead_letter_queue=dead_letters.queue,
                log_group=log_group,
            )
        topic.add_subscription(subscriptions.LambdaSubscription(self.function))


def stage(root: Path, folder: Path) -> Path:
    """Copy the function's packages into `folder` and return it."""
    for package, source in SOURCES.items():
        target = folder / package
        target.mkdir()
        for path in sorted((root / source).glob("*.py")):
            shutil.copyfile(path, target / path.name)
    return folder
