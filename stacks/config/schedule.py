"""Engines and schedule expressions: which one an engine can run, and how many hours lie between two runs."""

import re
from enum import StrEnum

WINDOW_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
"""Lengths of a window: each divides a day, so that the windows of every day begin at the same hours."""

FORM = re.compile(
    r"cron\((?P<minute>\d{1,2}) (?:(?P<hourly>\*)|0/(?P<hours>2|3|4|6|8|12)|(?:[01]?\d|2[0-3])) \? \* \* \*\)"
)
"""Each hour, every N hours, or once a day: the forms of Model Monitor's API reference."""
EARLIEST_MINUTE = 10
"""Capture files appear a couple of minutes after the requests: an earlier run would miss the end of its window."""
RUN_MINUTE = 20
"""Of our own schedule, where the file does not name one."""


class Engine(StrEnum):
    """What starts the monitoring job: docs/adr/0001-two-engines-behind-one-setting.md."""

    MODEL_MONITOR = "model_monitor"
    SCHEDULER = "scheduler"

    @property
    def sentence(self) -> str:
        """Which accounts need which engine: what `plumbline check` and the synthesis say before the first resource."""
        if self is Engine.SCHEDULER:
            return (
                "the engine is scheduler, which every account can deploy; an account that used SageMaker Model Monitor "
                f"before AWS closed it to new customers may take {Engine.MODEL_MONITOR.value} as well"
            )
        return (
            "the engine is model_monitor, which only an account that used SageMaker Model Monitor before AWS closed it "
            "to new customers can deploy; every other account must pass -c engine=scheduler, or its monitoring stack "
            "fails"
        )

    @property
    def minute(self) -> int:
        """Minute of the hour at which a run starts, where the file does not name one."""
        return 0 if self is Engine.MODEL_MONITOR else RUN_MINUTE

    def runs_at(self, minute: int) -> bool:
        """Return whether the engine can start a run at that minute of an hour."""
        return minute == 0 if self is Engine.MODEL_MONITOR else EARLIEST_MINUTE <= minute <= 59


def expression_for(engine: Engine, hours: int) -> str:
    """Return the engine's schedule of one run every so many hours, from midnight on."""
    of_hours = {1: "*", 24: "0"}.get(hours, f"0/{hours}")
    return f"cron({engine.minute} {of_hours} ? * * *)"


def moved_to(engine: Engine, expression: str) -> str:
    """Return a schedule of the other engine as this one can run it: the same hours, at this engine's minute.

    One that suits already, or is none of the forms, stays as it is.

    Examples
    --------
    >>> moved_to(Engine.SCHEDULER, "cron(0 0/4 ? * * *)")
    'cron(20 0/4 ? * * *)'
    """
    found = FORM.fullmatch(expression)
    if not found or engine.runs_at(int(found["minute"])):
        return expression
    return expression.replace(f"cron({found['minute']} ", f"cron({engine.minute} ", 1)


def minute_of(expression: str) -> int:
    """Return the minute of the hour at which a schedule starts runs; `interval_hours` has accepted it."""
    found = FORM.fullmatch(expression)
    return int(found["minute"]) if found else 0


def interval_hours(engine: Engine, expression: str) -> int:
    """Return the hours between two runs.

    Raises
    ------
    ValueError
        If `engine` cannot run `expression`.
    """
    found = FORM.fullmatch(expression)
    if found and engine.runs_at(int(found["minute"])):
        return 1 if found["hourly"] else int(found["hours"] or 24)
    minute, range_of = ("0", "") if engine is Engine.MODEL_MONITOR else ("M", f", M from {EARLIEST_MINUTE} to 59,")
    raise ValueError(
        f"must have a schedule cron({minute} * ? * * *), cron({minute} 0/N ? * * *) with N of 2, 3, 4, 6, 8, 12 "
        f"or cron({minute} H ? * * *){range_of} for the engine {engine.value}, got {expression!r}"
    )
