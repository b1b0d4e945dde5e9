"""Results -> the Markdown page of the documentation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from research.benchmarks import captures
from research.benchmarks.programs import ON_SPARK, OURS
from research.benchmarks.results import Results

MILLION: Final = 1_000_000
MIN_RATIOS: Final = {"reference": 20, "evidently": 14, "nannyml": 9}
"""Peer to how many times as long as ours it must take on a million records."""

PLOT: Final = "images/benchmarks.png"
"""Where the plot is, from the page."""

_METHOD: Final = f"""\
# Benchmarks

How long one window takes, from starting a process to its end, and how much memory the process needs: our container
program (`python -m plumbline.drift` in its image, with a learned baseline) and its peers, each in its own environment,
on the same capture files. The command makes the capture files, runs everything, and writes this page:

```sh
{{command}}
```

- **Data.** One hour of SageMaker data capture, JSON Lines with CSV payloads of 14 features (6 numeric, 8 categorical)
  and one probability, in files of at most 50,000 records; drawn from the synthetic population that looks like Census
  Income, without drift. The reference has {captures.N_TRAIN:,} rows.
- **Measured.** The whole process on one pinned core: wall clock, and the peak of resident memory (of all processes
  together where there are several). Files are in the system's cache. The order alternates with every repetition; the
  tables show medians. 1 MB is a million bytes. Every run had its core to itself for at least {{share:.0%}} of its time.
- **Ours does more.** It checks every record's time and event id, decodes the output side, and projects the accuracy
  with its interval from {captures.N_TEST:,} labelled test rows; the peers read the input side only.
- **On Spark**, where a row says so, ours reads the window with Spark on all cores of this machine, not one.
- **Peers** run the shortest program that their users write, with their defaults (`research/benchmarks/peers`): lines
  through `json.loads`, payloads through `csv`, a pandas data frame. `reference` is the whole algorithm of AWS's
  bring-your-own-container example, written anew: tests, distances, and the IsolationForest behind its accuracy. It runs
  twice: with libraries of its time, on which its calls work as they stand, and (`reference-today`) with today's, whose
  forests are several times as fast.
"""


_ORIGIN: Final = """\
The ratios were set where the reference took 82 s for a million records, Evidently 55 s and NannyML 36 s: they left ours
3.9 to 4.1 s. Peers that are faster on another machine, or in another version, make a ratio harder to reach.
"""


@dataclass(frozen=True)
class BenchmarkTarget:
    """One target: `measured` must lie within `bounds`; None when this benchmark did not measure it."""

    text: str
    measured: float | None
    bounds: tuple[float, float]
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it was met; None when it was not measured."""
        return None if self.measured is None else self.bounds[0] <= self.measured <= self.bounds[1]


def render(results: Results) -> str:
    """Return the page."""
    share = results.least_share_of_core([name for name in results.programs if name != ON_SPARK])
    others = [name for name in results.programs if name != OURS]
    parts = [
        _METHOD.format(command=results.command, share=share),
        "## Targets\n",
        _ORIGIN,
        _table(["target", "measured", "met"], map(_target_row, targets(results))),
        f"![Time and peak memory against records, both axes logarithmic]({PLOT})\n",
        "## Seconds\n",
        _by_size(results, results.programs, results.seconds, _seconds),
        "## Peak memory in MB\n",
        _by_size(results, results.programs, results.peak_bytes, lambda peak: f"{peak / 1e6:,.0f}"),
        "## Times as long as ours\n",
        _by_size(
            results, others, lambda program, size: results.ratio(program, OURS, size), lambda ratio: f"{ratio:.1f}"
        ),
        _not_run(results),
        "## Machine and versions\n",
        _table(["", ""], results.machine.items()),
        _table(
            ["program", "versions"],
            (
                [name, ", ".join(f"{package} {version}" for package, version in versions.items())]
                for name, versions in results.versions.items()
            ),
        ),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _by_size(
    results: Results,
    programs: Sequence[str],
    figure: Callable[[str, int], float | None],
    written: Callable[[float], str],
) -> str:
    """Return a table with a row per program and a column per size; blank where there is nothing."""

    def cell(program: str, size: int) -> str:
        value = figure(program, size)
        return "" if value is None else written(value)

    header = ["records", *(f"{size:,}" for size in results.sizes)]
    return _table(header, ([name, *(cell(name, size) for size in results.sizes)] for name in programs))


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _target_row(target: BenchmarkTarget) -> list[str]:
    if target.measured is None:
        return [target.text, "not measured", ""]
    return [target.text, f"{target.measured:.4g} {target.unit}".strip(), "yes" if target.met else "**no**"]


def _not_run(results: Results) -> str:
    if not results.not_run:
        return "Every program ran at every size.\n"
    rows = (
        [entry.program, f"{entry.records:,}" if entry.records else "all", entry.reason] for entry in results.not_run
    )
    return "Not run:\n\n" + _table(["program", "records", "why"], rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def targets(results: Results) -> list[BenchmarkTarget]:
    """Return every target with what was measured, in a fixed order."""
    peaks = [peak for size in results.sizes if (peak := results.peak_bytes(OURS, size)) is not None]
    one, ten = results.peak_bytes(OURS, MILLION), results.peak_bytes(OURS, 10 * MILLION)
    ratios = [
        BenchmarkTarget(
            f"{peer} takes at least {least} times as long at 1 million records", ratio, (least, inf), "times"
        )
        for peer, least in MIN_RATIOS.items()
        for ratio in [results.ratio(peer, OURS, MILLION)]
    ]
    return [
        *ratios,
        BenchmarkTarget(
            "peak memory at most 256 MB at every size", max(peaks, default=0) / 1e6 or None, (0, 256), "MB"
        ),
        BenchmarkTarget(
            "peak memory at 10 million records at most 1.1 times that at 1 million",
            None if one is None or ten is None else ten / one,
            (0, 1.1),
            "times",
        ),
        BenchmarkTarget(
            "exponent of time against records, from 1 million on, 0.9 to 1.1", results.slope(OURS), (0.9, 1.1)
        ),
        BenchmarkTarget(
            "first line of the container program after at most 0.6 s", results.first_line_seconds(OURS), (0, 0.6), "s"
        ),
    ]
