"""CloudWatch metrics that services publish by themselves: SageMaker's of endpoint variants, and SQS's of queues.

Source: SageMaker Developer Guide, "SageMaker AI endpoint invocation metrics".
"""

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.seams import Seam

ENDPOINT_NAMESPACE: Final = "AWS/SageMaker"
QUEUE_NAMESPACE: Final = "AWS/SQS"
QUEUE_METRIC: Final = "ApproximateNumberOfMessagesVisible"
_MINUTE: Final = 60

_Key = tuple[str, str, int]
"""Endpoint, variant and minute since the epoch."""


@dataclass
class _Minute:
    """Answers of one variant within one minute: statuses, and latencies in microseconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    def flags(self) -> dict[str, int]:
        """Return for each metric that is 1 or 0 for each request how many were 1."""
        return {
            "Invocation4XXErrors": self._n_between(400, 500),
            "Invocation5XXErrors": self._n_between(500, 600),
            "InvocationModelErrors": self.statuses.total() - self._n_between(200, 300),
        }

    def _n_between(self, lowest: int, limit: int) -> int:
        return sum(n for status, n in self.statuses.items() if lowest <= status < limit)


class EndpointMetrics:
    """Counts answers, and publishes them by the minute they were given in when `publish` is called.

    The dimensions are EndpointName and VariantName; SageMaker's others are left out.
    """

    def __init__(self, clock: Clock, account: str, region: str) -> None:
        self._clock = clock
        self._account = account
        self._region = region
        self._lock = threading.Lock()
        self._minutes: defaultdict[_Key, _Minute] = defaultdict(_Minute)

    def count(self, endpoint: str, variant: str, status: int, latency_microseconds: float) -> None:
        """Count the model's answer to one request, now."""
        with self._lock:
            minute = self._minutes[endpoint, variant, int(self._clock() // _MINUTE)]
            minute.statuses[status] += 1
            minute.latencies.append(latency_microseconds)

    def publish(self) -> None:
        """Publish what was counted since the last time; nothing where no request came."""
        with self._lock:
            counted, self._minutes = self._minutes, defaultdict(_Minute)
        for (endpoint, variant, number), minute in counted.items():
            dimensions = {"EndpointName": endpoint, "VariantName": variant}
            at = float(number * _MINUTE)
            with Seam.REQUEST_SCOPE.take()(self._account, self._region):
                n_requests = minute.statuses.total()
                self._store("Invocations", dimensions, at, "Count", {1.0: n_requests})
                for name, n_flagged in minute.flags().items():
                    self._store(name, dimensions, at, "Count", {1.0: n_flagged, 0.0: n_requests - n_flagged})
                self._store("ModelLatency", dimensions, at, "Microseconds", Counter(minute.latencies))

    def _store(self, name: str, dimensions: dict[str, str], at: float, unit: str, counts: dict[float, int]) -> None:
        seen = {value: count for value, count in counts.items() if count}
        Seam.CW_STORE.take()(
            ENDPOINT_NAMESPACE, name, dimensions, at, unit, None, list(seen), list(seen.values()), None
        )


class QueueMetrics:
    """Publishes the number of visible messages of every queue once a simulated minute.

    SQS does so for queues that were used within six hours; here every queue counts as used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._published = -1.0

    def publish(self) -> None:
        """Publish, unless it was done within this minute."""
        minute = self._clock() // _MINUTE
        if minute == self._published:
            return
        self._published = minute
        for (account, region, _), queue in list(Seam.SQS_QUEUES.take()._data.items()):
            with Seam.REQUEST_SCOPE.take()(account, region):
                Seam.CW_RECORD.take()(
                    QUEUE_NAMESPACE, QUEUE_METRIC, n_visible(queue, time.time()), "Count", {"QueueName": queue["name"]}
                )


def n_visible(queue: dict[str, Any], now: float) -> int:
    """Return how many messages a consumer could receive; `now` is a real time: queues live on the real clock."""
    return sum(message["visible_at"] <= now for message in list(queue["messages"]))
