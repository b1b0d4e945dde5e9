"""Topic messages reach a function one after the other, as its reserved concurrency of 1 wants it."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from local.aws.seams import Seam

_Deliver = Callable[..., None]


class Deliveries:
    """Holds each message back until the function's earlier ones are handled.

    AWS queues asynchronous events and tries again while the function's reserved concurrency is used up. MiniStack's
    CloudFormation drops ReservedConcurrentExecutions, and its topics start one thread for each message: two alarms of
    one minute would run the function twice at once. Every function here has a reserved concurrency of 1.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def install(self) -> None:
        """Stand between topics and functions."""
        deliver: _Deliver = Seam.SNS_DELIVER.take()
        Seam.SNS_DELIVER.replace(lambda endpoint, *message: self._one_by_one(deliver, endpoint, message))

    def _one_by_one(self, deliver: _Deliver, endpoint: str, message: tuple[Any, ...]) -> None:
        with self._guard:
            lock = self._locks[endpoint]
        with lock:
            deliver(endpoint, *message)
