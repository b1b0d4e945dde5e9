"""Runs the product on streams in time order, window by window, and writes the tables into a page."""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from plumbline.local import environments
from research.studies.pages import draft_of
from research.studies.streams import others, page, run
from research.studies.streams.outcomes import write_lines
from research.studies.streams.results import StreamStudy
from research.studies.streams.sources import STREAMS, StreamSource

DRAFTS = environments.ROOT / ".cache" / "streams"
PAGE = environments.ROOT / "docs" / "accuracy.md"
RESULTS = "streams.json"
SEED = 20261201
_LATE = {"never": None, "one": 1, "two": 2}
_HISTORY = {"without": False, "with": True}

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, or make the page of the last run again; return the exit code."""
    run.quiet()
    given = _parser().parse_args(arguments)
    if given.lines is not None:
        found = _study(given)
        write_lines(given.lines, found.outcomes)
        _log.info("%s: %d windows", given.lines, len(found.outcomes))
        return 0
    written = draft_of(PAGE, DRAFTS) if given.quick else PAGE
    results = written.parent / RESULTS
    if not given.page_only:
        found = _study(given)
        if not (found.outcomes or found.others):
            _log.warning("%s is left as it is: no stream was to be had", PAGE)
            return 0
        (found.updating(StreamStudy.load(results)) if given.update and results.exists() else found).save(results)
    page.write(StreamStudy.load(results), written)
    _log.info("%s is written", written)
    return 0


def _study(given: argparse.Namespace) -> StreamStudy:
    sources = [source for source in (*STREAMS, *map(StreamSource.of, given.stream)) if _is_wanted(source, given.only)]
    extent = run.QUICK if given.quick else run.FULL
    history, late = {_HISTORY[one] for one in given.history}, {_LATE[one] for one in given.labels}
    modes = [mode for mode in run.MODES if mode.history in history and mode.late in late]
    extent = replace(
        extent,
        sizes=tuple(given.sizes or extent.sizes),
        windows=given.windows or extent.windows,
        modes=() if given.part == "others" else tuple(modes),
        tools=()
        if given.part == "ours" or given.lines
        else tuple(extent.tools if given.tools is None else given.tools),
        has_others=given.part != "ours" and not given.lines,
    )
    extent = replace(extent, command=_command(given, extent.command))
    return run.study(extent, sources, given.streams, given.seed, given.processes)


def _command(given: argparse.Namespace, usual: str) -> str:
    """Return the command that makes the same figures: the usual one, unless windows are fewer or other ones."""
    options = {"sizes": given.sizes, "windows": given.windows and [given.windows], "only": given.only}
    stated = [f"--{name} {' '.join(map(str, values))}" for name, values in options.items() if values]
    return " ".join(["python -m research.studies.streams", *stated]) if stated else usual


def _is_wanted(source: StreamSource, names: Sequence[str] | None) -> bool:
    return not names or source.name in names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.studies.streams", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few windows of 500 rows and no other tools: minutes, not an answer; into a draft of the page",
    )
    parser.add_argument("--streams", type=Path, metavar="DIR", help="folder of the streams' files; else found")
    parser.add_argument(
        "--stream", action="append", default=[], metavar="FILE:TARGET:TRAIN:TEST",
        help="one more file of that folder, with its label and the rows to train and test on",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="NAME", help="streams to run (default: all that are there)")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="rows of a window")
    parser.add_argument("--windows", type=int, metavar="N", help="windows of each size and stream, at most")
    parser.add_argument(
        "--history",
        nargs="+",
        choices=_HISTORY,
        default=list(_HISTORY),
        help="whether the baseline has the task's past",
    )
    parser.add_argument(
        "--labels", nargs="+", choices=_LATE, default=list(_LATE), help="how many windows late labels come"
    )
    parser.add_argument("--part", choices=("ours", "others"), help="run the product alone, or all but it")
    parser.add_argument(
        "--tools", nargs="*", choices=others.TOOLS, metavar="NAME",
        help=f"other tools, each in an environment of its own: {', '.join(others.TOOLS)} (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--update", action="store_true", help="keep what the last run has of the modes and tools that are not run"
    )
    parser.add_argument("--lines", type=Path, metavar="FILE", help="write a JSON line per window here, and no page")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2, help="streams that are judged at a time, by mode")
    parser.add_argument("--page-only", action="store_true", help="make the page of the last run again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
