"""`plumbline report`."""

import argparse
from pathlib import Path

from plumbline.exit_codes import CommandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--results", type=Path, required=True, metavar="DIR", help="folder with drift_report.json files, at any depth"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder to write the page and plots to"
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="true accuracies, 0 to 1, where labels are known: JSON {window start: accuracy} or CSV with the columns "
        "window,accuracy",
    )
    parser.add_argument(
        "--events",
        type=Path,
        metavar="FILE",
        help='what to mark on the time axis: JSON [{"time": T, "kind": "alarm", "text": "..."}]; "window", the start '
        'of one, may replace "time"',
    )
    parser.add_argument("--title", metavar="TEXT", help="title of the page (default: it names the endpoint)")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print its path."""
    from plumbline.report import ReportError, build
    from plumbline.report.inputs import read_events, read_truth

    try:
        page = build(
            arguments.results,
            arguments.output,
            truth=read_truth(arguments.truth) if arguments.truth else None,
            events=read_events(arguments.events) if arguments.events else (),
            title=arguments.title,
        )
    except ReportError as error:
        raise CommandError(str(error)) from error
    print(f"report: {page}")
    return 0
