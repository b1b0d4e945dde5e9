"""When the endpoint itself is bad: a new model is taken back on these alarms, and people hear of them at any time."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from contract.names import AlarmKind
from stacks.constructs.alarm_rules import AlarmRule
from stacks.constructs.model_endpoint import VARIANT

ROLLBACK = (AlarmKind.ENDPOINT_5XX, AlarmKind.ENDPOINT_MODEL_ERRORS, AlarmKind.ENDPOINT_LATENCY)
"""Drift alarms are no part of it: they are hours late."""
PERIOD = Duration.seconds(60)
MODEL_ERRORS = 5
"""InvocationModelErrors counts every answer but 2xx: a client's few bad requests are no reason to go back."""
MICROSECONDS_A_MILLISECOND = 1000


@dataclass(frozen=True, kw_only=True)
class Served:
    """The endpoint, and how slow its model may be."""

    endpoint_name: str
    latency_milliseconds: int


def of_endpoint(served: Served) -> dict[AlarmKind, AlarmRule]:
    """Return the rules; a minute without a request is a good one."""
    return {
        AlarmKind.ENDPOINT_5XX: _rule(
            served,
            "Invocation5XXErrors",
            "Sum",
            1,
            "The endpoint answers with server errors. Read its log; a new model is taken back by itself.",
        ),
        AlarmKind.ENDPOINT_MODEL_ERRORS: _rule(
            served,
            "InvocationModelErrors",
            "Sum",
            MODEL_ERRORS,
            "The model's container refuses or fails requests. Read its log; a new model is taken back by itself.",
        ),
        AlarmKind.ENDPOINT_LATENCY: _rule(
            served,
            "ModelLatency",
            "Average",
            served.latency_milliseconds * MICROSECONDS_A_MILLISECOND,
            "The model answers slower than promotion.latency_milliseconds. Look at load and instance type; a new model "
            "is taken back by itself.",
        ),
    }


def _rule(served: Served, metric: str, statistic: str, threshold: float, action: str) -> AlarmRule:
    return AlarmRule(
        metric=cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=metric,
            dimensions_map={"EndpointName": served.endpoint_name, "VariantName": VARIANT},
            statistic=statistic,
            period=PERIOD,
        ),
        threshold=threshold,
        missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        action=action,
    )
