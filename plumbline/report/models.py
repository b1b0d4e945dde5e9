"""Which models served the windows, and where on the time axis they changed: as data, as a table, in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plumbline.contract.description import count, percent, realised_accuracy
from plumbline.contract.reasons import ReasonCode, has_code
from plumbline.contract.records import ModelReport, Verdict
from plumbline.report.sections.html import table, text
from plumbline.report.timeline import Slot, Timeline, moment_of


@dataclass(frozen=True)
class Stay:
    """A model and the windows, one after the other, that it alone answered."""

    model: ModelReport
    slots: tuple[Slot, ...]

    @property
    def name(self) -> str:
        """The model as people call it: by its version in the registry, where it has one."""
        if self.model.model_package:
            return f"version {self.model.model_package.rpartition('/')[2]}"
        return "first model" if self.model.serving_since is None else "deployed model"

    @property
    def n_judged(self) -> int:
        """Windows with a verdict."""
        return sum(slot.judged for slot in self.slots)

    @property
    def n_drifted(self) -> int:
        """Windows whose verdict is drift."""
        return sum(slot.report is not None and slot.report.verdict is Verdict.DRIFT for slot in self.slots)

    @property
    def realised(self) -> tuple[float, ...]:
        """Accuracies by labels, of the windows that have one, in order."""
        found = (realised_accuracy(slot.quality) for slot in self.slots)
        return tuple(one.value for one in found if one is not None and one.value is not None)

    @property
    def true(self) -> tuple[float, ...]:
        """True accuracies, of the windows where they are known, in order."""
        return tuple(slot.true_accuracy for slot in self.slots if slot.true_accuracy is not None)


@dataclass(frozen=True)
class Change:
    """A place on the time axis, in windows from 0, where another model took over; `text` names it."""

    place: float
    text: str


def stays(timeline: Timeline) -> tuple[Stay, ...]:
    """Return the models in the order in which they served; one that came back has two stays."""
    found: list[tuple[ModelReport, list[Slot]]] = []
    for slot in timeline.slots:
        model = slot.report.model if slot.report else None
        if model is None:
            continue
        if not found or found[-1][0] != model:
            found.append((model, []))
        found[-1][1].append(slot)
    return tuple(Stay(model, tuple(slots)) for model, slots in found)


def changes(timeline: Timeline) -> tuple[Change, ...]:
    """Return where the model changed: in the middle of the windows that were not judged for it, or between two."""
    slots = timeline.slots
    served = stays(timeline)
    found = [_between(slots, before, after) for before, after in zip(served, served[1:], strict=False)]
    last = slots.index(served[-1].slots[-1]) if served else -1
    open_ended = [index for index in range(last + 1, len(slots)) if _is_changed(slots[index])]
    return (*found, *([Change(_middle(open_ended), "model changing")] if open_ended else []))


def _between(slots: Sequence[Slot], before: Stay, after: Stay) -> Change:
    first, last = slots.index(after.slots[0]), slots.index(before.slots[-1])
    within = [index for index in range(last + 1, first) if _is_changed(slots[index])]
    return Change(_middle(within) if within else first - 0.5, f"{after.name} serves")


def _middle(indices: Sequence[int]) -> float:
    return (indices[0] + indices[-1]) / 2


def _is_changed(slot: Slot) -> bool:
    return slot.report is not None and has_code(slot.report.reason, ReasonCode.MODEL_CHANGED)


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
    first, last = (text(timeline.brief_moment(slot)) for slot in (stay.slots[0], stay.slots[-1]))
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
        sentence = (
            f"{after.name} took over from {before.name}{_since(after, timeline)}: {_accuracies(before, after)}"
            f"drift in {before.n_drifted} of {count(before.n_judged, 'judged window')} before, in {after.n_drifted} of "
            f"{after.n_judged} after."
        )
        yield sentence[0].upper() + sentence[1:]


def _since(stay: Stay, timeline: Timeline) -> str:
    at = moment_of(stay.model.serving_since)
    return f" at {at:%H:%M} on {at.day} {at:%B %Y}" if at else f" before {timeline.moment(stay.slots[0])}"


def _accuracies(before: Stay, after: Stay) -> str:
    for word, old, new in (("true", before.true, after.true), ("realised", before.realised, after.realised)):
        if old and new:
            return (
                f"{word} accuracy was {percent(old[-1])} in its last window and is {percent(new[-1])} in the newest; "
            )
    return ""
