"""The run that a trigger reserves: its execution's parameters, and the token that makes a second start the same one."""

import hashlib
import re
from datetime import UTC, datetime, timedelta

from plumbline.functions.retraining.decision import RetrainingFacts
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.retraining.state import ReservedRun
from plumbline.functions.retraining.triggers import RetrainingTrigger

MAX_DISPLAY_NAME_LENGTH = 82
"""StartPipelineExecution: PipelineExecutionDisplayName, letters and digits with dashes inside."""


def fresh_hours(now: datetime, fresh_period: timedelta) -> tuple[str, str]:
    """Return from when until when captures are fresh, both at full hours, ISO 8601 in UTC with Z."""
    until = now.replace(minute=0, second=0, microsecond=0)
    return _hour(until - fresh_period), _hour(until)


def new_run(trigger: RetrainingTrigger, facts: RetrainingFacts, settings: RetrainingSettings) -> ReservedRun:
    """Return the run to reserve; its token is the digest of endpoint, champion and event.

    Raises
    ------
    ValueError
        If the champion is unknown.
    """
    if facts.champion is None:
        raise ValueError("the champion must be known, got None")
    token = hashlib.sha256(f"{settings.endpoint}|{facts.champion}|{trigger.event_key}".encode()).hexdigest()
    fresh_from, fresh_until = fresh_hours(facts.now, settings.policy.fresh_period)
    return ReservedRun(
        token=token,
        display_name=_display_name(trigger.name, facts.now, token),
        champion=facts.champion,
        fresh_from=fresh_from,
        fresh_until=fresh_until,
        cause=trigger.cause,
        reserved_at=facts.now.isoformat(),
        forced=trigger.forced,
        alarms=trigger.alarms,
        rules=settings.policy.rules,
    )


def _display_name(name: str, now: datetime, token: str) -> str:
    suffix = f"-{now:%Y%m%d-%H%M%S}-{token[:8]}"
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-") or "alarm"
    return readable[: MAX_DISPLAY_NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:00:00Z}"
