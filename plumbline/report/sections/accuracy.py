"""Projected and realised accuracy, window by window, and the other figures of merit."""

from collections.abc import Iterator, Mapping

from plumbline.contract.accuracy import Measure, MeasureReport, Shift
from plumbline.contract.description import (
    is_labelled,
    percent,
    points,
    projection_notes,
    realised_accuracy,
    selection,
    shows,
)
from plumbline.contract.quality import WindowQuality
from plumbline.contract.reasons import UNUSABLE_LABELS, has_code
from plumbline.contract.records import PROJECTED_ACCURACY_NOTE, Status
from plumbline.report.sections.html import VERDICTS, estimate, table, text, with_interval
from plumbline.report.timeline import Slot, Timeline, refusal

_HEAD = ["window", "projected", "verdict"]
_LABEL_HEAD = ["realised", "verdict by labels", "rows with a label", "projected for these rows", "difference", "shift"]


def accuracies(timeline: Timeline) -> str:
    """Return the note on what a projection cannot see, and the table; without columns of labels where none are due."""
    awaited = timeline.last_quality is not None
    head = [*_HEAD, *(_LABEL_HEAD if awaited else []), "notes"]
    rows = [
        [
            text(timeline.brief_moment(slot)),
            *_projection(slot),
            *(_labels(slot) if awaited else []),
            f'<div class="reason">{"<br>".join(map(text, _notes(slot, awaited=awaited))) or "–"}</div>',
        ]
        for slot in timeline.slots
    ]
    caption = (
        "In brackets: 95 % intervals. Difference: realised minus projected, for the rows with a label alone."
        if awaited
        else "In brackets: 95 % intervals. Labels are not awaited: there is no realised accuracy."
    )
    numeric = frozenset({7} if awaited else ())
    return f"<p>{text(_note(timeline))}</p>{table(caption, head, rows, numeric=numeric)}"


def _note(timeline: Timeline) -> str:
    """Return what the last estimate assumes and cannot see."""
    found = (slot.report.projected_accuracy for slot in reversed(timeline.slots) if slot.report is not None)
    return next((one.note for one in found if one.status is Status.ESTIMATED), PROJECTED_ACCURACY_NOTE)


def _projection(slot: Slot) -> list[str]:
    if slot.report is None:
        return ['<span class="unjudged">no report</span>', "–"]
    projected = slot.report.projected_accuracy
    return [with_interval(projected, projected.estimate), VERDICTS[projected.verdict]]


def _labels(slot: Slot) -> list[str]:
    realised, quality = realised_accuracy(slot.quality), slot.quality
    if quality is None or not quality.n_labelled:
        return [f'<span class="unjudged">{_waiting(quality)}</span>', "–", "–", "–", "–", "–"]
    return [
        with_interval(realised, realised.value if realised else None),
        VERDICTS[quality.verdict],
        f"{percent(quality.labelled_fraction)}<br><small>{quality.n_labelled:,} of {quality.n_rows:,}</small>",
        with_interval(quality.projected, quality.projected.value if quality.projected else None),
        points(quality.projection_error),
        _shift(quality),
    ]


def _waiting(quality: WindowQuality | None) -> str:
    """Return what is known of the labels of a window that has none."""
    if quality is not None and has_code(quality.reason, *UNUSABLE_LABELS):
        return "no usable label"
    return "no labels" if quality and quality.is_final else "no labels yet"


def _shift(quality: WindowQuality) -> str:
    if not is_labelled(quality):
        return "–"
    seen = [kind.words for kind in (Shift.LABEL, Shift.CONCEPT) if shows(quality, kind)]
    return f'<span class="drift">{text(" and ".join(seen))}</span>' if seen else "none by labels"


def _notes(slot: Slot, *, awaited: bool) -> Iterator[str]:
    refused = refusal(slot)
    if refused:
        yield f"not projected: {refused}" if slot.report else str(refused)
    if slot.report:
        yield from projection_notes(slot.report.projected_accuracy)
    if awaited:
        yield from _label_notes(slot)


def _label_notes(slot: Slot) -> Iterator[str]:
    quality = slot.quality
    if quality is None or not is_labelled(quality):
        yield f"labels: {_why_no_labels(slot)}"
        return
    if not quality.is_final:
        yield "more labels may come"
    yield from selection(quality)


def _why_no_labels(slot: Slot) -> str:
    """Return why the window has no realised figure; ``no labels yet`` where no other reason is given."""
    if slot.quality is not None:
        return str(slot.quality.reason or "no labels yet")
    if slot.report is None:
        return "no labels yet"
    quality = slot.report.quality
    return "labels are not awaited" if quality.is_switched_off else str(quality.reason or "no labels yet")


_Found = Mapping[Measure, MeasureReport]
_ABSENT = '<span class="unjudged">not judged</span>'


def other_measures(timeline: Timeline) -> str:
    """Return the table of every measure but the accuracy; empty where there is none."""
    when_projected, projected = _newest_projected(timeline)
    when_realised, realised = _newest_realised(timeline)
    names = [one for one in Measure if one is not Measure.ACCURACY and (one in projected or one in realised)]
    if not names:
        return ""
    awaited = timeline.last_quality is not None
    head = ["measure", "test set", "projected", *(["realised"] if awaited else [])]
    rows = []
    for name in names:
        cells = [text(name.words), _measure_reference(name, projected, realised), _measure_cell(projected.get(name))]
        rows.append(
            [*cells, *([_measure_cell(realised.get(name), "no labels yet" if not realised else "")] if awaited else [])]
        )
    caption = (
        f"Projected: {when_projected}. {f'Realised: {when_realised}. ' if awaited else ''}In brackets: 95 % intervals."
    )
    return table(caption, head, rows, numeric=frozenset())


def _newest_projected(timeline: Timeline) -> tuple[str, _Found]:
    found = [(slot, slot.report.projected_accuracy) for slot in timeline.slots if slot.report]
    estimated = [(slot, one.measures) for slot, one in found if one.status is Status.ESTIMATED and one.measures]
    if not estimated:
        return "in no window", {}
    slot, measures = estimated[-1]
    return f"window of {text(timeline.moment(slot))}", {one.measure: one for one in measures}


def _newest_realised(timeline: Timeline) -> tuple[str, _Found]:
    found = timeline.last_labelled
    if found is None:
        return "no labels yet", {}
    slot, quality = found
    return f"window of {text(timeline.moment(slot))}", {one.measure: one for one in quality.measures}


def _measure_reference(name: Measure, *found: _Found) -> str:
    values = [one[name].reference for one in found if name in one]
    known = [value for value in values if value is not None]
    return f"{known[0]:.3f}" if known else "–"


def _measure_cell(found: MeasureReport | None, absent: str = "") -> str:
    if found is None or found.status is not Status.ESTIMATED or found.value is None:
        why = absent or (found.reason if found else None)
        return f"{_ABSENT}<br><small>{text(why)}</small>" if why else _ABSENT
    return estimate(found.value, found.lower, found.upper)
