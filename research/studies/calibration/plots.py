"""The study's two plots, in the report's style."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from plumbline.report.plots import style
from research.studies.calibration.false_alarms import (
    ADJUSTED_P,
    EVIDENTLY_ANY,
    EVIDENTLY_HALF,
    PLUMBLINE,
    REFERENCE,
    AlarmTally,
)
from research.studies.calibration.power import PowerTally
from research.studies.calibration.shifts import ChangeMeasure
from research.studies.pages import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOK: dict[str, tuple[str, Literal["-", ":"], str]] = {
    PLUMBLINE: (style.BLUE, "-", "o"),
    ADJUSTED_P: (style.BLUE, ":", "o"),
    REFERENCE: (style.VERMILION, "-", "s"),
    EVIDENTLY_ANY: (style.PURPLE, "-", "^"),
    EVIDENTLY_HALF: (style.PURPLE, ":", "^"),
}
"""Colour, line and marker of each rule."""
_APART = 1.05
"""Each rule's points stand this factor to the right of the last one's, so that no interval hides another."""
TARGET = 0.05
_COLUMNS = 3
_LIMIT: dict[str, Any] = {"color": style.GREEN, "linewidth": 1, "linestyle": (0, (4, 2)), "zorder": 1}


def false_alarms(tallies: Sequence[AlarmTally]) -> "Figure":
    """Draw the share of windows that alarm without drift, against their size; a panel for each reference size."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(style.WIDTH_INCHES, 4.2), layout="constrained")
    references = sorted({tally.n_reference for tally in tallies}, reverse=True)
    panels = figure.subplots(1, len(references), sharey=True, squeeze=False)[0]
    for axes, n_reference in zip(panels, references, strict=True):
        shown = [tally for tally in tallies if tally.n_reference == n_reference]
        for number, rule in enumerate(_LOOK):
            _rates(axes, shown, rule, _APART ** (number - len(_LOOK) // 2))
        axes.axhline(100 * TARGET, label="target: at most 5 %", **_LIMIT)
        _frame(axes, "rows in the window")
        axes.set_xscale("log")
        axes.set_xticks([t.n_window for t in shown], [f"{t.n_window:,}" for t in shown])
        axes.minorticks_off()
        axes.set_title(f"reference of {n_reference:,} rows", loc="left", fontsize=10, color=style.INK)
    panels[0].set_ylabel("windows with a false alarm (%)", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def _rates(axes: "Axes", tallies: Sequence[AlarmTally], rule: str, aside: float) -> None:
    colour, line, marker = _LOOK[rule]
    rates = [tally.alarms[rule] / tally.repetitions for tally in tallies]
    bounds = [interval(tally.alarms[rule], tally.repetitions) for tally in tallies]
    below = [100 * (rate - lower) for rate, (lower, _) in zip(rates, bounds, strict=True)]
    above = [100 * (upper - rate) for rate, (_, upper) in zip(rates, bounds, strict=True)]
    axes.errorbar(
        [aside * tally.n_window for tally in tallies], [100 * rate for rate in rates], yerr=(below, above), label=rule,
        color=colour, linestyle=line, marker=marker, linewidth=1.6, markersize=4.5, elinewidth=1, capsize=2.5,
    )  # fmt: skip


def power(results: Sequence[PowerTally], thresholds: Mapping[ChangeMeasure, float]) -> "Figure":
    """Draw how often a change is found against its true size, a panel for each feature, a line for each window size."""
    from matplotlib.figure import Figure

    features = list(dict.fromkeys(result.feature for result in results))
    lines = -(-len(features) // _COLUMNS)
    figure = Figure(figsize=(style.WIDTH_INCHES, 0.8 + 2.6 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False).flatten()
    sizes = sorted({result.n_window for result in results})
    for axes, feature in zip(panels, features, strict=False):
        for number, n in enumerate(sizes):
            shown = [r for r in results if (r.feature, r.n_window) == (feature, n)]
            axes.plot(
                [r.effect for r in shown], [100 * r.named / r.repetitions for r in shown], "o-", label=f"n = {n:,}",
                color=style.BLUE, alpha=(number + 1.5) / (len(sizes) + 0.5), linewidth=1.6, markersize=3.5,
            )  # fmt: skip
        axes.axvline(thresholds[shown[0].measure], label="threshold", **_LIMIT)
        _frame(axes, shown[0].measure)
        axes.set_xlim(left=0)
        axes.set_title(style.plain(feature), loc="left", fontsize=10, color=style.INK)
    for axes in panels[len(features) :]:
        axes.set_visible(False)
    figure.supylabel("windows in which the feature is named (%)", fontsize=9, color=style.MUTED)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def _frame(axes: "Axes", title: str) -> None:
    axes.set_ylim(-3, 103)
    axes.grid(axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(title, fontsize=9)
    axes.tick_params(labelsize=8, length=2)
