"""Report a run's end to SageMaker: metrics and exit message. Light imports only, so that failures are reported too."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from plumbline.contract.description import exit_message
from plumbline.contract.records import DriftReport
from plumbline.drift.aws import Clients
from plumbline.drift.data.documents import write_text
from plumbline.drift.data.times import format_time
from plumbline.drift.errors import PublishError
from plumbline.drift.report.metrics import MetricValue, metrics_file, of_failure, of_report, publish
from plumbline.drift.settings.platform import Platform

_LOG = logging.getLogger(__name__)
_MAX_MESSAGE_BYTES = 1024
"""ExitMessage is cut there: DescribeProcessingJob."""


def report_success(platform: Platform, report: DriftReport, *, now: datetime, clients: Clients) -> None:
    """Hand over the metrics and the exit message of a finished run.

    Raises
    ------
    PublishError
        If metrics are wanted and CloudWatch does not accept them: without them no alarm can fire.
    """
    _hand_over(platform, of_report(report), now, clients)
    _try_to_write(platform.message_file, short_message(exit_message(report)))


def report_failure(platform: Platform, reason: str, *, now: datetime, clients: Clients) -> None:
    """Report to the platform that the run ended without a report: exit message and metrics, as far as possible."""
    _try_to_write(platform.message_file, short_message(f"Failed: {reason}"))
    try:
        _hand_over(platform, of_failure(platform.endpoint), now, clients)
    except PublishError as error:
        _LOG.warning("the failure itself could not be published: %s", error)


def _hand_over(platform: Platform, measurements: Sequence[MetricValue], now: datetime, clients: Clients) -> None:
    _try_to_write(platform.metrics_file, metrics_file(measurements, format_time(now)))
    if platform.publish:
        publish(measurements, clients.cloudwatch())


def _try_to_write(file: Path, text: str) -> None:
    """Write a file of the platform's; the run does not depend on it."""
    try:
        write_text(file, text)
    except PublishError as error:
        _LOG.warning("%s", error)


def short_message(text: str) -> str:
    """Return `text` on one line and within ExitMessage's 1024 bytes of UTF-8."""
    return one_line(text).encode(errors="replace")[:_MAX_MESSAGE_BYTES].decode(errors="ignore")


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space."""
    return " ".join(text.split())
