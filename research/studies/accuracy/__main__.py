"""Measures projected accuracy where the labels are known, and writes the tables and plots into a page."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from plumbline.data import census
from plumbline.local import environments
from research.studies.accuracy import page
from research.studies.accuracy.results import AccuracyStudy
from research.studies.accuracy.tasks import FULL, QUICK
from research.studies.pages import draft_of

DRAFTS = environments.ROOT / ".cache" / "accuracy"
PAGE = environments.ROOT / "docs" / "accuracy.md"
SEED = 20261128

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, or make the page of the last run again; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    given = _parser().parse_args(arguments)
    written = draft_of(PAGE, DRAFTS) if given.quick else PAGE
    results = written.with_suffix(".json")
    if not given.page_only:
        _study(given).save(results)
    page.write(AccuracyStudy.load(results), written, written.parent / "images")
    _log.info("%s is written", written)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.studies.accuracy", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few windows of the synthetic population: a minute, not an answer; into a draft of the page",
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--census", type=Path, help="folder with adult.data and adult.test; else found or fetched")
    parser.add_argument("--processes", type=int, default=2, help="subjects that are judged at a time")
    parser.add_argument("--page-only", action="store_true", help="make the page of the last run again")
    return parser


def _study(given: argparse.Namespace) -> AccuracyStudy:
    # Deferred: it needs the model's code on the path, and the page of the last run does not.
    from research.studies.accuracy import run

    income = None if given.quick else census.acquire(given.census)
    return run.study(QUICK if given.quick else FULL, income, given.seed, given.processes)


if __name__ == "__main__":
    sys.exit(main())
