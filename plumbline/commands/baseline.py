"""`plumbline baseline`."""

import argparse
from pathlib import Path

from plumbline.commands.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="training rows, CSV with a header row"
    )
    parser.add_argument("--test", type=Path, metavar="FILE", help="labelled test rows with the same columns")
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="CSV with one column, probability: that of the positive class, row for row with the test rows; without "
        "it the accuracy cannot be projected",
    )
    parser.add_argument(
        "--target-label", metavar="NAME", help="name of the column to predict, which is no feature (default: none)"
    )
    parser.add_argument(
        "--segment-column",
        metavar="NAME",
        help="categorical column by whose values windows are also judged apart",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the baseline to")


def run(arguments: argparse.Namespace) -> int:
    """Learn the baseline and say where it is."""
    from drift.errors import DriftError
    from drift.run import learn_baseline

    if arguments.predictions and not arguments.test:
        raise CommandError("--predictions must come with --test, got it alone; name the rows that were predicted")
    if arguments.test and arguments.target_label is None:
        raise CommandError("--test must come with --target-label, got it alone; name the column to predict")
    try:
        learn_baseline(
            train=arguments.train,
            test=arguments.test,
            predictions=arguments.predictions,
            target_label=arguments.target_label,
            segment_column=arguments.segment_column,
            output=arguments.output,
        )
    except DriftError as error:
        raise CommandError(str(error)) from error
    print(f"baseline: {arguments.output}")
    if not arguments.predictions:
        print("note: without --test and --predictions the accuracy cannot be projected")
    return 0
