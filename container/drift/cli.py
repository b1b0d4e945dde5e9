"""Command line of the container's programs: arguments, exit codes, errors on stderr and to the platform."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import NoReturn

from plumbline.contract.names import VERSION, Argument
from plumbline.contract.verdicts import Verdict
from plumbline.drift.aws import Clients
from plumbline.drift.data.documents import STORAGE_ERRORS, storage_error, temporary_folder
from plumbline.drift.errors import ConfigError, DriftError
from plumbline.drift.report.handover import one_line, report_failure
from plumbline.drift.report.termination import EXIT_TERMINATED, Terminated, reporting_termination
from plumbline.drift.settings.distribution import Distribution
from plumbline.drift.settings.platform import read_platform
from plumbline.drift.settings.run import RunSettings, read_settings

EXIT_FINISHED = 0
"""The analysis finished, drift or not."""
EXIT_OPERATOR = 2
"""The operator can fix what went wrong."""
EXIT_OURS = 3
"""We must fix it."""

_LOG = logging.getLogger(__name__)
_HELP = {
    Argument.BASELINE: "folder, prefix or .zip that `plumbline baseline` wrote",
    Argument.TRAIN: "CSV file or folder with a header row to learn the baseline from instead",
    Argument.TEST: "labelled test set with the training file's columns",
    Argument.PREDICTIONS: "CSV with one column, probability, row for row with the test set",
    Argument.HISTORY: "CSV file of labelled rows of the past with their times and predictions",
    Argument.TARGET_LABEL: "name of the target's column; without it every column of the training file is a feature",
    Argument.TIME_COLUMN: "name of the column with the time of each row, which is no feature",
    Argument.POLICY: "JSON file with rules for single features",
    Argument.ACCEPTED: "JSON file with the windows that the environment file accepts as the reference",
}


class JobParser(argparse.ArgumentParser):
    """Raise ConfigError for bad arguments."""

    def error(self, message: str) -> NoReturn:
        """Raise the error instead of ending the process."""
        raise ConfigError(f"arguments must be those of --help, got: {message}; correct the job's container arguments")


def exit_code_of(job: Callable[[], None], report_failure: Callable[[str], None]) -> int:
    """Run a job of the platform and return its exit code; a failure, or SIGTERM, is printed or logged, and reported."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        with reporting_termination(report_failure):
            job()
    except Terminated:
        return EXIT_TERMINATED
    except DriftError as error:
        return _operators(str(error), report_failure)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in STORAGE_ERRORS:
            return _operators(str(storage_error(error.filename or "the disk", error)), report_failure)
        _LOG.exception("the job failed for a reason that is not the operator's")
        report_failure(f"internal error, {type(error).__name__}; see the job's log")
        return EXIT_OURS
    return EXIT_FINISHED


def _operators(text: str, report_failure: Callable[[str], None]) -> int:
    print(f"error: {one_line(text)}", file=sys.stderr)
    report_failure(text)
    return EXIT_OPERATOR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Parameters
    ----------
    arguments
        Those after the program's name; None takes the process's own.
    """
    return exit_code_of(lambda: _run(_parser().parse_args(arguments)), _report_failure)


def _parser() -> JobParser:
    parser = JobParser(
        prog="python -m drift",
        description="Compare the capture files of one window with the training data. The window, the folders and the "
        "thresholds come from the environment, as Model Monitor sets it. Each argument but names is a local path "
        "or an S3 URI.",
        allow_abbrev=False,
    )
    for argument, text in _HELP.items():
        parser.add_argument(
            argument,
            help=text,
            metavar="NAME" if argument in {Argument.TARGET_LABEL, Argument.TIME_COLUMN} else "URI",
            dest=argument.name.lower(),
        )
    return parser


def _run(arguments: argparse.Namespace) -> None:
    settings = read_settings(arguments)
    if settings.distribution.follows:
        _follow(settings.distribution)
        return
    _LOG.info("%s", _what_runs(settings))
    # Deferred: numpy, scipy and boto3 are slow to import, and --help and wrong settings do not need them.
    from plumbline.drift.run import run

    with _announced(settings.distribution):
        report = run(settings, now=_now(), clients=Clients.of_region(settings.platform.region))
    level = logging.WARNING if report.verdict is Verdict.NOT_JUDGED else logging.INFO
    _LOG.log(level, "%s: %s", report.verdict, report.reason)


def _announced(distribution: Distribution) -> AbstractContextManager[object]:
    """Return a context that reports the run's end to the job's other instances."""
    if not distribution.hosts:
        return nullcontext()
    from plumbline.drift.spark.ending import Ending

    return Ending.on(distribution.leader, len(distribution.hosts) - 1)


def _follow(distribution: Distribution) -> None:
    _LOG.info("plumbline %s is a worker of %s on %s", VERSION, distribution.leader, distribution.host)
    from plumbline.drift.spark.entry import follow_leader

    with temporary_folder() as workspace:
        follow_leader(distribution, workspace)


def _what_runs(settings: RunSettings) -> str:
    bounds = settings.window.bounds
    window = f"the window {bounds.start} to {bounds.end}" if bounds.start else "all captured records"
    return f"plumbline {VERSION} judges {window} of {settings.platform.endpoint or 'an endpoint without a name'}"


def _report_failure(reason: str) -> None:
    """Report a failure as far as possible; a second failure must not hide the first."""
    try:
        platform = read_platform()
        if platform.leads:
            report_failure(platform, reason, now=_now(), clients=Clients.of_region(platform.region))
    except Exception:
        _LOG.exception("the failure could not be reported")


def _now() -> datetime:
    """Return the time in whole seconds, as the metrics file's documentation writes it."""
    return datetime.now(UTC).replace(microsecond=0)
