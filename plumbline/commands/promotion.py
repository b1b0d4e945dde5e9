"""`plumbline promote` and `plumbline rollback`: requests to the promotion function."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plumbline.commands import environment
from plumbline.contract.retraining import REEVALUATE, PromotionStatus
from plumbline.exit_codes import EXIT_FINISHED, EXIT_NEGATIVE, CommandError

if TYPE_CHECKING:
    from plumbline.environment.deployed import Deployed

POLL_SECONDS = 10
SUCCESSES = (PromotionStatus.PROMOTED, PromotionStatus.ROLLED_BACK)
"""Statuses of a result with which the requested model serves."""


def add_promote_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of ``promote``."""
    parser.add_argument("version", type=int, metavar="VERSION", help="number in the registry; champion lists them")
    environment.add_arguments(parser)
    parser.add_argument(
        "--reason", default="no reason given", metavar="TEXT", help="why, for the registry and the history"
    )
    _add_wait(parser)


def add_rollback_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of ``rollback``."""
    environment.add_arguments(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the registry and the history")
    _add_wait(parser)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait until the model is verified or has failed; Ctrl-C ends the waiting only",
    )


def promote(arguments: argparse.Namespace) -> int:
    """Request that a version of the registry serves."""
    with environment.deployed(arguments) as deployed:
        event = {"promote": arguments.version, "reason": arguments.reason}
        return _request(deployed, event, wait=arguments.wait)


def rollback(arguments: argparse.Namespace) -> int:
    """Request that the model before serves again."""
    with environment.deployed(arguments) as deployed:
        return _request(deployed, {"rollback": arguments.reason}, wait=arguments.wait)


def _request(deployed: "Deployed", event: Mapping[str, Any], *, wait: bool) -> int:
    """Send the request, print what follows, and return the exit code: negative when it was waited for and failed."""
    from plumbline.environment.deployed import PROMOTION

    answer = deployed.invoke(PROMOTION, event)
    if not answer["accepted"]:
        raise CommandError(answer["text"])
    print(answer["text"])
    print(f"now: {answer['waiting_for']}")
    request = answer["request"]
    if not wait:
        print(f"to follow it: plumbline champion --environment {deployed.environment}")
        return EXIT_FINISHED
    while (last := answer["last"]) is None or last["request"] != request:
        time.sleep(POLL_SECONDS)
        answer = deployed.invoke(PROMOTION, {REEVALUATE: True})
    print(last["text"].rstrip())
    return EXIT_FINISHED if last["status"] in SUCCESSES else EXIT_NEGATIVE
