"""Asking the promotion function for something, and waiting for what comes of it."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.retraining import REEVALUATE, PromotionStatus
from plumbline.commands.errors import CommandError
from plumbline.exit_codes import EXIT_FINISHED

if TYPE_CHECKING:
    from plumbline.deployed import Deployed

EXIT_NOT_DONE = 1
POLL_SECONDS = 10
WAITED_FOR = (PromotionStatus.PROMOTED, PromotionStatus.ROLLED_BACK)
"""Outcomes by which the requested model serves."""


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Describe the argument that makes a command wait."""
    parser.add_argument(
        "--wait", action="store_true", help="wait until it is verified or has failed; Ctrl-C stops the waiting only"
    )


def ask(environment: "Deployed", event: Mapping[str, Any], *, wait: bool) -> int:
    """Send the event, say what comes of it, and return the exit code: 1 when it was waited for and failed."""
    from plumbline.deployed import PROMOTION

    answer = environment.invoke(PROMOTION, event)
    if not answer["accepted"]:
        raise CommandError(answer["text"])
    print(answer["text"])
    print(f"now: {answer['waiting_for']}")
    request = answer["request"]
    if not wait:
        print(f"to look: plumbline champion --environment {environment.environment}")
        return EXIT_FINISHED
    while (last := answer["last"]) is None or last["request"] != request:
        time.sleep(POLL_SECONDS)
        answer = environment.invoke(PROMOTION, {REEVALUATE: True})
    print(last["text"].rstrip())
    return EXIT_FINISHED if last["status"] in WAITED_FOR else EXIT_NOT_DONE
