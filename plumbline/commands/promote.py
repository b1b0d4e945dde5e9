"""`plumbline promote`."""

import argparse

from plumbline.commands import asking, environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("version", type=int, metavar="VERSION", help="number in the registry; champion lists them")
    environment.add_arguments(parser)
    parser.add_argument(
        "--reason", default="no reason given", metavar="TEXT", help="why, for the registry and the history"
    )
    asking.add_wait(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the promotion function to let the version serve."""
    with environment.deployed(arguments) as deployed:
        event = {"promote": arguments.version, "reason": arguments.reason}
        return asking.ask(deployed, event, wait=arguments.wait)
