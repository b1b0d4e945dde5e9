"""What the loop reports: messages to the alert topic, CloudWatch metrics, and lines of its log."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from plumbline.contract.names import METRIC_NAMESPACE, Dimension
from plumbline.contract.retraining import MessageAttribute, MessageKind, Obstacle, RetrainingMetric
from plumbline.functions.shared.aws_client import AwsClients

MAX_SUBJECT_LENGTH = 99
"""Publish: the subject must be ASCII without control characters, and less than 100 characters long."""
MAX_TEXT_BYTES = 256_000
"""Publish: a message has at most 262,144 bytes, its attributes included."""


@dataclass(frozen=True)
class LoopMessage:
    """A message to people: subject and text for them, the other fields for machines.

    Parameters
    ----------
    obstacle
        Why a retraining was not started.
    version
        Number in the registry of the version that the message is about.
    """

    kind: MessageKind
    subject: str
    text: str
    obstacle: Obstacle | None = None
    version: int | None = None


class NotifierPort(Protocol):
    """Where messages and metrics go; `Notifier` in AWS, a fake in tests."""

    def publish(self, message: LoopMessage) -> None:
        """Send a message."""

    def put_metric(self, metric: RetrainingMetric) -> None:
        """Put one point of a metric."""


class Notifier:
    """The alert topic and the metrics of one endpoint."""

    def __init__(self, topic_arn: str, endpoint: str, clients: AwsClients) -> None:
        self._topic_arn = topic_arn
        self._endpoint = endpoint
        self._clients = clients

    def publish(self, message: LoopMessage) -> None:
        """Publish a message; by its attributes the controller ignores it, and subscribers can filter."""
        attributes = {
            MessageAttribute.ENDPOINT: self._endpoint,
            MessageAttribute.KIND: message.kind,
            MessageAttribute.OBSTACLE: message.obstacle,
            MessageAttribute.VERSION: message.version,
        }
        self._clients["sns"].publish(
            TopicArn=self._topic_arn,
            Subject=subject_line(message.subject),
            Message=message.text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore"),
            MessageAttributes={
                name.value: {"DataType": "String", "StringValue": str(value)}
                for name, value in attributes.items()
                if value is not None
            },
        )

    def put_metric(self, metric: RetrainingMetric, value: float = 1.0) -> None:
        """Put one point of a metric, stamped with the time of its arrival."""
        self._clients["cloudwatch"].put_metric_data(
            Namespace=METRIC_NAMESPACE,
            MetricData=[
                {
                    "MetricName": metric.value,
                    "Dimensions": [{"Name": Dimension.ENDPOINT.value, "Value": self._endpoint}],
                    "Value": value,
                }
            ],
        )


def subject_line(text: str) -> str:
    """Return `text` as SNS accepts a subject: printable ASCII in one line, cut to `MAX_SUBJECT_LENGTH` characters.

    Examples
    --------
    >>> subject_line("Drift of café: started")
    'Drift of caf?: started'
    """
    line = re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()
    return line.encode("ascii", "replace").decode("ascii")[:MAX_SUBJECT_LENGTH].rstrip() or "Plumbline"


def log(record: Mapping[str, Any]) -> None:
    """Print a record as one line of JSON: standard output is the function's log."""
    print(json.dumps(record), flush=True)


def paragraphs(*parts: str | None) -> str:
    """Return a message's text: the parts that there are, an empty line between them."""
    return "\n\n".join(part for part in parts if part) + "\n"
