"""Arguments and progress of ``python -m benchmarks``."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from plumbline.data.census import TARGET
from plumbline.drift.reference.baseline import save
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from plumbline.local.environments import ROOT, EnvironmentSetupError
from research.benchmarks import captures, page, plot, programs, runner
from research.benchmarks.programs import PEERS, BenchmarkTask, Program
from research.benchmarks.results import NotRun, Results
from research.benchmarks.runner import BenchmarkError, BenchmarkPlan, Runner

_CACHE = ROOT / ".cache" / "benchmarks"
_SEED = 1
_SIZE_ON_SPARK = 5_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its page, plot and results; 1 when ours fails or cannot be set up."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    command = shlex.join([".venv/bin/python", "-m", "research.benchmarks", *words])
    with tempfile.TemporaryDirectory(prefix="plumbline-benchmark-") as folder:
        try:
            results = _measure(options, Path(folder), command)
        except (BenchmarkError, EnvironmentSetupError) as error:
            print(f"error: {programs.OURS}: {error}", file=sys.stderr)
            return 1
    write(results, options.output)
    print(page.render(results))
    return 0


def write(results: Results, output: Path) -> None:
    """Write ``research.benchmarks.json``, the page and its plot into a folder."""
    image = output / page.PLOT
    image.parent.mkdir(parents=True, exist_ok=True)
    (output / "benchmarks.json").write_text(results.to_json(), encoding="utf-8")
    (output / "benchmarks.md").write_text(page.render(results), encoding="utf-8")
    plot.save(results, image)


def _measure(options: argparse.Namespace, workspace: Path, command: str) -> Results:
    several: list[Program] = [programs.container(workspace)]
    if options.spark:
        several.append(programs.container_on_spark(workspace))
    not_run = []
    for name in options.peers:
        try:
            several.append(programs.peer(name))
        except EnvironmentSetupError as error:
            not_run.append(NotRun(name, None, f"cannot be installed here: {error}"))
            _print_progress(f"{name} cannot be installed here")
    reference = captures.reference(_CACHE, _SEED)
    baseline = workspace / "baseline"
    files = ReferenceFiles(
        train=reference.train, test=reference.test, predictions=reference.predictions, target_label=TARGET
    )
    save(files.learn(), baseline)

    def task(records: int) -> BenchmarkTask:
        return BenchmarkTask(reference, baseline, captures.window(_CACHE, records, _SEED), workspace / "output")

    run = Runner(task, runner.measure(runner.core_to_pin()), _print_progress, not_run=not_run)
    size_on_spark = _SIZE_ON_SPARK if options.spark else None
    run.run(BenchmarkPlan(options.sizes, options.repetitions, options.largest_of_peers, size_on_spark), several)
    versions = {program.name: program.versions for program in several}
    return Results(command, runner.describe_machine(), versions, run.measurements, run.not_run)


def _print_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the container program and its peers on the same capture files: time, peak memory, start.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--sizes", type=_numbers, default="10000,100000,1000000,10000000", metavar="N,N", help="records per window"
    )
    parser.add_argument(
        "--peers", type=_peers, default=",".join(PEERS), metavar="NAME,NAME", help="peers to run; empty for none"
    )
    parser.add_argument(
        "--largest-of-peers", type=_count, default=1_000_000, metavar="N", help="larger windows are run by ours alone"
    )
    parser.add_argument(
        "--repetitions",
        type=_count,
        default=3,
        metavar="N",
        help=f"of windows up to {runner.ONCE_ABOVE_RECORDS:,} records; larger ones are run once",
    )
    parser.add_argument(
        "--spark", action="store_true", help=f"add {_SIZE_ON_SPARK:,} records, run by ours with and without Spark"
    )
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "benchmarks" / "results", metavar="DIR")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return number


def _numbers(text: str) -> list[int]:
    return [_count(part) for part in text.split(",")]


def _peers(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if unknown := sorted(set(names) - set(PEERS)):
        raise argparse.ArgumentTypeError(f"must be among {', '.join(PEERS)}, got {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
