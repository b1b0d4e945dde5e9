"""`plumbline rollback`."""

import argparse

from plumbline.commands import asking, environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    environment.add_arguments(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for the registry and the history")
    asking.add_wait(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask the promotion function to go back."""
    with environment.deployed(arguments) as deployed:
        return asking.ask(deployed, {"rollback": arguments.reason}, wait=arguments.wait)
