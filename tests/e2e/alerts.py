"""Messages of the alert topic, and their delivery to the retraining Lambda once more."""

import json
from typing import Any

from plumbline.local.demo.inbox import Inbox
from tests.e2e import messages
from tests.e2e.deployment import Deployment


class AlertInbox:
    """What the alert topic has published since the inbox was made."""

    def __init__(self, deployment: Deployment) -> None:
        self._inbox = Inbox(deployment.aws, deployment.outputs["TopicArn"], "alerts")
        self._texts: list[str] = []

    def await_text(self, sign: str) -> str:
        """Wait until a message holds `sign`, and return its text."""
        messages.eventually(lambda: any(sign in each for each in self._all()), f"the topic must publish {sign}")
        return next(each for each in self._texts if sign in each)

    def _all(self) -> list[str]:
        self._texts += [mail.text for mail in self._inbox.read()]
        return self._texts


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
