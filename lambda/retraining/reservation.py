"""The run that a trigger gets: what its execution is told, and the token that makes two starts of it one."""

import hashlib
import re
from datetime import UTC, datetime

from retraining.decision import Facts, Rule
from retraining.state import Run
from retraining.triggers import Trigger

DISPLAY_NAME_MAX = 82
"""StartPipelineExecution: PipelineExecutionDisplayName, letters and digits with dashes inside."""


def fresh_hours(now: datetime, rule: Rule) -> tuple[str, str]:
    """Return from when until when captures are fresh, both at full hours, as the pipeline's parameters have them."""
    until = now.replace(minute=0, second=0, microsecond=0)
    return _hour(until - rule.fresh), _hour(until)


def new_run(trigger: Trigger, facts: Facts, rule: Rule) -> Run:
    """Return the run to reserve: the token is of the endpoint, the model and the episode.

    Raises
    ------
    ValueError
        If the live model is unknown.
    """
    if facts.champion is None:
        raise ValueError("the live model must be known, got None")
    token = hashlib.sha256(f"{rule.endpoint}|{facts.champion}|{trigger.episode}".encode()).hexdigest()
    fresh_from, fresh_until = fresh_hours(facts.now, rule)
    return Run(
        token=token,
        display_name=_display_name(trigger.name, facts.now, token),
        champion=facts.champion,
        fresh_from=fresh_from,
        fresh_until=fresh_until,
        cause=trigger.cause,
        reserved_at=facts.now.isoformat(),
        forced=trigger.forced,
    )


def _display_name(name: str, now: datetime, token: str) -> str:
    suffix = f"-{now:%Y%m%d-%H%M%S}-{token[:8]}"
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-") or "alarm"
    return readable[: DISPLAY_NAME_MAX - len(suffix)].rstrip("-") + suffix


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:00:00Z}"
