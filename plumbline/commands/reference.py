"""The options that say what a reference is learned from, beside its training rows."""

import argparse
from pathlib import Path
from typing import TypeAlias

from plumbline.commands.errors import CommandError

Options: TypeAlias = argparse.ArgumentParser | argparse._ArgumentGroup


def add_arguments(options: Options) -> None:
    """Describe target, test set, its predictions and the segment column."""
    options.add_argument(
        "--target-label", metavar="NAME", help="column of --train to predict, which is no feature (default: none)"
    )
    options.add_argument("--test", type=Path, metavar="FILE", help="labelled test rows with the same columns")
    options.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="CSV with one column, probability: that of the positive class, row for row with the test rows; without "
        "it the accuracy cannot be projected",
    )
    options.add_argument(
        "--segment-column", metavar="NAME", help="categorical column by whose values windows are also judged apart"
    )


def check(arguments: argparse.Namespace) -> None:
    """Refuse a part of a test set without the rest.

    Raises
    ------
    CommandError
        If predictions come without test rows, or test rows without a target.
    """
    if arguments.predictions and not arguments.test:
        raise CommandError("--predictions must come with --test, got it alone; name the rows that were predicted")
    if arguments.test and arguments.target_label is None:
        raise CommandError("--test must come with --target-label, got it alone; name the column to predict")
