"""Which labels came, whether they can be trusted, and which shift they show."""

from collections.abc import Iterable, Iterator

from plumbline.contract.accuracy import Shift
from plumbline.contract.description import count, percent
from plumbline.contract.quality import QualityReport, ShiftReport, WindowQuality
from plumbline.contract.records import Verdict
from plumbline.report.sections.html import VERDICTS, p_value, table, text
from plumbline.report.timeline import Slot, Timeline


def ground_truth(timeline: Timeline) -> str:
    """Return the account of the labels; empty where none are awaited."""
    quality = timeline.last_quality
    if quality is None:
        return ""
    return "\n".join((f"<p>{text(_terms(quality))}</p>", _records(quality), *_selections(timeline)))


def _terms(quality: QualityReport) -> str:
    coverage = f" A window is judged from a label coverage of {percent(quality.minimum_labelled_fraction)} on."
    trouble = f" {quality.reason}." if quality.reason else ""
    waited = f"Labels are awaited for {count(quality.lag_hours, 'hour')} after a window."
    return f"{waited}{coverage if quality.minimum_labelled_fraction is not None else ''}{trouble}"


def _records(quality: QualityReport) -> str:
    labels = quality.labels
    if not labels.read:
        return "<p>No labels yet: no label record was found for the windows that are waited for.</p>"
    rows = [["used", f"{labels.used:,}", "–"]]
    for reason, number in sorted(labels.rejected.items()):
        places = ", ".join(text(place) for place in labels.examples.get(reason, ()))
        rows.append([f"rejected: {text(reason.replace('_', ' '))}", f"{number:,}", places or "–"])
    caption = f"{count(labels.read, 'label record')} read by the last run, for all windows that it waited for."
    return table(caption, ["label records", "number", "for example"], rows, numeric=frozenset({1}))


def _selections(timeline: Timeline) -> Iterator[str]:
    """Yield a table of the windows whose labelled rows differ from the others."""
    rows = [
        [
            text(timeline.brief_moment(slot)),
            VERDICTS[Verdict.DRIFT],
            ", ".join(text(name) for name in slot.quality.selection.features) or "–",
            text(slot.quality.selection.reason) or "–",
        ]
        for slot in timeline.slots
        if slot.quality is not None and slot.quality.selection.verdict is Verdict.DRIFT
    ]
    if rows:
        caption = "Labels came selectively: the labelled rows differ from the others, so realised figures mislead."
        yield table(caption, ["window", "labelled against others", "features", "why"], rows, numeric=frozenset())


_SHIFT_HEAD = ["shift", "verdict", "p", "size", "evidence"]
_MEANINGS = {
    Shift.COVARIATE: "the mix of rows moved",
    Shift.LABEL: "the mix of labels moved",
    Shift.CONCEPT: "the labels of given rows moved",
}


def shifts(timeline: Timeline) -> str:
    """Return a table for the last window and one for the last window that labels judge, where that is another."""
    parts = [*_last_window(timeline), *_last_labelled(timeline)]
    return "\n".join(parts) or "<p>No window was tested for shifts.</p>"


def _last_window(timeline: Timeline) -> Iterator[str]:
    found = [(slot, slot.report.shifts) for slot in timeline.slots if slot.report and slot.report.shifts]
    if found:
        slot, reports = found[-1]
        yield _shift_table(f"The last window, of {text(timeline.moment(slot))}.", reports)


def _last_labelled(timeline: Timeline) -> Iterator[str]:
    found = timeline.last_labelled
    if found is None:
        yield "<p>No window was judged by its labels: concept shift cannot be seen without them.</p>"
        return
    slot, quality = found
    yield _shift_table(
        f"The last window that labels judge, of {text(timeline.moment(slot))}.", list(_with_labels(slot, quality))
    )


def _with_labels(slot: Slot, quality: WindowQuality) -> Iterator[ShiftReport]:
    """Yield covariate shift by the window's own report, and the others by labels."""
    for one in slot.report.shifts if slot.report else ():
        if one.shift is Shift.COVARIATE:
            yield one
    yield from (quality.shift(kind) for kind in (Shift.LABEL, Shift.CONCEPT))


def _shift_table(caption: str, found: Iterable[ShiftReport]) -> str:
    rows = [
        [
            f"{one.shift.words}<br><small>{_MEANINGS[one.shift]}</small>",
            VERDICTS[one.verdict],
            p_value(one.p_value),
            percent(one.effect),
            f'<div class="reason">{text(one.reason) or "–"}</div>',
        ]
        for one in found
    ]
    return table(caption, _SHIFT_HEAD, rows, numeric=frozenset({2, 3}))
