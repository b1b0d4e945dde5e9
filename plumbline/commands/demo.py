"""`plumbline demo`."""

import argparse
from pathlib import Path

from plumbline.data.choices import SCENARIO_HELP, ScenarioName
from plumbline.exit_codes import CommandError
from plumbline.stacks.config.schedule import Engine

ENGINES = [engine.value for engine in Engine]
"""The default first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with Census Income's adult.data and adult.test"
    )
    source.add_argument(
        "--synthetic", action="store_true", help="use the built-in synthetic population, not Census Income"
    )
    parser.add_argument(
        "--hours", type=_positive, default=10, metavar="N", help="simulated hours (default: %(default)s)"
    )
    parser.add_argument(
        "--rows-per-hour",
        type=_positive,
        default=2000,
        metavar="N",
        help="rows of traffic an hour (default: %(default)s)",
    )
    parser.add_argument(
        "--scenario",
        choices=[each.value for each in ScenarioName],
        default=ScenarioName.REGIME.value,
        help=f"how the traffic drifts: {SCENARIO_HELP} (default: %(default)s)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="what starts the monitor, as -c engine= for an account of AWS (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of everything drawn (default: %(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="folder for everything the demo leaves (default: %(default)s)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Play the demo."""
    from plumbline.local.demo import main

    try:
        return main.run(arguments)
    except main.DemoError as error:
        raise CommandError(str(error)) from error
