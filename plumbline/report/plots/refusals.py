"""Windows without a projected accuracy: gaps of the plot, numbered by reason, and the numbers explained."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import Status
from plumbline.report.plots import style
from plumbline.report.timeline import Slot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Kind = ReasonCode | Reason
_MAX_EXPLAINED = 6
_LINE_LENGTH = 140
_LINES_EACH = 2


_NO_REPORT = Reason(ReasonCode.OTHER, "no report")
_NO_REASON = Reason(ReasonCode.OTHER, "no reason given")


def refusal(slot: Slot) -> Reason | None:
    """Return why the window has no projected accuracy; None where it has one."""
    if slot.report is None:
        return _NO_REPORT
    projected = slot.report.projected_accuracy
    if projected.status is Status.ESTIMATED:
        return None
    return projected.reason or slot.report.reason or _NO_REASON


def refusal_key(slots: Sequence[Slot]) -> list[str]:
    """Return the lines that explain the numbers: for each kind of reason how many windows, and the last one's."""
    entries = []
    for kind, number in _numbers(slots).items():
        same = [refusal(slot) for slot in slots if _kind(slot) == kind]
        windows = f"{len(same)} windows, in the last" if len(same) > 1 else "1 window"
        entries.append(style.plain(f"{number}: no estimate in {windows}: {same[-1]}", _LINES_EACH * _LINE_LENGTH))
    if len(entries) > _MAX_EXPLAINED:
        entries[_MAX_EXPLAINED - 1 :] = [f"{_MAX_EXPLAINED} and up: see the table of what was not judged"]
    return [line for entry in entries for line in textwrap.wrap(entry, _LINE_LENGTH, subsequent_indent="     ")]


def mark_refusals(axes: "Axes", slots: Sequence[Slot]) -> None:
    """Shade each run of windows that have no estimate for one kind of reason, and number the run."""
    for number, run in _runs(slots):
        axes.axvspan(run[0] - 0.5, run[-1] + 0.5, facecolor=style.GRID, alpha=0.6, linewidth=0, zorder=0)
        axes.annotate(
            str(number), ((run[0] + run[-1]) / 2, 0), xycoords=axes.get_xaxis_transform(), xytext=(0, 5),
            textcoords="offset points", ha="center", va="bottom", fontsize=9, fontweight="bold", color=style.MUTED,
        )  # fmt: skip


def _runs(slots: Sequence[Slot]) -> Iterator[tuple[int, list[int]]]:
    numbers = _numbers(slots)
    for kind, group in groupby(range(len(slots)), key=lambda index: _kind(slots[index])):
        if kind is not None:
            yield numbers[kind], list(group)


def _numbers(slots: Sequence[Slot]) -> dict[_Kind, int]:
    kinds = dict.fromkeys(kind for kind in map(_kind, slots) if kind is not None)
    return {kind: number for number, kind in enumerate(kinds, 1)}


def _kind(slot: Slot) -> _Kind | None:
    """Return the code of the window's reason: its measurements differ from window to window."""
    reason = refusal(slot)
    if slot.report and slot.report.reason and has_code(reason, ReasonCode.WINDOW_NOT_JUDGED):
        reason = slot.report.reason
    return reason if reason is None or reason.code is ReasonCode.OTHER else reason.code
