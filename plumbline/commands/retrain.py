"""`plumbline retrain`."""

import argparse
from typing import TYPE_CHECKING

from plumbline.commands import environment
from plumbline.contract.retraining import ControllerAction
from plumbline.exit_codes import EXIT_FINISHED, EXIT_NEGATIVE, CommandError

if TYPE_CHECKING:
    from plumbline.environment.deployed import Deployed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    environment.add_arguments(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--reason", metavar="TEXT", help="start a retraining, and why")
    what.add_argument("--off", action="store_true", help="stop the loop: nothing is retrained or promoted but by hand")
    what.add_argument("--on", action="store_true", help="let the loop run again")
    parser.add_argument(
        "--force",
        action="store_true",
        help="with --reason: in spite of cool-down, cap, switch and an earlier rejection; never while another one runs",
    )


def run(arguments: argparse.Namespace) -> int:
    """Invoke the controller, or turn the switch."""
    if arguments.force and arguments.reason is None:
        raise CommandError("--force must come with --reason, got it alone; give a reason")
    with environment.deployed(arguments) as deployed:
        if arguments.reason is None:
            return _turn(deployed, on=arguments.on)
        return _start(deployed, arguments)


def _start(deployed: "Deployed", arguments: argparse.Namespace) -> int:
    from plumbline.environment.deployed import CONTROLLER

    event = {"reason": arguments.reason, **({"force": True} if arguments.force else {})}
    decisions = deployed.invoke(CONTROLLER, event)["decisions"]
    for decision in decisions:
        print(f"{decision['action']}: {decision['reason']}")
        for obstacle in decision["overridden"]:
            print(f"overridden: {obstacle}")
    started = any(decision["action"] == ControllerAction.STARTED for decision in decisions)
    return EXIT_FINISHED if started else EXIT_NEGATIVE


def _turn(deployed: "Deployed", *, on: bool) -> int:
    from plumbline.contract.retraining import SwitchPosition

    position = SwitchPosition.ON if on else SwitchPosition.OFF
    deployed.turn(position)
    comes = "listed alarms start retraining, approved versions are promoted" if on else "only people start and promote"
    print(f"the loop of {deployed.environment} is {position}: {comes}; a run or promotion under way goes on")
    return EXIT_FINISHED
