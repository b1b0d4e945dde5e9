"""Which of the three shifts is seen, and by what evidence."""

from collections.abc import Iterable, Iterator

from contract.accuracy import Shift
from contract.quality import ShiftReport, WindowQuality
from plumbline.report.labelled import last_labelled
from plumbline.report.tables import VERDICTS, p_value, table, text
from plumbline.report.timeline import Slot, Timeline
from plumbline.report.words import moment, percent

_HEAD = ["shift", "verdict", "p", "size", "evidence"]
_WHAT = {
    Shift.COVARIATE: "the mix of rows moved",
    Shift.LABEL: "the mix of labels moved",
    Shift.CONCEPT: "rows deserve other labels",
}


def shifts(timeline: Timeline) -> str:
    """Return a table for the last window and one for the last window that labels judge, where that is another."""
    parts = [*_last_window(timeline), *_last_labelled(timeline)]
    return "\n".join(parts) or "<p>No window was asked which shift it shows.</p>"


def _last_window(timeline: Timeline) -> Iterator[str]:
    found = [(slot, slot.report.shifts) for slot in timeline.slots if slot.report and slot.report.shifts]
    if found:
        slot, reports = found[-1]
        yield _table(f"The last window, of {text(moment(slot, timeline))}.", reports)


def _last_labelled(timeline: Timeline) -> Iterator[str]:
    found = last_labelled(timeline)
    if found is None:
        yield "<p>No window was judged by its labels: concept shift cannot be seen without them.</p>"
        return
    slot, quality = found
    yield _table(
        f"The last window that labels judge, of {text(moment(slot, timeline))}.", list(_with_labels(slot, quality))
    )


def _with_labels(slot: Slot, quality: WindowQuality) -> Iterator[ShiftReport]:
    """Yield what the window's own report says of covariate shift, and what labels say of the others."""
    for one in slot.report.shifts if slot.report else ():
        if one.shift is Shift.COVARIATE:
            yield one
    yield from (quality.shift(kind) for kind in (Shift.LABEL, Shift.CONCEPT))


def _table(caption: str, found: Iterable[ShiftReport]) -> str:
    rows = [
        [
            f"{one.shift.words}<br><small>{_WHAT[one.shift]}</small>",
            VERDICTS[one.verdict],
            p_value(one.p_value),
            percent(one.effect),
            f'<div class="reason">{text(one.reason) or "–"}</div>',
        ]
        for one in found
    ]
    return table(caption, _HEAD, rows, numeric=frozenset({2, 3}))
