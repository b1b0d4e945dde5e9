"""Schedule expressions: which ones each engine can run, and how many hours lie between two runs."""

import re
from enum import StrEnum

HOURLY = re.compile(r"cron\((?P<minute>\d{1,2}) \* \? \* \* \*\)")
EVERY_N_HOURS = re.compile(r"cron\(0 0/(?P<hours>2|3|4|6|8|12) \? \* \* \*\)")
DAILY = re.compile(r"cron\(0 (?:[01]?\d|2[0-3]) \? \* \* \*\)")

EARLIEST_MINUTE = 10
"""Capture files appear a couple of minutes after the requests: an earlier run would miss the end of its hour."""


class Engine(StrEnum):
    """What starts the monitoring job: docs/adr/0001-two-engines-behind-one-setting.md."""

    MODEL_MONITOR = "model_monitor"
    SCHEDULER = "scheduler"


def interval_hours(engine: Engine, expression: str) -> int:
    """Return the hours between two runs.

    Raises
    ------
    ValueError
        If `engine` cannot run `expression`; Model Monitor's forms are those of its API reference, and our own
        schedule analyses one hour a run.
    """
    hourly = HOURLY.fullmatch(expression)
    if engine is Engine.SCHEDULER:
        if hourly and EARLIEST_MINUTE <= int(hourly["minute"]) <= 59:
            return 1
        raise ValueError(
            f"must have a schedule cron(M * ? * * *), M from {EARLIEST_MINUTE} to 59, for the engine scheduler, "
            f"got {expression!r}"
        )
    if hourly and int(hourly["minute"]) == 0:
        return 1
    if spaced := EVERY_N_HOURS.fullmatch(expression):
        return int(spaced["hours"])
    if DAILY.fullmatch(expression):
        return 24
    raise ValueError(
        "must have a schedule cron(0 * ? * * *), cron(0 0/N ? * * *) with N of 2, 3, 4, 6, 8, 12 "
        f"or cron(0 H ? * * *), for the engine model_monitor, got {expression!r}"
    )
