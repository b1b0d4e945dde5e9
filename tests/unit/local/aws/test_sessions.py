import json
from typing import Any

import pytest

from plumbline.local.aws.sessions import trusts

SAGEMAKER = "sagemaker.amazonaws.com"


def _trust(principal: Any, action: Any = "sts:AssumeRole", effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("policy", "trusted"),
    [
        (_trust({"Service": SAGEMAKER}), True),
        (_trust({"Service": ["x.amazonaws.com", SAGEMAKER]}, ["sts:AssumeRole"]), True),
        (_trust({"Service": SAGEMAKER}, Condition={"StringEquals": {"aws:SourceAccount": "1"}}), True),
        (_trust({"Service": "lambda.amazonaws.com"}), False),
        (_trust({"AWS": "arn:aws:iam::000000000000:root"}), False),
        (_trust({"Service": SAGEMAKER}, effect="Deny"), False),
        (_trust({"Service": SAGEMAKER}, "sts:TagSession"), False),
        (_trust("*"), False),
    ],
)
def test_role_must_trust_the_service(policy: str, trusted: bool) -> None:
    assert trusts(policy, SAGEMAKER) is trusted
