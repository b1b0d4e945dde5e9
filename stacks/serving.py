"""Serving stack: the endpoint, which captures its traffic."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from plumbline.contract.names import Prefix, alarm_name
from plumbline.contract.retraining import champion_artifact, champion_baseline
from plumbline.stacks.constructs.alarms.alarm_rules import ROLLS_BACK
from plumbline.stacks.constructs.alarms.alert_topic import alarm_arn
from plumbline.stacks.constructs.execution_role import ExecutionRole
from plumbline.stacks.constructs.serving.model_endpoint import EndpointUris, ModelEndpoint
from plumbline.stacks.context import Context
from plumbline.stacks.foundation import FoundationStack


class ServingStack(Stack):
    """Endpoint with its execution role.

    Two SSM parameters hold the champion. The template reads their values at each deployment, so that a deployment
    keeps the champion and does not return to the environment file's first model.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, context: Context, foundation: FoundationStack, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        config, naming = context.config, context.naming
        # The parameters must exist before their values are read.
        self.add_stack_dependency(foundation)
        self.role = self._role(context, foundation)
        self.endpoint = ModelEndpoint(
            self,
            "Endpoint",
            name=naming.endpoint,
            uris=EndpointUris(
                image_uri=context.image.uri,
                model_uri=self._parameter(champion_artifact(config.name)),
                baseline_uri=self._parameter(champion_baseline(config.name)),
                source_uri=foundation.source.uri,
                capture_uri=foundation.capture.uri(Prefix.CAPTURE),
            ),
            settings=config.endpoint,
            capture=config.capture,
            network=config.network,
            role=self.role,
            key=foundation.data_key,
        ).endpoint
        CfnOutput(self, "EndpointName", value=self.endpoint.attr_endpoint_name)

    def _parameter(self, name: str) -> str:
        return ssm.StringParameter.value_for_string_parameter(self, name)

    def _role(self, context: Context, foundation: FoundationStack) -> ExecutionRole:
        role = ExecutionRole(
            self, "EndpointRole", description="The endpoint reads its model and records traffic", sources=["*"]
        )
        foundation.model.allow_read(role.role)
        foundation.artifacts.allow_read(role.role, Prefix.MODELS)
        foundation.source.allow_read(role.role)
        foundation.capture.allow_write(role.role, context.naming.capture_prefix)
        role.allow_logs(f"/aws/sagemaker/Endpoints/{context.naming.endpoint}")
        role.allow_metrics()
        role.allow_image(account=context.image.account, repository=context.image.repository)
        role.allow_network(context.config.network)
        # SageMaker reads the rollback alarms of an update with this role.
        alarms = [alarm_arn(self, alarm_name(context.config.name, kind)) for kind in ROLLS_BACK]
        role.role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=alarms))
        return role
