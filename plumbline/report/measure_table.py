"""Figures of merit beside the accuracy: projected, realised, and on the labelled test set."""

from collections.abc import Mapping

from contract.accuracy import Measure, MeasureReport
from contract.records import Status
from plumbline.report.labelled import last_labelled, last_quality
from plumbline.report.tables import table, text
from plumbline.report.timeline import Timeline
from plumbline.report.words import moment

_Found = Mapping[Measure, MeasureReport]
_ABSENT = '<span class="unjudged">not judged</span>'


def other_measures(timeline: Timeline) -> str:
    """Return the table of every measure but the accuracy; empty where none was asked for."""
    when_projected, projected = _projected(timeline)
    when_realised, realised = _realised(timeline)
    names = [one for one in Measure if one is not Measure.ACCURACY and (one in projected or one in realised)]
    if not names:
        return ""
    awaited = last_quality(timeline) is not None
    head = ["measure", "test set", "projected", *(["realised"] if awaited else [])]
    rows = []
    for name in names:
        cells = [text(name.words), _reference(name, projected, realised), _cell(projected.get(name))]
        rows.append(
            [*cells, *([_cell(realised.get(name), "no labels yet" if not realised else "")] if awaited else [])]
        )
    caption = (
        f"Projected: {when_projected}. {f'Realised: {when_realised}. ' if awaited else ''}In brackets: 95 % intervals."
    )
    return table(caption, head, rows, numeric=frozenset())


def _projected(timeline: Timeline) -> tuple[str, _Found]:
    found = [(slot, slot.report.projected_accuracy) for slot in timeline.slots if slot.report]
    estimated = [(slot, one.measures) for slot, one in found if one.status is Status.ESTIMATED and one.measures]
    if not estimated:
        return "in no window", {}
    slot, measures = estimated[-1]
    return f"window of {text(moment(slot, timeline))}", {one.measure: one for one in measures}


def _realised(timeline: Timeline) -> tuple[str, _Found]:
    found = last_labelled(timeline)
    if found is None:
        return "no labels yet", {}
    slot, quality = found
    return f"window of {text(moment(slot, timeline))}", {one.measure: one for one in quality.measures}


def _reference(name: Measure, *found: _Found) -> str:
    values = [one[name].reference for one in found if name in one]
    known = [value for value in values if value is not None]
    return f"{known[0]:.3f}" if known else "–"


def _cell(found: MeasureReport | None, absent: str = "") -> str:
    if found is None or found.status is not Status.ESTIMATED or found.value is None:
        why = absent or (found.reason if found else "")
        return f"{_ABSENT}<br><small>{text(why)}</small>" if why else _ABSENT
    ends = (
        ""
        if found.lower is None or found.upper is None
        else f" <small>({found.lower:.3f} to {found.upper:.3f})</small>"
    )
    return f"<strong>{found.value:.3f}</strong>{ends}"
