"""What the platform is told when a run ends: metrics and exit message. Nothing heavy is imported, to work always."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from contract.records import DriftReport
from drift.description import exit_message
from drift.errors import PublishError
from drift.metrics import Measurement, metrics_file, of_failure, of_report
from drift.platform_settings import Platform
from drift.publish import cloudwatch_client, publish
from drift.sources import s3_client
from drift.times import format_time

_LOG = logging.getLogger(__name__)
_MOST_MESSAGE_BYTES = 1024
"""ExitMessage is cut there: DescribeProcessingJob."""


@dataclass(frozen=True)
class Clients:
    """Makers of AWS clients, called only when one is needed."""

    s3: Callable[[], Any]
    cloudwatch: Callable[[], Any]

    @classmethod
    def of_region(cls, region: str | None) -> Self:
        """Return the makers of boto3's clients."""
        return cls(partial(s3_client, region), partial(cloudwatch_client, region))


def report_success(platform: Platform, report: DriftReport, *, now: datetime, clients: Clients) -> None:
    """Hand over the metrics and the exit message of a finished run.

    Raises
    ------
    PublishError
        If metrics are wanted and CloudWatch does not take them: a report that nobody hears of is a failed run.
    """
    _hand_over(platform, of_report(report), now, clients)
    _try_to_write(platform.message_file, short_message(exit_message(report)))


def report_failure(platform: Platform, reason: str, *, now: datetime, clients: Clients) -> None:
    """Tell the platform that the run ended without a report: exit message and metrics, as far as possible."""
    _try_to_write(platform.message_file, short_message(f"Failed: {reason}"))
    try:
        _hand_over(platform, of_failure(platform.endpoint), now, clients)
    except PublishError as error:
        _LOG.warning("the failure itself could not be published: %s", error)


def _hand_over(platform: Platform, measurements: Sequence[Measurement], now: datetime, clients: Clients) -> None:
    _try_to_write(platform.metrics_file, metrics_file(measurements, format_time(now)))
    if platform.publish:
        publish(measurements, clients.cloudwatch())


def _try_to_write(file: Path, text: str) -> None:
    """Write a file of the platform's; the reports and the published metrics stand without it."""
    try:
        write_text(file, text)
    except PublishError as error:
        _LOG.warning("%s", error)


def write_text(file: Path, text: str) -> None:
    """Write one file and the folders above it.

    Raises
    ------
    PublishError
        If that fails, for example because the platform mounted the folder for another user.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    except OSError as error:
        raise PublishError(
            f"{file} must be writable by the container's user, got {error.strerror}; check the mount's owner, "
            "or name another user in container/Dockerfile"
        ) from error


def short_message(text: str) -> str:
    """Return `text` on one line and within ExitMessage's 1024 bytes of UTF-8."""
    return one_line(text).encode(errors="replace")[:_MOST_MESSAGE_BYTES].decode(errors="ignore")


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    return " ".join(text.split())
