"""Gives a Lambda function's process the clock of the embedded AWS: `datetime.now` and `utcnow` are simulated.

Python imports this module at its start, before the function's code, when its folder is on PYTHONPATH. A function must
not read the real time: the alarms, captures and schedules around it follow the simulated clock.
The AWS SDK keeps the real time, with which requests are signed and checked. Standard library only: it runs in the
function's process.
"""

import datetime
import http.client
import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

CLOCK = "/_local/clock"
_SECONDS = 10
_SDK = ("boto3", "botocore")
_Real = datetime.datetime


def simulated() -> float:
    """Return the embedded AWS's time in seconds since the epoch."""
    place = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_SECONDS)
    try:
        connection.request("GET", CLOCK)
        return float(json.load(connection.getresponse())["now"])
    finally:
        connection.close()


class _AnyDatetime(type):
    """Makes every real datetime an instance of the simulated class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Real)


class SimulatedDatetime(_Real, metaclass=_AnyDatetime):
    """`datetime.datetime` by the simulated clock; what it returns are plain ones."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """Return the simulated time."""
        return _Real.now(tz) if _called_by_sdk() else _Real.fromtimestamp(simulated(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        """Return the simulated time in UTC, naive."""
        now = _Real.now(datetime.UTC) if _called_by_sdk() else _Real.fromtimestamp(simulated(), datetime.UTC)
        return now.replace(tzinfo=None)


def _called_by_sdk() -> bool:
    # The frames: this function, now or utcnow, its caller.
    return str(sys._getframe(2).f_globals.get("__name__", "")).partition(".")[0] in _SDK


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    datetime.datetime = SimulatedDatetime  # type: ignore[misc]
