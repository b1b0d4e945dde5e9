"""Heat table of -log10 of the adjusted p-value: features down, windows across."""

import math
from typing import TYPE_CHECKING

from plumbline.contract.records import FeatureReport, Verdict
from plumbline.report.models import changes
from plumbline.report.plots import style
from plumbline.report.timeline import FeatureRow, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARKEST_AT = 20.0
"""-log10 p at which a cell is darkest; beyond it only the number differs."""
UNDERFLOW_AT = 300.0
"""Beyond this the p-value is 0 in floating point."""
MAX_ROWS = 60
_NUMBERS_UP_TO = 24


def minus_log10(p_value: float) -> float:
    """Return -log10 of a p-value, cut where floating point ends."""
    return min(-math.log10(p_value), UNDERFLOW_AT) + 0.0 if p_value > 0 else UNDERFLOW_AT


def draw(timeline: Timeline) -> "Figure":
    """Return the figure: one cell per feature and window, orange where the verdict is drift."""
    from matplotlib.figure import Figure

    rows = timeline.ranked_rows()
    rows = [*rows[: MAX_ROWS - 1], rows[-1]] if len(rows) > MAX_ROWS else rows
    figure = Figure(figsize=(style.WIDTH_INCHES, 1.3 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for line, row in enumerate(rows):
        _draw_row(axes, row, line, numbers=len(timeline.slots) <= _NUMBERS_UP_TO)
    for index, slot in enumerate(timeline.slots):
        if slot.events:
            axes.axvline(index + 0.5, color=style.PURPLE, linewidth=1.2, linestyle=(0, (3, 2)))
    style.mark_changes(axes, changes(timeline))
    _label(axes, rows, timeline)
    return figure


def _draw_row(axes: "Axes", row: FeatureRow, line: int, *, numbers: bool) -> None:
    for index, result in enumerate(row.results):
        if result is None or result.p_value_adjusted is None or result.verdict is Verdict.NOT_JUDGED:
            _cell(axes, index, line, facecolor="none", hatch="////", alpha=0.35)
            continue
        value = minus_log10(result.p_value_adjusted)
        _cell(axes, index, line, facecolor=_colour(result), alpha=0.05 + 0.6 * min(value / DARKEST_AT, 1))
        if numbers:
            text = f"{value:.1f}" if value < 9.95 else f"{value:.0f}" if value < UNDERFLOW_AT else "300+"
            weight = "bold" if result.verdict is Verdict.DRIFT else "normal"
            axes.text(index, line, text, ha="center", va="center", fontsize=8, fontweight=weight)


def _colour(result: FeatureReport) -> str:
    return style.VERMILION if result.verdict is Verdict.DRIFT else style.BLUE


def _cell(axes: "Axes", index: int, line: int, **style_options: object) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((index - 0.47, line - 0.45), 0.94, 0.9, linewidth=0, **style_options))  # type: ignore[arg-type]


def _label(axes: "Axes", rows: list[FeatureRow], timeline: Timeline) -> None:
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [style.plain(row.name) for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(style.VERMILION if row.drifted else style.INK)
        label.set_fontweight("bold" if row.drifted else "normal")
    style.mark_time_axis(axes, timeline.slots)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(style.time_axis_title(timeline.slots), fontsize=9)
    key = (
        ("orange: drift", style.VERMILION),
        ("blue: no drift", style.BLUE),
    )
    for position, (text, colour) in enumerate(key):
        axes.text(
            1.0 - 0.11 * (1 - position), 1.02, f"■ {text}", transform=axes.transAxes, ha="right", va="bottom",
            fontsize=8.5, color=colour,
        )  # fmt: skip
    axes.set_title("cell: −log10 of the adjusted p-value", loc="left", fontsize=8.5, color=style.MUTED)
