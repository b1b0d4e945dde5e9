"""`plumbline labels`."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.commands import environment
from plumbline.exit_codes import EXIT_FINISHED, EXIT_NEGATIVE, CommandError

if TYPE_CHECKING:
    from plumbline.labels.records import LabelFile
    from plumbline.labels.table import LabelTable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="FILE",
        help="*.csv with a header row or *.jsonl; columns or keys: id, label, and optionally row and time; or *.jsonl "
        "in SageMaker's ground-truth format, which is passed on as it is",
    )
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--environment", metavar="NAME", help="upload to where this deployed environment reads labels")
    place.add_argument("--to", metavar="PLACE", help="or to this place: s3://bucket/prefix, or a folder")
    parser.add_argument(
        "--collected-at",
        metavar="T",
        help="when the labels without a time were collected, ISO 8601 (default: when FILE was last written)",
    )
    parser.add_argument("--dry-run", action="store_true", help="read and count everything, write nothing")
    environment.add_aws_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Upload the labels; 0 when every row was used or gave way to a later or equal one, 1 when some were lost."""
    from plumbline.labels.destination import store
    from plumbline.labels.final_form import is_final_form, read_final_form
    from plumbline.labels.records import label_files
    from plumbline.labels.table import GAVE_WAY, read_labels

    now = datetime.now(UTC)
    with environment.aws_errors("check the name, and that you may read or write there"):
        root = _root(arguments)
        collected = _collected(arguments, now)
        if is_final_form(arguments.labels):
            table = read_final_form(arguments.labels, collected=collected)
        else:
            table = read_labels(arguments.labels, collected=collected, now=now)
        _print_table(table)
        files = list(label_files(table.requests))
        if not arguments.dry_run:
            store(files, root, lambda: environment.client("s3", arguments))
    _print_files(files, root, dry_run=arguments.dry_run)
    return EXIT_NEGATIVE if table.counts.rejected.keys() - GAVE_WAY else EXIT_FINISHED


def _collected(arguments: argparse.Namespace, now: datetime) -> datetime:
    from plumbline.drift.data.times import format_time, parse_time
    from plumbline.labels.table import MAX_AHEAD

    given = arguments.collected_at
    try:
        moment = parse_time(given) if given else datetime.fromtimestamp(arguments.labels.stat().st_mtime, UTC)
    except ValueError as error:
        raise ValueError(f"--collected-at must be a time as 2026-01-31T13:00:00Z, got {given!r}; correct it") from error
    if moment > now + MAX_AHEAD:
        raise ValueError(
            f"labels must be collected before now, {format_time(now)}, got {format_time(moment)} by "
            f"{'--collected-at' if given else 'the time of the file'}; give --collected-at in UTC or with its zone"
        )
    return moment


def _root(arguments: argparse.Namespace) -> str:
    from plumbline.environment.deployed import Deployed
    from plumbline.labels.destination import check_place

    if arguments.environment is None:
        check_place(arguments.to)
        return str(arguments.to)
    deployed = Deployed(arguments.environment, lambda service: environment.client(service, arguments))
    return deployed.ground_truth_uri()


def _print_table(table: "LabelTable") -> None:
    counts = table.counts
    if table.is_final:
        print("the file is in SageMaker's ground-truth format already: its records are passed on as they are")
    kind = "records" if table.is_final else "rows"
    print(f"{kind}: {counts.read} read, {counts.used} used, {counts.read - counts.used} rejected")
    for reason, number in counts.rejected.items():
        print(f"rejected: {number} {reason}, for example {', '.join(counts.examples[reason])}")
    if table.unused_columns:
        print(f"columns that were ignored: {', '.join(table.unused_columns)}")
    if table.contradicted:
        print(f"labels that contradict each other: {_listed(table.contradicted)}; {_remedy(table)}")
    if not counts.used:
        raise CommandError("--labels must hold a row that can be used, got none; correct its rows")


def _remedy(table: "LabelTable") -> str:
    if table.is_final:
        return "keep one record of each"
    return "give a column time, of which the later one counts, or number the rows of one request from 0 in a column row"


_MAX_IDS = 20


def _listed(ids: "Sequence[str]") -> str:
    more = len(ids) - _MAX_IDS
    return ", ".join(ids[:_MAX_IDS]) + (f" and {more} more" if more > 0 else "")


def _print_files(files: "Sequence[LabelFile]", root: str, *, dry_run: bool) -> None:
    requests = sum(file.n_records for file in files)
    hours = " to ".join(dict.fromkeys(files[end].key.rpartition("/")[0] for end in (0, -1)))
    written = "would be written" if dry_run else "written"
    plural = "" if len(files) == 1 else "s"
    print(f"labels of {requests} requests {written} below {root}: {len(files)} file{plural}, {hours}")
