"""Projected and realised accuracy, window by window."""

from collections.abc import Iterator

from contract.accuracy import MeasureReport, Shift
from contract.quality import WindowQuality
from contract.records import PROJECTED_ACCURACY_NOTE, ProjectedAccuracy, Status
from plumbline.report.labelled import is_judged, last_quality, realised_accuracy, shows, why_no_labels
from plumbline.report.refusals import refusal
from plumbline.report.tables import VERDICTS, table, text
from plumbline.report.timeline import Slot, Timeline
from plumbline.report.words import brief_moment, interval, percent, points

_HEAD = ["window", "projected", "projection says"]
_LABEL_HEAD = ["realised", "labels say", "rows with a label", "projected for these rows", "missed by", "shift"]


def accuracies(timeline: Timeline) -> str:
    """Return the note on what a projection cannot see, and the table; without columns of labels where none are due."""
    awaited = last_quality(timeline) is not None
    head = [*_HEAD, *(_LABEL_HEAD if awaited else []), "notes"]
    rows = [
        [
            text(brief_moment(slot, timeline)),
            *_projection(slot),
            *(_labels(slot) if awaited else []),
            f'<div class="reason">{"<br>".join(map(text, _notes(slot, awaited=awaited))) or "–"}</div>',
        ]
        for slot in timeline.slots
    ]
    caption = (
        "In brackets: 95 % intervals. Missed by: realised minus projected, for the rows with a label alone."
        if awaited
        else "In brackets: 95 % intervals. Labels are not awaited: there is no realised accuracy."
    )
    numeric = frozenset({7} if awaited else ())
    return f"<p>{text(PROJECTED_ACCURACY_NOTE)}</p>{table(caption, head, rows, numeric=numeric)}"


def with_interval(found: MeasureReport | ProjectedAccuracy | None, value: float | None) -> str:
    """Return a fraction and its interval as HTML, or that it was not judged."""
    if found is None or found.status is not Status.ESTIMATED or value is None:
        return '<span class="unjudged">not judged</span>'
    return f"<strong>{percent(value)}</strong> <small>({interval(found)})</small>"


def _projection(slot: Slot) -> list[str]:
    if slot.report is None:
        return ['<span class="unjudged">no report</span>', "–"]
    projected = slot.report.projected_accuracy
    return [with_interval(projected, projected.estimate), VERDICTS[projected.verdict]]


def _labels(slot: Slot) -> list[str]:
    realised, quality = realised_accuracy(slot), slot.quality
    if quality is None or not quality.n_labelled:
        waiting = "no labels" if quality and quality.is_final else "no labels yet"
        return [f'<span class="unjudged">{waiting}</span>', "–", "–", "–", "–", "–"]
    return [
        with_interval(realised, realised.value if realised else None),
        VERDICTS[quality.verdict],
        f"{percent(quality.labelled_fraction)}<br><small>{quality.n_labelled:,} of {quality.n_rows:,}</small>",
        with_interval(quality.projected, quality.projected.value if quality.projected else None),
        points(quality.projection_error),
        _shift(quality),
    ]


def _shift(quality: WindowQuality) -> str:
    if not is_judged(quality):
        return "–"
    seen = [kind.words for kind in (Shift.LABEL, Shift.CONCEPT) if shows(quality, kind)]
    return f'<span class="drift">{text(" and ".join(seen))}</span>' if seen else "none by labels"


def _notes(slot: Slot, *, awaited: bool) -> Iterator[str]:
    refused = refusal(slot)
    if refused:
        yield f"not projected: {refused}" if slot.report else refused
    if slot.report:
        projected = slot.report.projected_accuracy
        if projected.warning:
            yield f"doubtful: {projected.warning}"
        scenario = projected.label_shift
        if scenario.selected and scenario.estimate is not None:
            yield f"looks like label shift: then the accuracy is {percent(scenario.estimate)} ({interval(scenario)})"
    if awaited:
        yield from _label_notes(slot)


def _label_notes(slot: Slot) -> Iterator[str]:
    quality = slot.quality
    if quality is None or not is_judged(quality):
        yield f"labels: {why_no_labels(slot)}"
        return
    if not quality.is_final:
        yield "more labels may come"
    if quality.selection.features:
        yield f"labels came selectively: {quality.selection.reason}"
