from collections.abc import Iterator
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.cloudwatch.service_metrics import ENDPOINT_NAMESPACE, EndpointMetrics, n_visible
from plumbline.local.aws.seams import Seam

ACCOUNT, REGION = "000000000000", "us-east-1"
HOUR = 1_795_600_800.0
"""A full hour."""
DIMENSIONS = {"EndpointName": "endpoint-metrics", "VariantName": "v"}


@pytest.fixture
def scope() -> Iterator[None]:
    with Seam.REQUEST_SCOPE.take()(ACCOUNT, REGION):
        yield


def _stored(metric: str) -> list[dict[str, Any]]:
    points = Seam.CW_METRICS.take().get((ENDPOINT_NAMESPACE, metric, Seam.CW_DIMENSIONS.take()(DIMENSIONS))) or []
    return list(points)


def _statistics(metric: str) -> dict[str, float]:
    statistics: dict[str, float] = Seam.CW_STATISTICS.take()(_stored(metric))
    return statistics


def test_answers_are_published_by_the_minute_they_were_given_in(scope: None) -> None:
    clock = Clock(HOUR + 59, real=lambda: 0.0)
    metrics = EndpointMetrics(clock, ACCOUNT, REGION)
    for status, latency in ((200, 100.0), (200, 300.0), (415, 50.0)):
        metrics.count("endpoint-metrics", "v", status, latency)
    clock.advance(1)
    metrics.count("endpoint-metrics", "v", 500, 550.0)
    clock.advance(3600)
    metrics.publish()
    metrics.publish()  # what was published is not published again

    assert {point["Timestamp"] for point in _stored("Invocations")} == {HOUR, HOUR + 60}
    assert _statistics("Invocations")["Sum"] == 4
    assert _statistics("Invocation4XXErrors")["Sum"] == 1
    assert _statistics("Invocation5XXErrors")["Average"] == 1 / 4
    assert _statistics("InvocationModelErrors")["Sum"] == 2
    assert _statistics("ModelLatency") == {
        "SampleCount": 4,
        "Sum": 1000,
        "Average": 250,
        "Minimum": 50,
        "Maximum": 550,
    }


def test_messages_in_flight_and_delayed_ones_are_not_visible() -> None:
    queue = {"name": "q", "messages": [{"visible_at": moment} for moment in (0.0, 100.0, 100.5, 130.0)]}
    assert n_visible(queue, 100.0) == 2


def test_empty_queue_shows_none() -> None:
    assert n_visible({"name": "q", "messages": []}, 100.0) == 0
