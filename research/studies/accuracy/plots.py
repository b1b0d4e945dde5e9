"""The study's plots, in the report's style."""

from typing import TYPE_CHECKING, Any

import numpy as np

from plumbline.drift.projection import Limits
from plumbline.report.plots import style
from research.studies.accuracy.cases import Family
from research.studies.accuracy.outcomes import Method
from research.studies.accuracy.summary import FAR_OFF, VALID, Outcomes, of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {
    Method.PLUMBLINE: style.BLUE,
    Method.CONFIDENCE: style.GREEN,
    Method.UNCHANGED: style.MUTED,
    Method.FOREST: style.VERMILION,
}
_GUIDE: dict[str, Any] = {"color": style.MUTED, "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 1}
_MARKS = {Family.NONE: ("o", style.MUTED), Family.COVARIATE: ("o", style.BLUE), Family.MISSING: ("s", style.GREEN),
          Family.CORRUPTED: ("^", style.VERMILION), Family.TIME: ("D", style.PURPLE)}  # fmt: skip


def estimates(outcomes: Outcomes) -> "Figure":
    """Draw each method's estimates against the accuracy by the labels, without shift and under covariate shift."""
    from matplotlib.figure import Figure

    found = of(outcomes, families=VALID)
    figure = Figure(figsize=(style.WIDTH_INCHES, 3.4), layout="constrained")
    panels = figure.subplots(1, len(Method), sharex=True, sharey=True)
    low = 100 * min(outcome.realised for outcome in found) - 1
    for axes, method in zip(panels, Method, strict=True):
        known = [(outcome.realised, outcome.estimate(method)) for outcome in found]
        pairs = np.array([pair for pair in known if pair[1] is not None], dtype=np.float64)
        axes.plot([low, 100], [low, 100], **_GUIDE)
        axes.scatter(*(100 * pairs.T), s=8, alpha=0.5, linewidths=0, color=_COLOURS[method])
        axes.set_title(method, loc="left", fontsize=10, color=style.INK)
        _frame(axes, "accuracy by the labels (%)")
    panels[0].set_ylabel("estimate without labels (%)", fontsize=9)
    return figure


def streams(outcomes: Outcomes) -> "Figure":
    """Draw projection and truth over time, a panel for each stream; gaps where the product refuses."""
    from matplotlib.figure import Figure

    found = of(outcomes, families=[Family.TIME])
    names = list(dict.fromkeys(outcome.subject for outcome in found))
    figure = Figure(figsize=(style.WIDTH_INCHES, 0.6 + 2.2 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        _stream(axes, of(found, subjects=[name]))
        axes.set_title(name, loc="left", fontsize=10, color=style.INK)
        _frame(axes, "")
        axes.set_ylabel("accuracy (%)", fontsize=9)
    panels[-1].set_xlabel("window, in the order of time", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def _stream(axes: "Axes", outcomes: Outcomes) -> None:
    from matplotlib.ticker import MaxNLocator

    places = np.arange(1, len(outcomes) + 1)
    figures = [None if outcome.refusal_reason else outcome.accuracy for outcome in outcomes]
    middle, lower, upper = (
        [np.nan if figure is None or getattr(figure, end) is None else 100 * getattr(figure, end) for figure in figures]
        for end in ("estimate", "lower", "upper")
    )
    hidden = [100 * outcome.accuracy.estimate if outcome.refusal_reason and outcome.accuracy.estimate else np.nan
              for outcome in outcomes]  # fmt: skip
    axes.plot(places, [100 * outcome.realised for outcome in outcomes], "o-", color=style.INK, markersize=3,
              linewidth=1, label="by the labels")  # fmt: skip
    spread = (np.array(middle) - lower, np.array(upper) - middle)
    axes.errorbar(places, middle, yerr=spread, fmt="s", color=style.BLUE, markersize=4, capsize=2, elinewidth=1,
                  label="projected, 95 %")  # fmt: skip
    axes.plot(places, hidden, "x", color=style.VERMILION, markersize=4, label="refused: what it would have been")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.axhline(100 * outcomes[0].reference, **_GUIDE, label="on the test set")


def refusals(outcomes: Outcomes) -> "Figure":
    """Draw how far the estimate is off, refused or not, against what a window is refused for."""
    from matplotlib.figure import Figure

    limits = Limits()
    figure = Figure(figsize=(style.WIDTH_INCHES, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    shown = (
        ("separability", "how well a classifier separates window and test set", limits.separability),
        ("over_represented", "share of rows that are over-represented", limits.over_represented_fraction),
    )
    for axes, (name, title, limit) in zip(panels, shown, strict=True):
        for family, (marker, colour) in _MARKS.items():
            known = [
                (getattr(outcome, name), outcome.accuracy.error)
                for outcome in of(outcomes, families=[family])
                if getattr(outcome, name) is not None and outcome.accuracy.error is not None
            ]
            if known:
                x, y = np.array(known, dtype=np.float64).T
                axes.scatter(x, 100 * y, s=12, alpha=0.6, linewidths=0, marker=marker, color=colour, label=family)
        axes.axvline(limit, color=style.GREEN, linewidth=1, linestyle=(0, (4, 2)), label="refused from here")
        axes.axhline(100 * FAR_OFF, **_GUIDE)
        _frame(axes, title)
    panels[0].set_ylabel("estimate is off by (points)", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8)
    return figure


def _frame(axes: "Axes", title: str) -> None:
    axes.grid(axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(title, fontsize=9)
    axes.tick_params(labelsize=8, length=2)
