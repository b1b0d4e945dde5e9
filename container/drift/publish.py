"""Metrics to CloudWatch: the only module that talks to it."""

from collections.abc import Sequence
from typing import Any

from contract.names import METRIC_NAMESPACE
from drift.errors import PublishError
from drift.metrics import Measurement

_MOST_PER_REQUEST = 1000
"""PutMetricData's limit."""


def cloudwatch_client(region: str | None) -> Any:
    """Return a CloudWatch client; boto3 is imported only here because it is slow to start.

    Raises
    ------
    PublishError
        If no client can be made, for want of a region for example.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.client("cloudwatch", region_name=region)
    except BotoCoreError as error:
        raise PublishError(
            f"CloudWatch must be reachable, got {error}; set AWS_REGION on the monitoring job"
        ) from error


def publish(measurements: Sequence[Measurement], client: Any) -> None:
    """Publish the measurements, stamped by CloudWatch with the time of arrival.

    Without a time of their own: one stamped with its window would lie outside the alarm's evaluation range.

    Raises
    ------
    PublishError
        If CloudWatch refuses or cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    data = [
        {"MetricName": entry.metric.value, "Dimensions": entry.dimension_records, "Value": entry.value}
        for entry in measurements
    ]
    try:
        for first in range(0, len(data), _MOST_PER_REQUEST):
            client.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data[first : first + _MOST_PER_REQUEST])
    except (BotoCoreError, ClientError) as error:
        raise PublishError(
            f"CloudWatch must accept the metrics, got {error}; allow cloudwatch:PutMetricData for the namespace "
            f"{METRIC_NAMESPACE} in the monitoring role"
        ) from error
