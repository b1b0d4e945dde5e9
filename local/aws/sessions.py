"""Temporary credentials of a role inside the embedded AWS: what a job or an endpoint of that role would have."""

import hashlib
import json
import os
from typing import Any, Final

import boto3
from botocore.config import Config

from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.seams import Seam

SAGEMAKER: Final = "sagemaker.amazonaws.com"


def role_environment(role_arn: str, session_name: str, *, service: str = SAGEMAKER) -> dict[str, str]:
    """Return the environment that makes an AWS SDK act as the role against this server.

    The same role and session name give the same credentials, so that callers need not keep them.

    Parameters
    ----------
    service
        The service principal that assumes the role. Conditions of the trust policy are not evaluated.

    Raises
    ------
    ApiError
        ``ValidationException`` if there is no such role, or it does not trust the service.
    """
    account, role = _checked(role_arn, service)
    digest = hashlib.sha256(f"{role_arn}:{session_name}".encode()).hexdigest()
    key, token = f"ASIA{digest[:16].upper()}", f"token{digest}"
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session_name}",
        "UserId": f"{role}:{session_name}",
        "SecretAccessKey": digest,
        "SessionToken": token,
    }
    Seam.STS_REGISTER.take()(key, session)
    region = os.environ["AWS_REGION"]
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": digest,
        "AWS_SESSION_TOKEN": token,
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def client(name: str, role_arn: str, session_name: str, *, service: str = SAGEMAKER) -> Any:
    """Return a boto3 client that acts as the role; arguments as for `role_environment`."""
    environment = role_environment(role_arn, session_name, service=service)
    return boto3.client(
        name,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
        config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
    )


def _checked(role_arn: str, service: str) -> tuple[str, str]:
    """Return the role's account and name, once it is sure that the service may assume it."""
    parts = role_arn.split(":")
    account, role = (parts[4], parts[5].rsplit("/", 1)[-1]) if len(parts) == 6 else ("", "")
    with Seam.REQUEST_SCOPE.take()(account, os.environ["AWS_REGION"]):
        record = Seam.IAM_ROLES.take().get(role)
    if record is None or not trusts(record["AssumeRolePolicyDocument"], service):
        raise ValidationError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service}' to assume the role.",
        )
    return account, role


def trusts(policy: str, service: str) -> bool:
    """Return whether a trust policy lets a service principal assume its role, leaving conditions aside."""
    statements = json.loads(policy)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = _listed(principal.get("Service")) if isinstance(principal, dict) else []
        if statement["Effect"] == "Allow" and service in services and "sts:AssumeRole" in _listed(statement["Action"]):
            return True
    return False


def _listed(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
