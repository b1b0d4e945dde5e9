"""The metric of SQS that alarms on a queue watch; MiniStack publishes none."""

import time
from typing import Any, Final

from local.aws.clock import Clock
from local.aws.seams import Seam

NAMESPACE: Final = "AWS/SQS"
METRIC: Final = "ApproximateNumberOfMessagesVisible"
_MINUTE: Final = 60


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
                    NAMESPACE, METRIC, n_visible(queue, time.time()), "Count", {"QueueName": queue["name"]}
                )


def n_visible(queue: dict[str, Any], now: float) -> int:
    """Return how many messages a consumer could receive; `now` is a real time: queues live on the real clock."""
    return sum(message["visible_at"] <= now for message in list(queue["messages"]))
