"""What the numbers say, in sentences: headline, summary and the titles of the plots. Plain text, not HTML."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from contract.records import ProjectedAccuracy, Status, Verdict
from plumbline.report.plot_scores import PREDICTION, ranked_rows
from plumbline.report.timeline import Slot, Timeline

CANNOT_SEE = (
    "Without labels: a change in what the label is, given the inputs (concept shift). The inputs look as before.",
    "Without labels: a change in how common the label is, as such (label shift), for certain. The projected accuracy "
    "misreads it by several points; the report says when a window looks like it, and what the accuracy would then be.",
    "Values that swap their meaning without changing how often they occur, such as two codes exchanged for each other.",
    "Columns that drift together but not alone, unless whole rows are compared too, which is off at first.",
    "Requests that were not captured, and records that were rejected: they are counted, not analysed.",
)
"""Limits of every method used here, whatever the data."""


class _Interval(Protocol):
    """Anything with an interval."""

    @property
    def lower(self) -> float | None: ...

    @property
    def upper(self) -> float | None: ...


P_VALUES_TITLE = "How surely each feature differs from the reference: −log10 of the adjusted p-value"
ISOLATION_FOREST_TITLE = "Isolation Forest similarity: not an accuracy"


def count(number: int, noun: str) -> str:
    """Return ``1 window`` or ``3 windows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 15) -> str:
    """Return names joined as in a sentence, the rest as a number."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def moment(slot: Slot, timeline: Timeline) -> str:
    """Return the window's start as people write it, or its place."""
    if slot.start is None:
        return f"window {timeline.slots.index(slot) + 1}"
    return f"{slot.start:%H:%M} on {slot.start.day} {slot.start:%B %Y}"


def brief_moment(slot: Slot, timeline: Timeline) -> str:
    """Return the window's start for a table, or its place."""
    return f"{slot.start.day} {slot.start:%b %Y %H:%M}" if slot.start else moment(slot, timeline)


def drifted_slots(timeline: Timeline) -> list[Slot]:
    """Return the windows whose verdict is drift."""
    return [slot for slot in timeline.slots if slot.report is not None and slot.report.verdict is Verdict.DRIFT]


def headline(timeline: Timeline) -> str:
    """Return what happened in one line."""
    drifted = drifted_slots(timeline)
    n_judged = sum(1 for slot in timeline.slots if slot.judged)
    if drifted:
        return f"Drift in {len(drifted)} of {count(n_judged, 'judged window')}, first at {moment(drifted[0], timeline)}"
    if n_judged:
        return f"No drift in {count(n_judged, 'judged window')}"
    return f"None of {count(len(timeline.reports), 'window')} could be judged"


def summary(timeline: Timeline) -> list[str]:
    """Return the paragraphs below the headline: which features, how much accuracy, what was not judged."""
    paragraphs = (_who_drifted(timeline), _accuracy(timeline), _unjudged(timeline))
    return [text for text in (" ".join(sentences) for sentences in paragraphs) if text]


def _who_drifted(timeline: Timeline) -> Iterable[str]:
    rows = ranked_rows(timeline)
    moved = [row for row in rows if row.drifted]
    if not moved:
        return
    first = min(row.drifted[0] for row in moved)
    leaders = [row.name for row in moved if row.drifted[0] == first]
    followers = [row.name for row in moved if row.drifted[0] > first]
    yield f"{listed(leaders)} drifted first, at {moment(timeline.slots[first], timeline)}."
    if followers:
        yield f"Later: {listed(followers)}."
    still = [row for row in rows if not row.drifted and row.name != PREDICTION]
    for text, judged in (("Never drifted", True), ("Never judged", False)):
        names = [row.name for row in still if row.judged is judged]
        if names:
            yield f"{text}: {listed(names)}."


def _accuracy(timeline: Timeline) -> Iterable[str]:
    estimated = _estimated(timeline)
    if not estimated:
        yield "The accuracy could not be projected in any window."
        return
    slot, last = estimated[-1]
    yield (
        f"Projected accuracy: {percent(last.estimate)} in the window of {moment(slot, timeline)} "
        f"(95 % interval {interval(last)}), against {percent(last.reference)} on the labelled test set{_drop(last)}."
    )
    inside = [
        projected.lower <= slot.true_accuracy <= projected.upper
        for slot, projected in estimated
        if slot.true_accuracy is not None and projected.lower is not None and projected.upper is not None
    ]
    if inside:
        yield f"The true accuracy lies inside the interval in {sum(inside)} of {count(len(inside), 'window')}."


def _estimated(timeline: Timeline) -> list[tuple[Slot, ProjectedAccuracy]]:
    pairs = [(slot, slot.report.projected_accuracy) for slot in timeline.slots if slot.report]
    return [(slot, projected) for slot, projected in pairs if projected.status is Status.ESTIMATED]


def _drop(projected: ProjectedAccuracy) -> str:
    if projected.drop is None:
        return ""
    return f": {abs(100 * projected.drop):.1f} points {'lower' if projected.drop >= 0 else 'higher'}"


def _unjudged(timeline: Timeline) -> Iterable[str]:
    without = sum(1 for slot in timeline.slots if slot.report is None)
    refused = sum(1 for report in timeline.reports if report.verdict is Verdict.NOT_JUDGED)
    if refused:
        yield f"{count(refused, 'window')} could not be judged; the reasons are below."
    if without:
        yield f"{count(without, 'window')} between the first and the last {_have(without)} no report at all."


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def percent(fraction: float | None) -> str:
    """Return a fraction as ``86.7 %``, or a dash."""
    return "–" if fraction is None else f"{100 * fraction:.1f} %"


def interval(found: _Interval) -> str:
    """Return ``84.6 to 86.9 %``, or a dash."""
    if found.lower is None or found.upper is None:
        return "–"
    return f"{100 * found.lower:.1f} to {100 * found.upper:.1f} %"


def points(difference: float | None) -> str:
    """Return a difference of fractions as ``-4.2 points``, or a dash."""
    return "–" if difference is None else f"{100 * difference:+.1f} points"


def scores_title(timeline: Timeline) -> str:
    """Return what the drift scores show."""
    moved = [row.name for row in ranked_rows(timeline) if row.drifted]
    return f"Drift score: {listed(moved, 4)} moved away from the reference" if moved else "Drift score: nothing drifted"


def accuracy_title(timeline: Timeline) -> str:
    """Return what the projected accuracy shows."""
    estimated = _estimated(timeline)
    if not estimated:
        return "Projected accuracy: no window could be estimated"
    _, last = estimated[-1]
    return f"Projected accuracy: {percent(last.estimate)} at the end, {percent(last.reference)} on the test set"
