"""Runs the product on streams, window by window, and writes what it found as a JSON line per window."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from plumbline.local import environments
from research.studies.streams import run
from research.studies.streams.outcomes import RunMode, write_lines
from research.studies.streams.run import StreamExtent
from research.studies.streams.sources import STREAMS, StreamSource

LINES = environments.ROOT / ".cache" / "streams" / "windows.jsonl"
SEED = 20261201
_LATE = {"never": None, "one": 1, "two": 2}
_HISTORY = {"without": False, "with": True}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("research").setLevel(logging.INFO)
    logging.getLogger("plumbline").setLevel(logging.ERROR)
    given = _parser().parse_args(arguments)
    sources = [source for source in (*STREAMS, *map(StreamSource.of, given.stream)) if _is_wanted(source, given.only)]
    extent = StreamExtent(
        sizes=tuple(given.sizes or (run.QUICK if given.quick else run.FULL).sizes),
        windows=given.windows or (run.QUICK if given.quick else run.FULL).windows,
        modes=tuple(RunMode(_HISTORY[history], _LATE[late]) for history in given.history for late in given.labels),
    )
    outcomes = run.study(extent, sources, given.streams, given.seed, given.processes)
    write_lines(given.lines, outcomes)
    print(f"{given.lines}: {len(outcomes)} windows")
    return 0


def _is_wanted(source: StreamSource, names: Sequence[str] | None) -> bool:
    return not names or source.name in names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.studies.streams", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few windows of 500 rows: a minute, not an answer")
    parser.add_argument("--streams", type=Path, metavar="DIR", help="folder of the streams' files")
    parser.add_argument(
        "--stream", action="append", default=[], metavar="FILE:TARGET:TRAIN:TEST",
        help="one more file of that folder, with its label and the rows to train and test on",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="NAME", help="streams to run (default: all that are there)")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="rows of a window")
    parser.add_argument("--windows", type=int, metavar="N", help="windows of each size and stream, at most")
    parser.add_argument("--history", nargs="+", choices=_HISTORY, default=["without"], help="of the task's past")
    parser.add_argument("--labels", nargs="+", choices=_LATE, default=["one"], help="how many windows late they come")
    parser.add_argument("--lines", type=Path, default=LINES, metavar="FILE", help="where the results go")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2, help="replays at a time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
