"""What the alert topic tells, and its delivery to the retraining Lambda once more."""

import json
from typing import Any

from tests.e2e import messages
from tests.e2e.deployment import Deployment


class Inbox:
    """A queue that the alert topic tells as well."""

    def __init__(self, deployment: Deployment) -> None:
        self._aws = deployment.aws
        self._url, arn = messages.make_queue(deployment.aws, "alerts")
        deployment.aws.client("sns").subscribe(TopicArn=deployment.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
        self._told: list[str] = []

    def told(self, sign: str) -> str:
        """Wait until the topic has told something that holds `sign`, and return the message as it was published."""
        messages.eventually(lambda: any(sign in each for each in self._all()), f"the topic must tell {sign}")
        return next(each for each in self._told if sign in each)

    def _all(self) -> list[str]:
        self._told += [json.loads(body)["Message"] for body in messages.received(self._aws, self._url)]
        return self._told


def deliver(deployment: Deployment, message: str) -> dict[str, Any]:
    """Hand a message of the topic to the Lambda once more and return its decision."""
    event = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]}
    answer = deployment.aws.client("lambda").invoke(
        FunctionName=deployment.outputs["RetrainingFunctionName"], Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in answer
    (decision,) = json.load(answer["Payload"])["decisions"]
    assert isinstance(decision, dict)
    return decision
