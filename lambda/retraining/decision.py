"""Whether one occurrence starts a training job: pure functions of the occurrence, the rule and the jobs there are."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from retraining.alarm_event import AlarmChange, AlarmState, Foreign, ManualRequest, Occurrence


class Action(StrEnum):
    """What comes of one occurrence."""

    START = "start"
    ALREADY_STARTED = "already_started"
    """The same event came before: its job exists. A success, not a fault."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Rule:
    """Which alarms count, how jobs are named, and how long one job keeps an alarm from starting the next."""

    alarm_names: tuple[str, ...]
    job_prefix: str
    cooldown: timedelta


@dataclass(frozen=True)
class Job:
    """A training job of this environment; `created_at` is aware."""

    name: str
    in_progress: bool
    created_at: datetime


@dataclass(frozen=True)
class Decision:
    """The outcome for one occurrence, as it is logged."""

    action: Action
    why: str
    job_name: str | None = None
    alarm: str | None = None


def admit(occurrence: Occurrence, rule: Rule) -> Decision:
    """Return START with the job's name if the occurrence by itself asks for training, else SKIPPED."""
    match occurrence:
        case Foreign(why):
            return Decision(Action.SKIPPED, why)
        case ManualRequest(reason, request_id):
            name = f"{rule.job_prefix}-by-hand-{_digest(request_id)}"
            return Decision(Action.START, f"asked by hand: {reason}", name)
        case AlarmChange(name, _, _, _) if name not in rule.alarm_names:
            return Decision(Action.SKIPPED, f"only {_listed(rule.alarm_names)} training", alarm=name)
        case AlarmChange(name, state, _, _) if state is not AlarmState.ALARM:
            return Decision(Action.SKIPPED, f"the alarm went to {state}, not to ALARM", alarm=name)
        case AlarmChange(name, _, changed_at, reason):
            return Decision(Action.START, f"{name}: {reason}", _job_name(rule, name, changed_at), name)


def settle(decision: Decision, occurrence: Occurrence, rule: Rule, jobs: Iterable[Job]) -> Decision:
    """Return an admitted decision, or what the existing jobs turn it into.

    The time of the alarm's change is "now": a message that is delivered again, late or out of order, is judged as
    when it was sent. The cool-down does not bind a person, who sees what the alarm cannot; a running job does.
    """
    known = tuple(jobs)
    if any(job.name == decision.job_name for job in known):
        return already_started(decision)
    running = next((job for job in known if job.in_progress), None)
    if running:
        return _skip(decision, f"{running.name} is in progress")
    if isinstance(occurrence, AlarmChange):
        recent = next((job for job in known if occurrence.changed_at - job.created_at < rule.cooldown), None)
        if recent:
            hours = rule.cooldown / timedelta(hours=1)
            return _skip(decision, f"{recent.name} was created within the cool-down of {hours:g} hours")
    return decision


def already_started(decision: Decision) -> Decision:
    """Return the decision for an event whose job exists."""
    return replace(decision, action=Action.ALREADY_STARTED, why=f"{decision.job_name} exists: the event came before")


def _listed(names: tuple[str, ...]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} start" if others else f"{last} starts"


def _skip(decision: Decision, why: str) -> Decision:
    return replace(decision, action=Action.SKIPPED, why=why, job_name=None)


def _job_name(rule: Rule, alarm_name: str, changed_at: datetime) -> str:
    """Return one name per alarm and change, however the message travelled: the digest is of the parsed time."""
    return f"{rule.job_prefix}-{changed_at:%Y%m%d-%H%M%S}-{_digest(f'{alarm_name}|{changed_at.isoformat()}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
