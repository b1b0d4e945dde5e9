"""Lambda functions of the retraining loop, and the table that holds their state."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from plumbline.contract.names import METRIC_NAMESPACE
from plumbline.contract.retraining import LoopVariable
from plumbline.stacks.constructs.execution_role import sagemaker_arn
from plumbline.stacks.constructs.retraining.inputs import RetrainingInputs

PARTITION_KEY = "id"
"""As lambda/shared/state_store.py reads and writes items."""
SHARED = ("__init__.py", "contract", "functions/__init__.py", "functions/shared")
"""What every function has of the package beside its own folder."""
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


class LoopState(Construct):
    """DynamoDB table of a few items, encrypted with our key, with point-in-time recovery."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, removal: RemovalPolicy) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal,
        )

    def allow_use(self, role: iam.Role) -> None:
        """Let `role` read and write items.

        The actions on the key are those that DynamoDB requires of a table's users (DynamoDB Developer Guide, "DynamoDB
        encryption usage notes").
        """
        role.add_to_policy(
            iam.PolicyStatement(actions=["dynamodb:GetItem", "dynamodb:PutItem"], resources=[self.table.table_arn])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=[self._key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{Stack.of(self).region}.amazonaws.com"}},
            )
        )


class LoopFunction(Construct):
    """Function with role and log group; it may use the state table, publish to the topic and put metrics.

    It handles one event at a time. Events that it could not handle go to the dead-letter queue.

    Parameters
    ----------
    package
        Folder below lambda/; the handler is ``plumbline.functions.<package>.handler.handler``.
    description
        What it does, for the function and its role.
    variables
        Environment variables besides topic and state table.
    """

    def __init__(  # noqa: PLR0913 - what a function is, and where
        self,
        scope: Construct,
        construct_id: str,
        *,
        package: str,
        description: str,
        variables: Mapping[LoopVariable, str],
        inputs: RetrainingInputs,
        state: LoopState,
    ) -> None:
        super().__init__(scope, construct_id)
        context, alerts = inputs.context, inputs.alerts
        self._dead_letters = inputs.dead_letters
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=LOG_RETENTION[context.config.retention.log_days],
            removal_policy=context.removal,
        )
        self.role = iam.Role(
            self, "Role", description=description, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        self.allow(["cloudwatch:PutMetricData"], ["*"], {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}})
        inputs.dead_letters.allow_send(self.role)
        alerts.allow_publish(self.role)
        state.allow_use(self.role)
        all_variables = {
            LoopVariable.TOPIC_ARN: alerts.topic.topic_arn,
            LoopVariable.STATE_TABLE: state.table.table_name,
            **variables,
        }
        with tempfile.TemporaryDirectory() as folder:
            # Synthesis stages a copy at once.
            code = lambda_.Code.from_asset(str(stage(context.root, package, Path(folder))))
            self.function = lambda_.Function(
                self,
                "Function",
                description=f"Plumbline: {description[0].lower()}{description[1:]}",
                code=code,
                handler=f"plumbline.functions.{package}.handler.handler",
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                role=self.role,
                environment={name.value: value for name, value in all_variables.items()},
                timeout=TIMEOUT,
                memory_size=MEMORY_MB,
                # Two deliveries of one event are handled one after the other.
                reserved_concurrent_executions=1,
                dead_letter_queue=inputs.dead_letters.queue,
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

    def on_event(self, construct_id: str, *, description: str, kind: str, detail: Mapping[str, list[str]]) -> None:
        """Invoke the function on SageMaker's events of detail type `kind` whose detail matches `detail`."""
        events.Rule(
            self,
            construct_id,
            description=description,
            event_pattern=events.EventPattern(source=["aws.sagemaker"], detail_type=[kind], detail=dict(detail)),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=self._dead_letters.queue)],
        )


def stage(root: Path, package: str, folder: Path) -> Path:
    """Copy the modules that the function needs of the package into `folder` and return it."""
    for part in (*SHARED, f"functions/{package}"):
        source = root / "plumbline" / part
        for path in [source] if source.is_file() else sorted(source.glob("*.py")):
            target = folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder
