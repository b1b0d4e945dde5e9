"""Times as AWS writes them, read as UTC."""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def parse_time(text: str) -> datetime:
    """Return the moment that an ISO 8601 text names, in UTC; a text without zone is UTC.

    White space inside is dropped: AWS's own example has it ("2019-12-01T16: 20: 00Z").

    Raises
    ------
    ValueError
        If the text is not such a time.

    Examples
    --------
    >>> parse_time("2019-12-01T16: 20: 00.25Z").isoformat()
    '2019-12-01T16:20:00.250000+00:00'
    """
    compact = "".join(text.split()) if "T" in text else text.strip()
    moment = datetime.fromisoformat(compact)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"time out of range: {text!r}") from error


def format_time(moment: datetime) -> str:
    """Return the moment as ISO 8601 in UTC with Z, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def hour_folder(moment: datetime) -> str:
    """Return the part of an S3 key that SageMaker makes of an hour: ``yyyy/mm/dd/hh``, UTC."""
    return moment.astimezone(UTC).strftime("%Y/%m/%d/%H")
