"""Serving: the endpoint that answers and records its traffic."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from contract.names import Prefix
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.input_source import InputSource
from stacks.constructs.model_endpoint import ModelEndpoint, Serving
from stacks.context import Context
from stacks.foundation import FoundationStack


class ServingStack(Stack):
    """Endpoint with its execution role; the model comes from the environment file."""

    def __init__(
        self, scope: Construct, construct_id: str, *, context: Context, foundation: FoundationStack, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        config, naming = context.config, context.naming
        self.model = InputSource(
            self, "Artifact", setting="model.artifact", location=config.model.artifact, root=context.root
        )
        self.role = self._role(context, foundation)
        self.endpoint = ModelEndpoint(
            self,
            "Endpoint",
            name=naming.endpoint,
            serving=Serving(
                image_uri=context.image.uri,
                model_uri=self.model.uri,
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

    def _role(self, context: Context, foundation: FoundationStack) -> ExecutionRole:
        role = ExecutionRole(
            self, "EndpointRole", description="The endpoint reads its model and records traffic", sources=["*"]
        )
        self.model.allow_read(role.role)
        foundation.source.allow_read(role.role)
        foundation.capture.allow_write(role.role, context.naming.capture_prefix)
        role.allow_logs(f"/aws/sagemaker/Endpoints/{context.naming.endpoint}")
        role.allow_metrics()
        role.allow_image(account=context.image.account, repository=context.image.repository)
        role.allow_network(context.config.network)
        return role
