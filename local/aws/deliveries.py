"""A function handles one event after the other, as its reserved concurrency of 1 wants it."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from local.aws.seams import Seam

_Execute = Callable[[dict[str, Any], Any], Any]


class Deliveries:
    """Holds each event back until the function's earlier ones are handled.

    AWS queues asynchronous events and tries again while the function's reserved concurrency is used up. MiniStack's
    CloudFormation drops ReservedConcurrentExecutions, and its topics, rules and schedules start one thread for each
    event: two alarms of one minute would run the function twice at once. Every function here has a reserved
    concurrency of 1.
    """

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def install(self) -> None:
        """Stand between events and functions."""
        execute: _Execute = Seam.LAMBDA_EXECUTE.take()
        Seam.LAMBDA_EXECUTE.replace(lambda function, event: self._one_by_one(execute, function, event))

    def _one_by_one(self, execute: _Execute, function: dict[str, Any], event: Any) -> Any:
        with self._guard:
            lock = self._locks[function["config"]["FunctionName"]]
        with lock:
            return execute(function, event)
