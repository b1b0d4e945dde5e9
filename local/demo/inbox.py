"""Queues that receive what a topic publishes: the demo's inbox, and those of the end-to-end tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from plumbline.local.embedded import EmbeddedAws

_MAX_AT_ONCE = 10
"""ReceiveMessage's own limit."""


@dataclass(frozen=True)
class Mail:
    """One message of the alert topic; alarms have a subject of CloudWatch's own and a JSON text."""

    subject: str
    text: str

    @property
    def is_alarm(self) -> bool:
        """Whether CloudWatch sent it."""
        try:
            return isinstance(json.loads(self.text), dict)
        except ValueError:
            return False


def make_queue(aws: EmbeddedAws, name: str) -> tuple[str, str]:
    """Return the URL and the ARN of a new queue that topics may send to."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    principal = {"Service": "sns.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


class Inbox:
    """A queue of its own that is subscribed to a topic from now on."""

    def __init__(self, aws: EmbeddedAws, topic: str, name: str = "demo-inbox") -> None:
        self._aws = aws
        self._url, arn = make_queue(aws, name)
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read(self) -> Iterator[Mail]:
        """Yield the messages that came since the last call, and delete them."""
        sqs = self._aws.client("sqs")
        while found := sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=_MAX_AT_ONCE).get("Messages", ()):
            for each in found:
                sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
                body = json.loads(each["Body"])
                yield Mail(body.get("Subject") or "", body["Message"])
