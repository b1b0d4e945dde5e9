"""Clients that act as a role of the deployed stacks."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from plumbline.local.embedded import EmbeddedAws


def clients_of_role(aws: EmbeddedAws, role: str) -> Callable[[str], Any]:
    """Return a function that makes clients of the role, which from now on trusts the account's root too."""
    iam, name = aws.client("iam"), role.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    root = {"AWS": f"arn:aws:iam::{aws.account}:root"}
    trust["Statement"].append({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return partial(
        boto3.client,
        endpoint_url=aws.url,
        region_name=aws.region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )
