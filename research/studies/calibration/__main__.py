"""Measures how often the verdict is wrong, and writes the tables and plots into a page."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from plumbline.local import environments
from research.studies.calibration import evidently_check, page, run
from research.studies.calibration.population import Population
from research.studies.calibration.results import CalibrationStudy
from research.studies.pages import draft_of

CACHE = environments.ROOT / ".cache" / "calibration"
PAGE = environments.ROOT / "docs" / "calibration.md"
EVIDENTLY = environments.ROOT / "requirements" / "bench-evidently.txt"
SEED = 20260511

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study, or make the page of the last run again; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    given = _parser().parse_args(arguments)
    results = CACHE / ("quick.json" if given.quick else "full.json")
    if not given.page_only:
        _study(given).save(results)
    written = draft_of(PAGE, CACHE) if given.quick else PAGE
    page.write(CalibrationStudy.load(results), written, written.parent / "images")
    _log.info("%s is written", written)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.studies.calibration", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few repetitions, small windows: a minute, not an answer; into a draft of the page",
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--census", type=Path, help="folder with adult.data and adult.test; else found or fetched")
    parser.add_argument("--evidently", action="store_true", help="hold our writing of Evidently's rule to the package")
    parser.add_argument("--page-only", action="store_true", help="make the page of the last run again")
    return parser


def _study(given: argparse.Namespace) -> CalibrationStudy:
    rows, name = run.people(given.census, given.seed)
    drawn_from = Population.of(rows)
    agreement = None
    if given.evidently:
        python = environments.ensure(EVIDENTLY, name=EVIDENTLY.stem)
        agreement = evidently_check.agreement(drawn_from, python, given.seed)
    return run.study(drawn_from, name, run.QUICK if given.quick else run.FULL, given.seed, agreement)


if __name__ == "__main__":
    sys.exit(main())
