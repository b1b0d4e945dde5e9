"""Small multiples of the drift score: one panel per feature, all on one scale."""

import math
from typing import TYPE_CHECKING

from plumbline.report.models import changes
from plumbline.report.plots import style
from plumbline.report.timeline import FeatureRow, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PANELS = 30
_COLUMNS = 5


def draw(timeline: Timeline) -> "Figure":
    """Return the figure: drift score in percent against time, one panel per feature."""
    from matplotlib.figure import Figure

    rows = timeline.ranked_rows()
    rows = [*rows[: MAX_PANELS - 1], rows[-1]] if len(rows) > MAX_PANELS else rows
    columns = min(_COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(style.WIDTH_INCHES, 1.0 + 1.45 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    changed = changes(timeline)
    top = 1.12 * max(10.0, *(row.highest for row in rows))
    for index, row in enumerate(rows):
        axes = panels[index // columns][index % columns]
        _panel(axes, row, timeline, top)
        style.mark_changes(axes, changed)
    for index in range(len(rows), lines * columns):
        panels[index // columns][index % columns].set_visible(False)
    for index in range(max(0, len(rows) - columns), len(rows)):
        panels[index // columns][index % columns].tick_params(labelbottom=True)
    figure.supylabel("drift score (%), 0 to 200", fontsize=9, color=style.MUTED)
    key = "filled orange dot: drift · grey: no verdict" + (" · solid green line: the model changed" if changed else "")
    figure.supxlabel(f"{style.time_axis_title(timeline.slots)} · {key}", fontsize=9, color=style.MUTED)
    return figure


def _panel(axes: "Axes", row: FeatureRow, timeline: Timeline, top: float) -> None:
    scores, drifted = row.scores, row.drifted
    colour = style.VERMILION if drifted else style.BLUE
    axes.set_ylim(0, top)
    axes.grid(axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for index, slot in enumerate(timeline.slots):
        if not slot.judged:
            axes.axvspan(index - 0.5, index + 0.5, facecolor=style.GRID, alpha=0.7, linewidth=0)
        if slot.events:
            axes.axvline(index, color=style.PURPLE, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.plot(range(len(scores)), scores, color=colour, linewidth=1.6, solid_capstyle="round")
    lonely = [i for i in range(len(scores)) if not math.isnan(scores[i])] if len(scores) < 40 else []
    axes.plot(lonely, [scores[i] for i in lonely], "o", color=style.PAPER, markeredgecolor=colour, markersize=3.2)
    axes.plot(drifted, [scores[i] for i in drifted], "o", color=style.VERMILION, markersize=4.2)
    axes.set_title(
        style.plain(row.name, 20), loc="left", fontsize=9, color=colour if drifted else style.INK,
        fontweight="bold" if drifted else "normal", pad=4,
    )  # fmt: skip
    no_score = "no score" if row.judged else "not judged"
    highest = no_score if all(map(math.isnan, scores)) else f"max {row.highest:.0f} %"
    axes.set_title(highest, loc="right", fontsize=8, color=style.MUTED, pad=4)
    style.mark_time_axis(axes, timeline.slots, ticks=4)
    axes.tick_params(labelsize=8, length=2)
