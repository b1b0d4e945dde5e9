"""`plumbline baseline`."""

import argparse
from pathlib import Path

from plumbline.commands import reference
from plumbline.commands.errors import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="training rows, CSV with a header row"
    )
    reference.add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the baseline to")


def run(arguments: argparse.Namespace) -> int:
    """Learn the baseline and say where it is."""
    from drift.errors import DriftError
    from drift.learned import save
    from drift.reference_files import ReferenceFiles

    reference.check(arguments)
    try:
        files = ReferenceFiles(
            train=arguments.train,
            test=arguments.test,
            predictions=arguments.predictions,
            target_label=arguments.target_label,
            segment_column=arguments.segment_column,
        )
        save(files.learn(), arguments.output)
    except DriftError as error:
        raise CommandError(str(error)) from error
    print(f"baseline: {arguments.output}")
    if not arguments.predictions:
        print("note: without --test and --predictions the accuracy cannot be projected")
    return 0
