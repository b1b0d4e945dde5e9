"""Times as AWS writes them; and as the history of champions has them, rounded so that no window is too long."""

from datetime import UTC, datetime, timedelta


def parse(text: str) -> datetime:
    """Return an ISO 8601 time as SNS (+0000) and EventBridge (Z or +0000) write it, in UTC; without a zone it is UTC.

    Raises
    ------
    ValueError, OverflowError
        If it is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def whole_second_before(text: str) -> str:
    """Return the last whole second until then.

    Examples
    --------
    >>> whole_second_before("2026-01-31T13:20:00.900000+00:00")
    '2026-01-31T13:20:00Z'
    """
    return f"{parse(text):%Y-%m-%dT%H:%M:%SZ}"


def whole_second_after(text: str) -> str:
    """Return the first whole second from then on.

    Examples
    --------
    >>> whole_second_after("2026-01-31T13:20:00.100000+00:00")
    '2026-01-31T13:20:01Z'
    """
    moment = parse(text)
    return f"{moment + timedelta(microseconds=-moment.microsecond % 1_000_000):%Y-%m-%dT%H:%M:%SZ}"
