"""S3 permissions narrower than the bucket's own grants: one action, one prefix."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

OBJECT_SUFFIXES = (".tar.gz", ".zip", ".csv", ".json")
"""A key that ends so is an object; any other is a prefix."""


def allow_list(role: iam.Role, arn: str, prefixes: list[str], operator: str = "StringLike") -> None:
    """Let `role` list the bucket as far as the prefixes go."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[arn],
            conditions={operator: {"s3:prefix": prefixes}},
        )
    )


def allow_objects(role: iam.Role, action: str, resource: str) -> None:
    """Let `role` perform one action on one object, or on what is below one prefix."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=[action], resources=[resource]))


def allow_read_of(role: iam.Role, bucket_name: str, key: str) -> None:
    """Let `role` read an object or what is below a prefix, and list so far: jobs list even a single object."""
    is_object = key.endswith(OBJECT_SUFFIXES)
    allow_list(role, bucket_arn(role, bucket_name), [key] if is_object else [key, f"{key}/*"])
    allow_objects(role, "s3:GetObject", objects_arn(role, bucket_name, key))


def objects_arn(scope: Construct, bucket_name: str, key: str) -> str:
    """Return the ARN of an object, or the pattern of what is below a prefix."""
    arn = f"{bucket_arn(scope, bucket_name)}/{key}"
    return arn if key.endswith(OBJECT_SUFFIXES) else f"{arn}/*"


def bucket_arn(scope: Construct, bucket_name: str) -> str:
    """Return the ARN of a bucket by its name."""
    return Stack.of(scope).format_arn(
        service="s3", region="", account="", resource=bucket_name, arn_format=ArnFormat.NO_RESOURCE_NAME
    )
