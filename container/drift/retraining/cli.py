"""Arguments, exit codes, stderr and exit message of the pipeline's jobs; `drift.cli` has the codes."""

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import NoReturn

from contract.names import VERSION
from contract.retraining_jobs import JOB_MODULE, EvaluateArgument, JobCommand, PrepareArgument
from drift.cli import EXIT_FINISHED, EXIT_OPERATOR, EXIT_OURS
from drift.documents import write_text
from drift.errors import ConfigError, DriftError
from drift.handover import one_line, short_message
from drift.platform_settings import read_platform
from drift.retraining.settings import evaluate_settings, prepare_settings

_LOG = logging.getLogger(__name__)
_OPTIONAL = frozenset({EvaluateArgument.SLICE_COLUMNS, EvaluateArgument.SEGMENT_COLUMN})


class _Parser(argparse.ArgumentParser):
    """Tells a wrong argument as every other wrong setting is told."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"arguments must be those of --help, got: {message}; correct the step's container arguments")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job and return its exit code.

    Parameters
    ----------
    arguments
        Those after the program's name; None takes the process's own.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        outcome = _run(_parser().parse_args(arguments))
    except DriftError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        _leave_message(f"Failed: {error}")
        return EXIT_OPERATOR
    except Exception as error:
        _LOG.exception("the job failed for a reason that is not the operator's")
        _leave_message(f"Failed: internal error, {type(error).__name__}; see the job's log")
        return EXIT_OURS
    _LOG.info("%s", outcome)
    _leave_message(f"Completed: {outcome}")
    return EXIT_FINISHED


def _parser() -> _Parser:
    parser = _Parser(
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


def _run(arguments: argparse.Namespace) -> str:
    """Run the job that the arguments name, and return what came out of it as a sentence for people."""
    platform = read_platform()
    _LOG.info("plumbline %s: %s", VERSION, arguments.command)
    # Deferred: numpy and scipy make --help and a refused argument wait.
    if arguments.command == JobCommand.PREPARE:
        from drift.retraining.prepare import prepare

        return prepare(prepare_settings(arguments), platform)
    from drift.retraining.evaluate import evaluate

    return evaluate(evaluate_settings(arguments), platform)


def _leave_message(text: str) -> None:
    """Write the exit message as far as possible; the job's outcome stands without it."""
    try:
        write_text(read_platform().message_file, short_message(text))
    except DriftError as error:
        _LOG.warning("%s", error)
