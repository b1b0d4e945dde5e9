"""Command line of the retraining pipeline's jobs."""

import argparse
import logging
from collections.abc import Sequence

from plumbline.contract.names import VERSION
from plumbline.contract.retraining_jobs import JOB_MODULE, EvaluateArgument, JobCommand, PrepareArgument
from plumbline.drift.cli import JobParser, exit_code_of
from plumbline.drift.data.documents import write_text
from plumbline.drift.errors import DriftError
from plumbline.drift.report.handover import short_message
from plumbline.drift.retraining.settings import evaluate_settings, prepare_settings
from plumbline.drift.settings.platform import read_platform

_LOG = logging.getLogger(__name__)
_OPTIONAL = frozenset(
    {
        PrepareArgument.MISSING_VALUES,
        PrepareArgument.TIME_COLUMN,
        EvaluateArgument.SLICE_COLUMNS,
        EvaluateArgument.SEGMENT_COLUMN,
        EvaluateArgument.TIME_COLUMN,
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job and return its exit code.

    Parameters
    ----------
    arguments
        Those after the program's name; None takes the process's own.
    """
    return exit_code_of(
        lambda: _run(_parser().parse_args(arguments)), lambda reason: _write_message(f"Failed: {reason}")
    )


def _parser() -> JobParser:
    parser = JobParser(
        prog=f"python -m {JOB_MODULE}",
        description="The retraining pipeline's own jobs. Their folders are below processing/ of the platform's root.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        JobCommand.PREPARE: "choose the labelled captures to train on, and the newest of them to judge on",
        JobCommand.EVALUATE: "compare challenger and champion, and learn the challenger's baseline",
    }
    for command, names in ((JobCommand.PREPARE, PrepareArgument), (JobCommand.EVALUATE, EvaluateArgument)):
        added = commands.add_parser(command, help=texts[command], description=texts[command], allow_abbrev=False)
        for name in names:
            added.add_argument(name, required=name not in _OPTIONAL, default="", metavar="TEXT")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    platform = read_platform()
    _LOG.info("plumbline %s: %s", VERSION, arguments.command)
    # Deferred: numpy and scipy are slow to import, and --help and wrong arguments do not need them.
    if arguments.command == JobCommand.PREPARE:
        from plumbline.drift.retraining.prepare import prepare

        outcome = prepare(prepare_settings(arguments), platform)
    else:
        from plumbline.drift.retraining.evaluate import evaluate

        outcome = evaluate(evaluate_settings(arguments), platform)
    _LOG.info("%s", outcome)
    _write_message(f"Completed: {outcome}")


def _write_message(text: str) -> None:
    """Write the exit message as far as possible; the job's outcome stands without it."""
    try:
        write_text(read_platform().message_file, short_message(text))
    except DriftError as error:
        _LOG.warning("%s", error)
