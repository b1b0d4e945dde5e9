"""Temporary credentials of a role inside the embedded AWS: what a job or an endpoint of that role would have."""

import hashlib
import os
from typing import Any

import boto3
from botocore.config import Config

from local.aws.seams import Seam


def role_environment(role_arn: str, session_name: str) -> dict[str, str]:
    """Return the environment that makes an AWS SDK act as the role against this server.

    The same role and session name give the same credentials, so that callers need not keep them.

    Raises
    ------
    ValueError
        If `role_arn` is no role's ARN.
    """
    parts = role_arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("role/"):
        raise ValueError(f"role_arn must be the ARN of an IAM role, got {role_arn!r}")
    role = parts[5].rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{role_arn}:{session_name}".encode()).hexdigest()
    key, token = f"ASIA{digest[:16].upper()}", f"token{digest}"
    session = {
        "Arn": f"arn:aws:sts::{parts[4]}:assumed-role/{role}/{session_name}",
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


def client(service: str, role_arn: str, session_name: str) -> Any:
    """Return a boto3 client that acts as the role."""
    environment = role_environment(role_arn, session_name)
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
        config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}),
    )
