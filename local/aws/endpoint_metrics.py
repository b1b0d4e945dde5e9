"""CloudWatch metrics that SageMaker publishes for each variant of an endpoint.

Source: SageMaker Developer Guide, "SageMaker AI endpoint invocation metrics".
"""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from local.aws.clock import Clock
from local.aws.seams import Seam

NAMESPACE: Final = "AWS/SageMaker"
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
    """Counts answers and publishes them by the minute they were given in, whenever it is told to.

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
        Seam.CW_STORE.take()(NAMESPACE, name, dimensions, at, unit, None, list(seen), list(seen.values()), None)
