"""Plots of the projected, realised and true accuracy, and of the Isolation Forest similarity."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from plumbline.contract.accuracy import Shift
from plumbline.contract.description import realised_accuracy, shows
from plumbline.contract.records import Status, Verdict
from plumbline.report.models import changes
from plumbline.report.plots import style
from plumbline.report.plots.refusals import mark_refusals, refusal_key
from plumbline.report.timeline import Slot, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT_INCHES = 4.6
_KEY_LINE_INCHES = 0.17
_WHISKERS_UP_TO = 40
_MAX_NAMED = 12
"""Windows up to which one alone has room for a whole name."""
_ASIDE_OF_FIGURE, _FARTHEST_ASIDE = 0.007, 0.14
"""Realised figures and scenarios are drawn this fraction of the width from the window's middle, so that no interval
hides another, but no more windows than this."""


def draw(timeline: Timeline) -> "Figure":
    """Return the figure: accuracy in percent against time, gaps with their reason where no estimate was made."""
    from matplotlib.figure import Figure

    slots = timeline.slots
    key = refusal_key(slots)
    size = (style.WIDTH_INCHES, _HEIGHT_INCHES + _KEY_LINE_INCHES * len(key))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    reference, tolerance = (_latest(_projected(slots, name)) for name in ("reference", "drop_threshold"))
    least = reference - tolerance
    series = [_projected(slots, "estimate"), _realised(slots, "value"), _truth(slots), _scenario(slots, "estimate")]
    ends = [*_projected(slots, "lower"), *_projected(slots, "upper")]
    ends += [*_realised(slots, "lower"), *_realised(slots, "upper")]
    _set_range(axes, [*(value for one in series for value in one), *ends, reference, least])
    few = len(slots) <= _WHISKERS_UP_TO
    mark_refusals(axes, slots)
    _mark_concept_shift(axes, slots)
    mark_events(axes, slots)
    style.mark_changes(axes, changes(timeline), named=True)
    _draw_levels(axes, _projected(slots, "reference"), _projected(slots, "drop_threshold"))
    _draw_projected(axes, slots, few=few)
    _draw_realised(axes, slots, few=few)
    _draw_scenario(axes, slots)
    axes.plot(range(len(slots)), _truth(slots), "--D", color=style.INK, linewidth=1.2, markersize=4.5 if few else 2)
    _label_lines(axes, _line_names(series, reference, least))
    _finish(axes, timeline, "accuracy (%)")
    if key:
        axes.set_xlabel("\n".join((style.time_axis_title(slots), *key)), fontsize=9, loc="left")
    return figure


def _line_names(series: Sequence[Sequence[float]], reference: float, least: float) -> Iterable[tuple[float, str, str]]:
    estimate, realised, truth, scenario = (_latest(values) for values in series)
    return [
        (reference, f"reference {reference:.1f} %", style.MUTED),
        (least, f"tolerance {least:.1f} %", style.VERMILION),
        (estimate, f"projected {estimate:.1f} %\nband: 95 % interval", style.BLUE),
        (realised, f"realised {realised:.1f} %", style.GREEN),
        (truth, f"true {truth:.1f} %", style.INK),
        (scenario, f"if label shift {scenario:.1f} %", style.PURPLE),
    ]


def _draw_levels(axes: "Axes", reference: Sequence[float], tolerance: Sequence[float]) -> None:
    """Draw the accuracy on the test set and the tolerance below it; each model has its own."""
    least = [level - allowed for level, allowed in zip(reference, tolerance, strict=True)]
    for levels, colour, dashes in ((reference, style.MUTED, (5, 3)), (least, style.VERMILION, (1, 2))):
        line: dict[str, Any] = {"color": colour, "linewidth": 1.1, "linestyle": (0, dashes), "zorder": 1}
        known = {round(level, 9) for level in levels if not math.isnan(level)}
        if len(known) == 1:
            axes.axhline(known.pop(), **line)
        elif known:
            axes.step(range(len(levels)), levels, where="mid", **line)


def _mark_concept_shift(axes: "Axes", slots: Sequence[Slot]) -> None:
    """Shade the windows whose labels show that the concept changed: there no interval can be relied upon."""
    for moved, run in groupby(range(len(slots)), key=lambda index: shows(slots[index].quality, Shift.CONCEPT)):
        if not moved:
            continue
        places = list(run)
        axes.axvspan(
            places[0] - 0.5, places[-1] + 0.5, facecolor=style.VERMILION, alpha=0.1, linewidth=0, zorder=0,
        )  # fmt: skip
        text = "labels: concept changed" if len(places) > 1 or len(slots) <= _MAX_NAMED else "concept"
        axes.annotate(
            text, ((places[0] + places[-1]) / 2, 0), xycoords=axes.get_xaxis_transform(), xytext=(0, 18),
            textcoords="offset points", ha="center", va="bottom", fontsize=8.5, color=style.VERMILION,
        )  # fmt: skip


def _draw_projected(axes: "Axes", slots: Sequence[Slot], *, few: bool) -> None:
    positions = range(len(slots))
    estimate, lower, upper = (_projected(slots, name) for name in ("estimate", "lower", "upper"))
    axes.fill_between(positions, lower, upper, color=style.BLUE, alpha=0.2, linewidth=0)
    if few:
        axes.vlines(positions, lower, upper, color=style.BLUE, linewidth=1, alpha=0.6)
    axes.plot(positions, estimate, "-o", color=style.BLUE, linewidth=2, markersize=4.5 if few else 1.5)
    dropped = [i for i, s in enumerate(slots) if s.report and s.report.projected_accuracy.verdict is Verdict.DRIFT]
    _mark_drift(axes, "o", dropped, [estimate[index] for index in dropped], few=few)


def _draw_realised(axes: "Axes", slots: Sequence[Slot], *, few: bool) -> None:
    """Draw the realised accuracy: filled squares, hollow while more labels may come."""
    known = [index for index, slot in enumerate(slots) if realised_accuracy(slot.quality)]
    aside = _aside(slots)
    places = [index + aside for index in known]
    value, lower, upper = (_realised(slots, name) for name in ("value", "lower", "upper"))
    if few:
        axes.vlines(
            places, [lower[i] for i in known], [upper[i] for i in known], color=style.GREEN, linewidth=1.4, zorder=2.6
        )
    else:
        shifted = [index + aside for index in range(len(slots))]
        axes.fill_between(shifted, lower, upper, color=style.GREEN, alpha=0.15, linewidth=0)
    size = 5.5 if few else 2.5
    axes.plot(
        [index + aside for index in range(len(slots))], value, "-s", color=style.GREEN, linewidth=1.6, markersize=size
    )
    qualities = {index: quality for index in known if (quality := slots[index].quality)}
    dropped = [index for index, quality in qualities.items() if quality.verdict is Verdict.DRIFT]
    _mark_drift(axes, "s", [index + aside for index in dropped], [value[index] for index in dropped], few=few)
    waiting = [index for index, quality in qualities.items() if not quality.is_final]
    places = [index + aside for index in waiting]
    axes.plot(places, [value[index] for index in waiting], "s", color=style.PAPER, markersize=size / 2, zorder=3.1)


def _aside(slots: Sequence[Slot]) -> float:
    return min(_FARTHEST_ASIDE, _ASIDE_OF_FIGURE * len(slots))


def _mark_drift(axes: "Axes", marker: str, places: Sequence[float], values: Sequence[float], *, few: bool) -> None:
    axes.plot(places, values, marker, color=style.VERMILION, markersize=6 if few else 3, zorder=3)


def _draw_scenario(axes: "Axes", slots: Sequence[Slot]) -> None:
    """Draw the accuracy under a shift of labels alone, where it explains the window."""
    value, lower, upper = (_scenario(slots, name) for name in ("estimate", "lower", "upper"))
    known = [index for index, one in enumerate(value) if not math.isnan(one)]
    places = [index - _aside(slots) for index in known]
    axes.vlines(places, [lower[i] for i in known], [upper[i] for i in known], color=style.PURPLE, linewidth=1.2)
    axes.plot(places, [value[i] for i in known], "v", color=style.PAPER, markeredgecolor=style.PURPLE, markersize=6)


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


def _projected(slots: Iterable[Slot], name: str) -> list[float]:
    return [_percent(getattr(slot.report.projected_accuracy, name) if slot.report else None) for slot in slots]


def _realised(slots: Iterable[Slot], name: str) -> list[float]:
    return [_percent(getattr(realised_accuracy(slot.quality), name, None)) for slot in slots]


def _truth(slots: Iterable[Slot]) -> list[float]:
    return [_percent(slot.true_accuracy) for slot in slots]


def _scenario(slots: Iterable[Slot], name: str) -> list[float]:
    found = (slot.report.projected_accuracy.label_shift if slot.report else None for slot in slots)
    return [
        _percent(getattr(one, name) if one and one.selected and one.status is Status.ESTIMATED else None)
        for one in found
    ]


def _percent(fraction: float | None) -> float:
    return math.nan if fraction is None else 100 * fraction


def _latest(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return known[-1] if known else math.nan


def _set_range(axes: "Axes", values: Iterable[float]) -> None:
    known = [value for value in values if not math.isnan(value)] or [0.0, 100.0]
    margin = max(1.0, 0.12 * (max(known) - min(known)))
    axes.set_ylim(min(known) - margin, max(known) + margin)


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
