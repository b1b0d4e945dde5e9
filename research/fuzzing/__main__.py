"""``python -m research.fuzzing``: fuzz some or all parsers for longer than a test may take."""

import argparse
import logging
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from research.fuzzing.runner import Escape, fuzz, kept
from research.fuzzing.targets import ROOT, TARGETS, Target

FOUND = ROOT / ".cache" / "fuzzing"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen targets; 1: an input escaped, and was written below `FOUND`."""
    parser = argparse.ArgumentParser(prog="python -m research.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)} (default: all)")
    parser.add_argument("--executions", type=int, default=100_000, help="mutations of each (default: 100000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="stop each target after this time")
    parser.add_argument(
        "--atheris", action="store_true",
        help="let coverage guide the mutations of one target; requirements/fuzz-atheris.txt has what it takes",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # every rejection is logged
    if unknown := [name for name in chosen.targets if name not in TARGETS]:
        parser.error(f"unknown target {unknown[0]}; there are {', '.join(TARGETS)}")
    targets = [TARGETS[name] for name in chosen.targets or TARGETS]
    if chosen.atheris:
        from research.fuzzing.guided import fuzz_guided

        if len(targets) != 1:
            parser.error("--atheris takes one target: it ends the process")
        fuzz_guided(targets[0], chosen.executions, chosen.seed, FOUND / targets[0].name)
    return max([_run(target, chosen) for target in targets], default=0)


def _run(target: Target, chosen: argparse.Namespace) -> int:
    outcome = fuzz(target, chosen.executions, chosen.seed, chosen.seconds)
    rate = outcome.executions / outcome.seconds if outcome.seconds else 0
    took = f"{outcome.seconds:.0f} s, {rate:,.0f} a second"
    print(f"{target.name}: {outcome.executions:,} executions in {took}", flush=True)
    return 0 if outcome.escape is None else _told(outcome.escape, FOUND / target.name)


def _told(escape: Escape, folder: Path) -> int:
    traceback.print_exception(escape.error)
    print(f"escape: {kept(escape, folder)}; repair it, and keep the file in tests/corpus", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
