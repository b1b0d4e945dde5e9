"""What asks for a retraining: an alarm that went to ALARM, a person, or the hourly look at the alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from retraining.occurrences import AlarmChange, AlarmState, ManualRequest


@dataclass(frozen=True)
class Trigger:
    """What asks for a retraining.

    Parameters
    ----------
    episode
        The same for every delivery of one event.
    name
        For the execution's display name.
    moment
        The time that it is judged at. That of an alarm's change is the change's: a message that comes again, late or
        out of order, is judged as when it was sent, and everything that was started since stands in its way. It is
        never after now, so that the distance between two starts is at least what is judged here.
    routine
        The hourly look, which tells the same obstacle once.
    """

    episode: str
    name: str
    cause: str
    moment: datetime
    forced: bool = False
    routine: bool = False


def no_trigger(change: AlarmChange, alarm_names: tuple[str, ...]) -> str | None:
    """Return why an alarm's change does not ask for a retraining; None: it does."""
    if change.alarm_name not in alarm_names:
        return f"only {_listed(alarm_names)} retraining"
    if change.state is not AlarmState.ALARM:
        return f"the alarm went to {change.state}, not to ALARM"
    return None


def alarm_trigger(change: AlarmChange, now: datetime) -> Trigger:
    """Return what an alarm asks for that went to ALARM."""
    cause = f"{change.alarm_name} went to ALARM at {at(change.changed_at)}: {change.reason}"
    episode = f"{change.alarm_name}|{change.changed_at.isoformat()}"
    return Trigger(episode, change.alarm_name, cause, min(change.changed_at, now))


def request_trigger(request: ManualRequest, now: datetime) -> Trigger:
    """Return what a person asks for."""
    cause = f"asked by hand{', with force' if request.force else ''}: {request.reason}"
    return Trigger(f"by hand|{request.request_id}", "by-hand", cause, now, forced=request.force)


def look_trigger(changes: Sequence[AlarmChange], request_id: str, now: datetime) -> Trigger | None:
    """Return what the alarms ask for that still are in ALARM; None: none is."""
    if not changes:
        return None
    first = min(changes, key=lambda change: (change.changed_at, change.alarm_name))
    names = _and(sorted(change.alarm_name for change in changes))
    verb = "are" if len(changes) > 1 else "is"
    cause = f"{names} {verb} still in ALARM, since {at(first.changed_at)}: {first.reason}"
    return Trigger(f"look|{request_id}", first.alarm_name, cause, now, routine=True)


def at(moment: datetime) -> str:
    """Return a time as people read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _listed(names: tuple[str, ...]) -> str:
    return f"{_and(names)} {'start' if len(names) > 1 else 'starts'}"


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
