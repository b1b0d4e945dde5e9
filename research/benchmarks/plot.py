"""Time and peak memory against the number of records, both axes logarithmic."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from plumbline.report.plots import style
from research.benchmarks.programs import ON_SPARK, OURS
from research.benchmarks.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS = (OURS, ON_SPARK)
_COLOURS = (style.VERMILION, style.GREEN, style.PURPLE, style.MUTED, style.INK)
_MARKERS = "sD^vPX"


def save(results: Results, file: Path) -> None:
    """Draw the plot as a PNG file; the same results give the same bytes."""
    with style.plotting("benchmarks"):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(style.WIDTH_INCHES, 4.6), layout="constrained")
        time, memory = figure.subplots(1, 2, sharex=True)
        _panel(time, results, "seconds", results.seconds)
        _panel(memory, results, "peak memory (MB)", lambda name, size: _megabytes(results.peak_bytes(name, size)))
        figure.legend(*time.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        figure.savefig(file, metadata={"Software": None})


def _panel(axes: "Axes", results: Results, title: str, figure: Callable[[str, int], float | None]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    others = [name for name in results.programs if name not in _OURS]
    for name in results.programs:
        points = [(size, value) for size in results.sizes if (value := figure(name, size)) is not None]
        ours = name not in others
        position = 0 if ours else others.index(name)
        axes.plot(
            *zip(*points, strict=True),
            color=style.BLUE if ours else _COLOURS[position % len(_COLOURS)],
            marker="o" if ours else _MARKERS[position % len(_MARKERS)],
            linestyle="-" if name == OURS or not ours else "--",
            linewidth=2.4 if ours else 1.3,
            markersize=5,
            # One window alone on Spark has no line: its mark must differ from ours on one core.
            fillstyle="none" if name == ON_SPARK else "full",
            label=name,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(results.sizes, [_short(size) for size in results.sizes])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.set_title(title, loc="left")
    axes.set_xlabel("records in the window")
    axes.grid(color=style.GRID, linewidth=0.6)


def _megabytes(peak: float | None) -> float | None:
    return None if peak is None else peak / 1e6


def _short(number: int) -> str:
    """Return a number of records as axes have room for it."""
    return f"{number / 1e6:g}M" if number >= 1_000_000 else f"{number / 1e3:g}k"
