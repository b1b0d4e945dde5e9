"""Projected accuracy with its band, beside the true accuracy where it is known; and the Isolation Forest's curve."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from contract.records import Status
from plumbline.report import style
from plumbline.report.timeline import Slot, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT_INCHES = 4.6
_WHISKERS_UP_TO = 40


def draw(timeline: Timeline) -> "Figure":
    """Return the figure: accuracy in percent against time, gaps with their reason where no estimate was made."""
    from matplotlib.figure import Figure

    slots = timeline.slots
    figure = Figure(figsize=(style.WIDTH_INCHES, _HEIGHT_INCHES), layout="constrained")
    axes = figure.subplots()
    estimate, lower, upper = (_percent(slots, name) for name in ("estimate", "lower", "upper"))
    truth = [math.nan if slot.true_accuracy is None else 100 * slot.true_accuracy for slot in slots]
    reference = _latest(_percent(slots, "reference"))
    _set_range(axes, [*lower, *upper, *estimate, *truth, reference])
    positions = range(len(slots))
    axes.fill_between(positions, lower, upper, color=style.BLUE, alpha=0.2, linewidth=0)
    few = len(slots) <= _WHISKERS_UP_TO
    if few:
        axes.vlines(positions, lower, upper, color=style.BLUE, linewidth=1, alpha=0.6)
    axes.plot(positions, estimate, "-o", color=style.BLUE, linewidth=2, markersize=4.5 if few else 1.5)
    axes.plot(positions, truth, "--D", color=style.INK, linewidth=1.4, markersize=4.5 if few else 2)
    if not math.isnan(reference):
        axes.axhline(reference, color=style.MUTED, linewidth=1.1, linestyle=(0, (5, 3)))
    _mark_refusals(axes, slots)
    mark_events(axes, slots)
    _label_lines(axes, [
        (reference, f"reference {reference:.1f} %", style.MUTED),
        (_latest(estimate), f"projected {_latest(estimate):.1f} %\nband: 95 % interval", style.BLUE),
        (_latest(truth), f"true {_latest(truth):.1f} %", style.INK),
    ])  # fmt: skip
    _finish(axes, timeline, "accuracy (%)")
    return figure


def draw_isolation_forest(timeline: Timeline) -> "Figure | None":
    """Return the proxy's own figure in percent, or None when no window has it."""
    from matplotlib.figure import Figure

    values = [
        math.nan if r is None or r.relative_difference_percent is None else r.relative_difference_percent
        for r in (slot.report.isolation_forest_similarity if slot.report else None for slot in timeline.slots)
    ]
    if all(math.isnan(value) for value in values):
        return None
    figure = Figure(figsize=(style.WIDTH_INCHES, 2.7), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=style.MUTED, linewidth=1, linestyle=(0, (5, 3)))
    axes.plot(range(len(values)), values, "-o", color=style.GREEN, linewidth=1.8, markersize=4.5)
    _set_range(axes, [*values, 0.0])
    _label_lines(axes, [(_latest(values), f"similarity\n{_latest(values):+.1f} %", style.GREEN)])
    mark_events(axes, timeline.slots)
    _finish(axes, timeline, "difference of the mean\nscores (%)")
    return figure


def mark_events(axes: "Axes", slots: Sequence[Slot]) -> None:
    """Draw a line for each window with events, and what they are above it, in rows so that they do not collide."""
    marked = [(index, slot) for index, slot in enumerate(slots) if slot.events]
    for row, (index, slot) in enumerate(marked):
        axes.axvline(index, color=style.PURPLE, linewidth=1.1, linestyle=(0, (3, 2)), zorder=1)
        kinds = " + ".join(dict.fromkeys(style.plain(event.kind, 20) for event in slot.events))
        axes.annotate(
            kinds, (index, 1), xycoords=("data", "axes fraction"), xytext=(0, 3 + 11 * (row % 3)),
            textcoords="offset points", ha="center", va="bottom", fontsize=8.5, color=style.PURPLE,
        )  # fmt: skip


def _finish(axes: "Axes", timeline: Timeline, unit: str) -> None:
    axes.grid(axis="y", color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_ylabel(unit, fontsize=9)
    axes.set_xlabel(style.time_axis_title(timeline.slots), fontsize=9)
    style.mark_time_axis(axes, timeline.slots)
    axes.tick_params(length=3)


def _percent(slots: Iterable[Slot], name: str) -> list[float]:
    values = (getattr(slot.report.projected_accuracy, name) if slot.report else None for slot in slots)
    return [math.nan if value is None else 100 * value for value in values]


def _latest(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return known[-1] if known else math.nan


def _set_range(axes: "Axes", values: Iterable[float]) -> None:
    known = [value for value in values if not math.isnan(value)] or [0.0, 100.0]
    margin = max(1.0, 0.12 * (max(known) - min(known)))
    axes.set_ylim(min(known) - margin, max(known) + margin)


def _refusal(slot: Slot) -> str | None:
    if slot.report is None:
        return "no report"
    projected = slot.report.projected_accuracy
    if projected.status is Status.ESTIMATED:
        return None
    return f"not judged: {(projected.reason if slot.judged else slot.report.reason) or 'no reason given'}"


def _mark_refusals(axes: "Axes", slots: Sequence[Slot]) -> None:
    """Hatch each run of windows that have no estimate for one reason, and write the reason into it."""
    for reason, group in groupby(range(len(slots)), key=lambda index: _refusal(slots[index])):
        if reason is None:
            continue
        run = list(group)
        axes.axvspan(run[0] - 0.5, run[-1] + 0.5, facecolor=style.GRID, alpha=0.6, linewidth=0)
        # At the left edge: the true accuracy may be known, and drawn, where the estimate was refused.
        axes.annotate(
            style.plain(reason, 52), (run[0] - 0.5, 0.03), xycoords=axes.get_xaxis_transform(), xytext=(2, 0),
            textcoords="offset points", rotation=90, ha="left", va="bottom", fontsize=8, color=style.MUTED,
        )  # fmt: skip


def _value(label: tuple[float, str, str]) -> float:
    return label[0]


def _label_lines(axes: "Axes", labels: Iterable[tuple[float, str, str]]) -> None:
    """Write each line's name right of the axes at its last value, pushed apart where they would overlap."""
    bottom, top = axes.get_ylim()
    least = 0.055 * (top - bottom)
    lowest_free = -math.inf
    for value, text, colour in sorted((label for label in labels if not math.isnan(label[0])), key=_value):
        lines = 1 + text.count("\n")
        place = max(value, lowest_free + least * lines / 2)
        lowest_free = place + least * lines / 2
        axes.annotate(
            text, (1, place), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points",
            va="center", ha="left", fontsize=9, color=colour, annotation_clip=False,
        )  # fmt: skip
