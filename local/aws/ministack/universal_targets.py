"""EventBridge Scheduler's universal targets for SageMaker: the schedule's role calls the API itself."""

import hashlib
import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore import xform_name

from plumbline.local.aws import sessions
from plumbline.local.aws.clock import Clock
from plumbline.local.aws.events import iso
from plumbline.local.aws.seams import Seam

PREFIX: Final = "arn:aws:scheduler:::aws-sdk:sagemaker:"
TICK_SECONDS: Final = 0.5
"""Real seconds between two checks of the schedules, when the clock is not advanced."""

_log = logging.getLogger(__name__)
_Key = tuple[str, str, str]


class UniversalTargets:
    """Fires every schedule with a SageMaker target once for each of its times, also when the clock jumps over some."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: dict[_Key, float] = {}

    def install(self) -> None:
        """Start to follow the clock."""
        before = Seam.EVENTS_INVOKE.take()

        def invoke(target: dict[str, Any], *rest: Any) -> None:
            if not target.get("Arn", "").startswith(PREFIX):
                before(target, *rest)

        Seam.EVENTS_INVOKE.replace(invoke)
        threading.Thread(target=self._run, daemon=True, name="universal-targets").start()

    def _run(self) -> None:
        while True:
            self._clock.wait(TICK_SECONDS)
            for key, schedule in list(Seam.SCHEDULES.take()._data.items()):
                try:
                    self._fire_due(key, schedule)
                except Exception:
                    _log.exception("schedule %s failed", key)

    def _fire_due(self, key: _Key, schedule: dict[str, Any]) -> None:
        target = schedule["Target"]
        if not target["Arn"].startswith(PREFIX):
            return
        now = self._clock()
        since = max(self._done.get(key, 0.0), schedule["CreationDate"])
        if schedule.get("State", "ENABLED") != "ENABLED":
            self._done[key] = now
            return
        for scheduled in due_times(schedule["ScheduleExpression"], since, now):
            self._done[key] = scheduled
            _fire(schedule, scheduled)


def due_times(expression: str, since: float, now: float) -> list[float]:
    """Return the times of a cron or rate expression in (since, now], in seconds since the epoch.

    A rate counts from `since`.

    Raises
    ------
    ValueError
        If the expression is of another kind.
    """
    interval = Seam.EVENTS_RATE.take()(expression)
    if interval:
        return [since + interval * step for step in range(1, int((now - since) // interval) + 1)]
    fields = Seam.EVENTS_CRON.take()(expression)
    if fields is None:
        raise ValueError(f"schedule expression must be cron(...) or rate(...), got {expression!r}")
    found: list[float] = []
    # The next time is at least a minute later than its start: begin early, so that `since` itself can be next.
    moment = datetime.fromtimestamp(since, UTC) - timedelta(minutes=1)
    while (moment := Seam.EVENTS_NEXT.take()(fields, moment)) is not None and moment.timestamp() <= now:
        if moment.timestamp() > since:
            found.append(moment.timestamp())
    return found


def fill_keywords(text: str, schedule_arn: str, scheduled: float) -> str:
    """Replace the context keywords in a target's input.

    The execution id is a function of the schedule and its time, so that runs repeat.
    """
    at = iso(scheduled)
    execution = hashlib.sha256(f"{schedule_arn} {at}".encode()).hexdigest()[:16]
    keywords = {"schedule-arn": schedule_arn, "scheduled-time": at, "execution-id": execution, "attempt-number": "1"}
    for name, value in keywords.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _fire(schedule: dict[str, Any], scheduled: float) -> None:
    target = schedule["Target"]
    text = fill_keywords(target.get("Input") or "{}", schedule["Arn"], scheduled)
    method = xform_name(target["Arn"].removeprefix(PREFIX))
    try:
        client = sessions.client("sagemaker", target["RoleArn"], "scheduler", service="scheduler.amazonaws.com")
        getattr(client, method)(**json.loads(text))
        _log.info("schedule %s called %s", schedule["Name"], method)
    except Exception as error:
        _log.warning("schedule %s: %s failed: %s", schedule["Name"], method, error)
        _send_to_dead_letters(target, text)


def _send_to_dead_letters(target: dict[str, Any], text: str) -> None:
    """Send an undelivered event to the dead-letter queue. Retries are not emulated: an error repeats."""
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return
    client = sessions.client("sqs", target["RoleArn"], "scheduler", service="scheduler.amazonaws.com")
    url = client.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody=text)
