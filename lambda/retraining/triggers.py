"""What may start a retraining: an alarm that went to ALARM, a request, or the hourly reconciliation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from plumbline.functions.retraining.events import AlarmChange, AlarmState, RetrainingRequest
from plumbline.functions.shared.events import display_time


@dataclass(frozen=True)
class RetrainingTrigger:
    """An event that starts a retraining unless an obstacle is found.

    Parameters
    ----------
    event_key
        The same for every delivery of one event.
    name
        For the execution's display name.
    cause
        For people and for the model's lineage.
    moment
        The time that cool-down and cap are checked at. That of an alarm's change is the change's: a message that is
        delivered again, late or out of order, is checked as of when it was sent, and every start since is an obstacle.
        It is never after now, so that the distance between two starts is at least what is checked here.
    hourly
        The hourly reconciliation, whose finding that a run is under way is no news.
    alarms
        Names of the alarms that triggered it; none: a person did.
    """

    event_key: str
    name: str
    cause: str
    moment: datetime
    forced: bool = False
    hourly: bool = False
    alarms: tuple[str, ...] = ()


def no_trigger(change: AlarmChange, alarm_names: tuple[str, ...]) -> str | None:
    """Return why an alarm's change starts no retraining; None: it is a trigger."""
    if not alarm_names:
        return "no alarm starts retraining: retraining.triggers is empty"
    if change.alarm_name not in alarm_names:
        return f"only {_and(alarm_names)} {'start' if len(alarm_names) > 1 else 'starts'} retraining"
    if change.state is not AlarmState.ALARM:
        return f"the alarm went to {change.state}, not to ALARM"
    return None


def alarm_trigger(change: AlarmChange, now: datetime) -> RetrainingTrigger:
    """Return the trigger of an alarm that went to ALARM."""
    cause = f"{change.alarm_name} went to ALARM at {display_time(change.changed_at)}: {change.reason}"
    event_key = f"{change.alarm_name}|{change.changed_at.isoformat()}"
    alarms = (change.alarm_name,)
    return RetrainingTrigger(event_key, change.alarm_name, cause, min(change.changed_at, now), alarms=alarms)


def request_trigger(request: RetrainingRequest, now: datetime) -> RetrainingTrigger:
    """Return the trigger of a person's request."""
    cause = f"requested by hand{', with force' if request.force else ''}: {request.reason}"
    return RetrainingTrigger(f"by hand|{request.request_id}", "by-hand", cause, now, forced=request.force)


def reconcile_trigger(changes: Sequence[AlarmChange], request_id: str, now: datetime) -> RetrainingTrigger | None:
    """Return the trigger of the alarms that are in ALARM at the hourly reconciliation; None: no alarm is."""
    if not changes:
        return None
    first = min(changes, key=lambda change: (change.changed_at, change.alarm_name))
    alarms = tuple(sorted(change.alarm_name for change in changes))
    verb = "are" if len(changes) > 1 else "is"
    cause = f"{_and(alarms)} {verb} still in ALARM, since {display_time(first.changed_at)}: {first.reason}"
    return RetrainingTrigger(f"hourly|{request_id}", first.alarm_name, cause, now, hourly=True, alarms=alarms)


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
