"""What the alert topic tells people: a queue that hears it too."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from contract.retraining import MessageAttribute
from local.embedded import EmbeddedAws

QUEUE = "demo-inbox"
_MOST_AT_ONCE = 10


@dataclass(frozen=True)
class Message:
    """One message; `obstacle` is the code of the loop's message that a retraining was not started."""

    subject: str
    text: str
    obstacle: str | None = None

    @property
    def is_alarm(self) -> bool:
        """Whether CloudWatch sent it."""
        return self.text.lstrip().startswith("{")


class Inbox:
    """Subscribes to the topic when it is made."""

    def __init__(self, aws: EmbeddedAws, topic: str) -> None:
        self._aws = aws
        sqs = aws.client("sqs")
        self._url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read(self) -> Iterator[Message]:
        """Yield the messages that came since the last call, and forget them."""
        sqs = self._aws.client("sqs")
        while found := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=_MOST_AT_ONCE).get("Messages", ()):
            for each in found:
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
                told = json.loads(each["Body"])
                obstacle = told.get("MessageAttributes", {}).get(MessageAttribute.OBSTACLE, {}).get("Value")
                yield Message(told.get("Subject") or "", told["Message"], obstacle)
