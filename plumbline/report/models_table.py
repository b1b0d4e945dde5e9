"""The models that served, each with what was found of its windows: in a table, and in sentences."""

from collections.abc import Iterator, Sequence

from plumbline.report.models import Stay, stays
from plumbline.report.tables import table, text
from plumbline.report.timeline import Timeline, moment_of
from plumbline.report.words import brief_moment, count, moment, percent

_HEAD = ["model", "windows", "drift", "realised accuracy", "true accuracy", "judged against", "artifact"]


def models(timeline: Timeline) -> str:
    """Return the table; empty where no report names a model."""
    rows = [_row(stay, timeline) for stay in stays(timeline)]
    caption = (
        "Windows that one model alone answered; those in which it changed belong to none. Accuracies: of the first "
        "window where it is known, and of the last."
    )
    return table(caption, _HEAD, rows, numeric=frozenset()) if rows else ""


def _row(stay: Stay, timeline: Timeline) -> list[str]:
    first, last = (text(brief_moment(slot, timeline)) for slot in (stay.slots[0], stay.slots[-1]))
    return [
        text(stay.name),
        first if len(stay.slots) == 1 else f"{first} to {last}",
        f"{stay.n_drifted} of {stay.n_judged} judged",
        _from_to(stay.realised),
        _from_to(stay.true),
        f'<small class="uri">{text(stay.model.baseline)}</small>',
        f'<small class="uri">{text(stay.model.artifact)}</small>',
    ]


def _from_to(accuracies: Sequence[float]) -> str:
    if not accuracies:
        return "–"
    return percent(accuracies[0]) if len(accuracies) == 1 else f"{percent(accuracies[0])} → {percent(accuracies[-1])}"


def sentences(timeline: Timeline) -> Iterator[str]:
    """Yield for each change of the model what was before and after it."""
    served = stays(timeline)
    for before, after in zip(served, served[1:], strict=False):
        told = (
            f"{after.name} took over from {before.name}{_since(after, timeline)}: {_accuracies(before, after)}"
            f"drift in {before.n_drifted} of {count(before.n_judged, 'judged window')} before, in {after.n_drifted} of "
            f"{after.n_judged} after."
        )
        yield told[0].upper() + told[1:]


def _since(stay: Stay, timeline: Timeline) -> str:
    at = moment_of(stay.model.live_from)
    return f" at {at:%H:%M} on {at.day} {at:%B %Y}" if at else f" before {moment(stay.slots[0], timeline)}"


def _accuracies(before: Stay, after: Stay) -> str:
    for word, old, new in (("true", before.true, after.true), ("realised", before.realised, after.realised)):
        if old and new:
            return (
                f"{word} accuracy was {percent(old[-1])} in its last window and is {percent(new[-1])} in the newest; "
            )
    return ""
