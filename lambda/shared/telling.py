"""How the loop tells people: messages to the topic, and counts as CloudWatch metrics."""

import re
from typing import Any

from contract.names import METRIC_NAMESPACE, Dimension
from contract.retraining import OWN_MESSAGE, RetrainingMetric

SUBJECT_MAX = 99
"""Publish: the subject must be ASCII without control characters, and less than 100 characters long."""
TEXT_MAX_BYTES = 256_000
"""Publish: a message has at most 262,144 bytes, the attribute counted."""


class Announcer:
    """The alert topic and the metrics of one endpoint; clients are made on first use."""

    def __init__(self, topic_arn: str, region: str, endpoint: str) -> None:
        self._topic_arn = topic_arn
        self._region = region
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def tell(self, subject: str, text: str) -> None:
        """Publish a message; its attribute keeps it from coming back to the controller as an event."""
        self._client("sns").publish(
            TopicArn=self._topic_arn,
            Subject=subject_line(subject),
            Message=text.encode()[:TEXT_MAX_BYTES].decode(errors="ignore"),
            MessageAttributes={OWN_MESSAGE: {"DataType": "String", "StringValue": self._endpoint}},
        )

    def count(self, metric: RetrainingMetric, value: float = 1.0) -> None:
        """Put one point of a metric, stamped with the time of its arrival."""
        self._client("cloudwatch").put_metric_data(
            Namespace=METRIC_NAMESPACE,
            MetricData=[
                {
                    "MetricName": metric.value,
                    "Dimensions": [{"Name": Dimension.ENDPOINT.value, "Value": self._endpoint}],
                    "Value": value,
                }
            ],
        )

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._region)
        return self._clients[service]


def subject_line(text: str) -> str:
    """Return `text` as SNS takes a subject: printable ASCII in one line, cut to `SUBJECT_MAX` characters.

    Examples
    --------
    >>> subject_line("Drift of café: started")
    'Drift of caf?: started'
    """
    line = re.sub(r"[\x00-\x20\x7f]+", " ", text).strip()
    return line.encode("ascii", "replace").decode("ascii")[:SUBJECT_MAX].rstrip() or "Plumbline"
