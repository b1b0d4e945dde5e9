"""Role of one SageMaker workload: its trust policy, and the permissions that every workload of its kind needs."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from plumbline.stacks.config.environment import NetworkSection

SAGEMAKER = "sagemaker.amazonaws.com"
PLATFORM_NAMESPACES = ("aws/sagemaker/*", "/aws/sagemaker/*")
"""AWS spells its own namespaces both ways."""


class ExecutionRole(Construct):
    """Role that SageMaker assumes for resources of this account only.

    Parameters
    ----------
    sources
        Resources after the account in the ARN, for example ``training-job/*``: the confused-deputy condition.
        SageMaker refuses an endpoint's role narrower than ``*`` (Developer Guide, "Cross-service confused deputy
        prevention").
    """

    def __init__(self, scope: Construct, construct_id: str, *, description: str, sources: Sequence[str]) -> None:
        super().__init__(scope, construct_id)
        self._stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Role",
            description=description,
            assumed_by=iam.ServicePrincipal(
                SAGEMAKER,
                conditions={
                    "StringEquals": {"aws:SourceAccount": self._stack.account},
                    "ArnLike": {"aws:SourceArn": [sagemaker_arn(self, source) for source in sources]},
                },
            ),
        )

    @property
    def permissions(self) -> IConstruct:
        """The role's policy, a resource of its own: what acts at its creation must wait for it."""
        return self.role.node.find_child("DefaultPolicy")

    def allow_logs(self, group: str) -> None:
        """Let the workload log to one of SageMaker's log groups, for example ``/aws/sagemaker/TrainingJobs``."""
        self._allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group_arn(self, group), log_streams_arn(self, group)],
        )

    def allow_metrics(self, *namespaces: str) -> None:
        """Let the workload publish the platform's metrics, and metrics of `namespaces`.

        PutMetricData has no resource, so that only the namespace can be restricted.
        """
        self._allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringLike": {"cloudwatch:namespace": [*namespaces, *PLATFORM_NAMESPACES]}},
        )

    def allow_image(self, *, account: str, repository: str) -> None:
        """Let the workload pull its image; the token has no resource."""
        arn = self._stack.format_arn(service="ecr", account=account, resource="repository", resource_name=repository)
        self._allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [arn],
        )
        self._allow(["ecr:GetAuthorizationToken"], ["*"])

    def allow_network(self, network: NetworkSection | None) -> None:
        """Let the workload attach to the VPC's subnets; absent network: nothing to allow."""
        if network is None:
            return
        interfaces = self._ec2_arn("network-interface", "*")
        self._allow(
            [
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            [
                interfaces,
                *(self._ec2_arn("subnet", subnet) for subnet in network.subnet_ids),
                *(self._ec2_arn("security-group", group) for group in network.security_group_ids),
            ],
        )
        # EC2's describe calls take no resource.
        self._allow(
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
        )

    def _allow(self, actions: list[str], resources: list[str], conditions: dict[str, object] | None = None) -> None:
        self.role.add_to_principal_policy(
            iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
        )

    def _ec2_arn(self, resource: str, name: str) -> str:
        return self._stack.format_arn(service="ec2", resource=resource, resource_name=name)


def sagemaker_arn(scope: Construct, resource: str) -> str:
    """Return the ARN of a resource of SageMaker in this account, for example ``model/prefix-*``."""
    return Stack.of(scope).format_arn(service="sagemaker", resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME)


def log_group_arn(scope: Construct, group: str) -> str:
    """Return the ARN of a log group of this account."""
    return Stack.of(scope).format_arn(
        service="logs", resource="log-group", resource_name=group, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )


def log_streams_arn(scope: Construct, group: str) -> str:
    """Return the ARN pattern of a log group's streams; SageMaker names them."""
    return f"{log_group_arn(scope, group)}:*"
