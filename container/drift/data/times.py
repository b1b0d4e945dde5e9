"""Times as AWS writes them, read as UTC."""

import re
from datetime import datetime, timedelta, timezone

# Training runs under Python 3.10, which knows neither this name nor texts that isoformat does not write.
UTC = timezone.utc  # noqa: UP017
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_TIME = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})"
    r"(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?)?"
    r"(?:(Z)|([+-]\d{2})(?::?(\d{2}))?)?",
    re.ASCII,
)


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
    try:
        moment = datetime.fromisoformat(compact)
    except ValueError:
        moment = datetime.fromisoformat(_as_written(compact))
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"time out of range: {text!r}") from error


def _as_written(text: str) -> str:
    """Return a time in the form that isoformat writes; what is no time as it is."""
    found = _TIME.fullmatch(text)
    if found is None:
        return text
    year, month, day, hour, minute, second, fraction, is_utc, zone_hours, zone_minutes = found.groups()
    time = f"T{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '').ljust(6, '0')[:6]}"
    zone = "+00:00" if is_utc else f"{zone_hours}:{zone_minutes or '00'}" if zone_hours else ""
    return f"{year}-{month}-{day}{time}{zone}"


def format_time(moment: datetime) -> str:
    """Return the moment as ISO 8601 in UTC with Z, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def hour_folder(moment: datetime) -> str:
    """Return the part of an S3 key that SageMaker makes of an hour: ``yyyy/mm/dd/hh``, UTC."""
    return moment.astimezone(UTC).strftime("%Y/%m/%d/%H")
