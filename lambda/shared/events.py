"""What both functions read from events: ignored events, the hourly reconciliation, and times as AWS writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from plumbline.contract.decoding import require_flat
from plumbline.contract.retraining import REEVALUATE


@dataclass(frozen=True)
class IgnoredEvent:
    """An event that is not for this function, and why."""

    reason: str

    def __post_init__(self) -> None:
        """Keep a reason that can be logged."""
        object.__setattr__(self, "reason", encodable(self.reason))


@dataclass(frozen=True)
class Reconcile:
    """The hourly event: alarms fire on change only, and events can get lost."""

    request_id: str


def encodable(text: str) -> str:
    """Return a text without halves of surrogate pairs: JSON can escape one, and nobody can store or send it."""
    return text.encode(errors="replace").decode()


def is_nested(event: object) -> bool:
    """Return whether an event is nested deeper than any of AWS's."""
    try:
        require_flat(event)
    except ValueError:
        return True
    return False


def is_reconcile(event: Mapping[str, object]) -> bool:
    """Return whether it is the hourly event, ``{"reevaluate": true}``."""
    return event.get(REEVALUATE) is True


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time as SNS (+0000) and EventBridge (Z or +0000) write it, in UTC; without a zone it is UTC.

    Raises
    ------
    ValueError, OverflowError
        If it is no such time.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def time_or_none(value: object) -> datetime | None:
    """Return the time that an event's field holds; None if it holds none."""
    try:
        return parse_time(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def display_time(moment: datetime) -> str:
    """Return a time as messages show it.

    Examples
    --------
    >>> display_time(parse_time("2026-01-31T13:20:00+01:00"))
    '2026-01-31 12:20 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
