"""`plumbline traffic`."""

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.commands import environment
from plumbline.exit_codes import CommandError
from plumbline.traffic.choices import SCENARIO_HELP, Format, ScenarioName

if TYPE_CHECKING:
    from plumbline.traffic.replay import ReplayAnswer, ReplayPlan
    from plumbline.traffic.source import TrafficSource


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--endpoint", required=True, metavar="NAME", help="name of the endpoint")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows to send, CSV with a header row")
    parser.add_argument("--target-label", metavar="NAME", help="column of the file that is the label, and is not sent")
    parser.add_argument("--hours", type=int, default=12, metavar="N", help="how long to send (default: %(default)s)")
    parser.add_argument(
        "--rows-per-hour", type=int, default=2000, metavar="N", help="how much to send (default: %(default)s)"
    )
    parser.add_argument(
        "--rows-per-request", type=int, default=1, metavar="N", help="rows in one request (default: %(default)s)"
    )
    parser.add_argument(
        "--format",
        choices=[each.value for each in Format],
        default=Format.CSV.value,
        help="content type of the requests (default: %(default)s)",
    )
    parser.add_argument(
        "--scenario",
        choices=[each.value for each in ScenarioName],
        help="draw Census Income rows with named drift instead of sending the file in its order; needs --target-label; "
        + SCENARIO_HELP,
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the drawing (default: %(default)s)")
    parser.add_argument(
        "--seconds-per-hour",
        type=float,
        default=3600.0,
        metavar="S",
        help="length of an hour of traffic, to try things out faster (default: %(default)s)",
    )
    parser.add_argument(
        "--connections", type=int, default=4, metavar="N", help="parallel requests (default: %(default)s)"
    )
    parser.add_argument(
        "--name", default="replay", metavar="TEXT",
        help="begins every InferenceId; give each replay its own, so that labels find their requests (default: "
        "%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--labels-out", type=Path, metavar="FILE",
        help="write id, row and label of every row that was answered to this CSV file, for plumbline labels; needs "
        "--target-label",
    )  # fmt: skip
    environment.add_aws_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay the rows; 0 when every request was answered, 1 when one failed, 130 after Ctrl-C."""
    from rich.console import Console

    from plumbline.traffic.replay import ReplayPlan
    from plumbline.traffic.terminal import connect, replay_on_terminal

    if not 0 < arguments.seconds_per_hour < math.inf:
        raise CommandError(f"--seconds-per-hour must be a number above 0, got {arguments.seconds_per_hour}; correct it")
    with environment.aws_errors():
        plan = ReplayPlan(
            endpoint=arguments.endpoint,
            hours=arguments.hours,
            rows_per_hour=arguments.rows_per_hour,
            rows_per_request=arguments.rows_per_request,
            format=Format(arguments.format),
            name=arguments.name,
            connections=arguments.connections,
            seconds_per_hour=arguments.seconds_per_hour,
        )
        source = _source(arguments)
        client = connect(plan.connections, region=arguments.region, endpoint_url=arguments.endpoint_url)
        with _labels_out(arguments, plan, source) as on_answer:
            return replay_on_terminal(plan, client, source.rows, Console(), on_answer).exit_code


def _source(arguments: argparse.Namespace) -> "TrafficSource":
    from plumbline.data.rows import LabelledRows, read_cells
    from plumbline.data.scenarios import scenario
    from plumbline.traffic.source import TrafficSource, drawn, in_turn

    target = arguments.target_label
    for option in ("scenario", "labels_out"):
        if getattr(arguments, option) is not None and target is None:
            name = option.replace("_", "-")
            raise CommandError(f"--{name} must come with --target-label, got it alone; name the label's column")
    if target is None:
        return TrafficSource(in_turn(read_cells(arguments.data)[1]))
    pool = LabelledRows.read_csv(arguments.data, target)
    if arguments.scenario is None:
        return TrafficSource(in_turn(pool.rows), in_turn(pool.labels))
    return drawn(scenario(arguments.scenario), pool, arguments.seed)


@contextmanager
def _labels_out(
    arguments: argparse.Namespace, plan: "ReplayPlan", source: "TrafficSource"
) -> "Iterator[Callable[[ReplayAnswer], None]]":
    """Yield the callback for answers: the table of labels, with --labels-out."""
    from plumbline.traffic.source import labels_file

    if arguments.labels_out is None:
        yield lambda answer: None
        return
    if source.labels is None:
        raise CommandError(
            f"--labels-out must come with rows whose labels are true, got --scenario {arguments.scenario}, which "
            "overwrites cells; choose another scenario"
        )
    with labels_file(arguments.labels_out, plan, source.labels) as out:
        yield out.take
