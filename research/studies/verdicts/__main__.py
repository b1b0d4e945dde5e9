"""Measures power and false alarms of every verdict of a run, and writes the tables into a page."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from plumbline.local import environments
from research.studies.calibration.population import Population
from research.studies.calibration.run import people
from research.studies.pages import draft_of
from research.studies.streams.run import quiet
from research.studies.verdicts import page, run
from research.studies.verdicts.results import VerdictStudy

DRAFTS = environments.ROOT / ".cache" / "verdicts"
PAGE = environments.ROOT / "docs" / "calibration.md"
RESULTS = "verdicts.json"
SEED = 20261201

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, or make the page of the last run again; return the exit code."""
    quiet()
    given = _parser().parse_args(arguments)
    written = draft_of(PAGE, DRAFTS) if given.quick else PAGE
    results = written.parent / RESULTS
    if not given.page_only:
        rows, name = people(given.census, given.seed)
        extent = run.QUICK if given.quick else run.SHORT if given.short else run.FULL
        run.study(Population.of(rows), name, extent, given.seed, given.processes).save(results)
    page.write(VerdictStudy.load(results), written)
    _log.info("%s is written", written)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.studies.verdicts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few windows: minutes, not an answer; into a draft")
    parser.add_argument("--short", action="store_true", help="minutes instead of an hour, and no whole runs")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--census", type=Path, help="folder with adult.data and adult.test; else found or fetched")
    parser.add_argument("--processes", type=int, default=2, help="worlds that are judged at a time")
    parser.add_argument("--page-only", action="store_true", help="make the page of the last run again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
