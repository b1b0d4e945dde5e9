"""Which models served the windows: one stay after the other, and where on the time axis they changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.reasons import ReasonCode, has_code
from contract.records import ModelReport, Verdict
from plumbline.report.labelled import realised_accuracy
from plumbline.report.timeline import Slot, Timeline


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
        return "first model" if self.model.live_from is None else "deployed model"

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
        found = (realised_accuracy(slot) for slot in self.slots)
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
