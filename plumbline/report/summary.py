"""The page's sentences on a series of windows: headline, summary and the titles of the plots. Plain text, not HTML.

Sentences on one window are those of `plumbline.contract.description`.
"""

from collections.abc import Callable, Iterator, Sequence

from plumbline.contract.accuracy import Shift
from plumbline.contract.description import (
    PREDICTION,
    contains,
    count,
    inside_intervals,
    is_foreseen,
    is_labelled,
    listed,
    percent,
    projection,
    realised,
    realised_accuracy,
    shows,
)
from plumbline.contract.quality import WindowQuality
from plumbline.contract.records import DriftReport, ProjectedAccuracy, Status, Verdict
from plumbline.report.timeline import Slot, Timeline

CANNOT_SEE = (
    "Without labels: a change in what the label is, given the inputs (concept shift). The inputs look as before.",
    "Without labels: a change in how common the label is, as such (label shift), for certain. The projected accuracy "
    "misreads it by several points; the report shows when it explains a window, and what the accuracy would then be.",
    "Values that swap their meaning without changing how often they occur, such as two codes exchanged for each other.",
    "Columns that drift together but not alone, unless whole rows are compared too, which is off at first.",
    "Requests that were not captured, and records that were rejected: they are counted, not analysed.",
)
"""Limits of every method used here, whatever the data."""

P_VALUES_TITLE = "How surely each feature differs from the reference: −log10 of the adjusted p-value"
ISOLATION_FOREST_TITLE = "Isolation Forest similarity: not an accuracy"


def drifted_slots(timeline: Timeline) -> list[Slot]:
    """Return the windows whose verdict is drift."""
    return [slot for slot in timeline.slots if slot.report is not None and slot.report.verdict is Verdict.DRIFT]


def headline(timeline: Timeline) -> str:
    """Return what happened in one line: drift, and what else is an alarm."""
    drifted, others = drifted_slots(timeline), concerns(timeline)
    found = _drift_headline(timeline, drifted)
    return f"{found}, {'and' if drifted else 'but'} {listed(others)}" if others else found


def _drift_headline(timeline: Timeline, drifted: list[Slot]) -> str:
    n_judged = sum(1 for slot in timeline.slots if slot.judged)
    if drifted:
        judged = count(n_judged, "judged window")
        return f"Drift in {len(drifted)} of {judged}, first at {timeline.moment(drifted[0])}"
    if n_judged:
        return f"No drift in {count(n_judged, 'judged window')}"
    return f"None of {count(len(timeline.reports), 'window')} could be judged"


def concerns(timeline: Timeline) -> list[str]:
    """Return what besides drift calls for people, in a few words each."""
    tests = (
        ("there were internal faults", _has_faults),
        ("the projected accuracy dropped", _projection_dropped),
        ("the realised accuracy dropped", _realised_dropped),
        ("labels show concept shift", _is_concept),
        ("bias drifted", _bias_drifted),
        ("the attributions drifted", _attribution_drifted),
    )
    return [name for name, test in tests if any(test(slot) for slot in timeline.slots)]


def summary(timeline: Timeline) -> list[str]:
    """Return the paragraphs below the headline."""
    paragraphs = (_features, _accepted, _accuracy, _unjudged, _drops, _labels, _treatment)
    return [text for text in (" ".join(sentences(timeline)) for sentences in paragraphs) if text]


def _features(timeline: Timeline) -> Iterator[str]:
    rows = timeline.ranked_rows()
    moved = [row for row in rows if row.drifted]
    if not moved:
        return
    first = min(row.drifted[0] for row in moved)
    leaders = [row.name for row in moved if row.drifted[0] == first]
    followers = [row.name for row in moved if row.drifted[0] > first]
    yield f"{listed(leaders)} drifted first, at {timeline.moment(timeline.slots[first])}."
    if followers:
        yield f"Later: {listed(followers)}."
    still = [row for row in rows if not row.drifted and row.name != PREDICTION]
    for text, judged in (("Never drifted", True), ("Never judged", False)):
        names = [row.name for row in still if row.judged is judged]
        if names:
            yield f"{text}: {listed(names)}."


def _accepted(timeline: Timeline) -> Iterator[str]:
    """Yield who made windows the reference, and what it keeps quiet."""
    used = [slot for slot in timeline.slots if slot.report and slot.report.accepted.is_used]
    if not used or used[-1].report is None:
        return
    found = used[-1].report.accepted
    who, why = f"{found.accepted_by} accepted on {found.accepted_at}", found.stated_reason
    yield f"{count(len(used), 'window')} judged against those that {who}: {why}."
    names = [feature.name for feature in found.features]
    if names:
        verb = "differs" if len(names) == 1 else "differ"
        yield f"In the last of them {listed(names)} still {verb} from the training data."


def _accuracy(timeline: Timeline) -> Iterator[str]:
    estimated = _estimated(timeline)
    if not estimated:
        yield "The accuracy could not be projected in any window."
        return
    slot, last = estimated[-1]
    drop = ""
    if last.drop is not None:
        drop = f": {abs(100 * last.drop):.1f} points {'lower' if last.drop >= 0 else 'higher'}"
    yield f"Projected accuracy in the window of {timeline.moment(slot)}: {projection(last)}{drop}."
    answers = [(contains(found, slot.true_accuracy), slot.quality) for slot, found in estimated]
    yield from _contained("the true accuracy", answers)


def _contained(name: str, answers: Sequence[tuple[bool | None, WindowQuality | None]]) -> Iterator[str]:
    if any(answer is not None for answer, _ in answers):
        yield f"Against the projected interval, {name} lies {inside_intervals(answers, 'window')}."


def _estimated(timeline: Timeline) -> list[tuple[Slot, ProjectedAccuracy]]:
    pairs = [(slot, slot.report.projected_accuracy) for slot in timeline.slots if slot.report]
    return [(slot, projected) for slot, projected in pairs if projected.status is Status.ESTIMATED]


def _unjudged(timeline: Timeline) -> Iterator[str]:
    without = sum(1 for slot in timeline.slots if slot.report is None)
    refused = sum(1 for report in timeline.reports if report.verdict is Verdict.NOT_JUDGED)
    if refused:
        yield f"{count(refused, 'window')} could not be judged; the reasons are below."
    if without:
        have = "has" if without == 1 else "have"
        yield f"{count(without, 'window')} between the first and the last {have} no report at all."


def _drops(timeline: Timeline) -> Iterator[str]:
    yield from _where(timeline, _projection_dropped, "The projected accuracy dropped beyond tolerance and chance")
    yield from _where(timeline, _looks_like_label_shift, "Without labels, a pure label shift is suspected")


def _labels(timeline: Timeline) -> Iterator[str]:
    if timeline.last_quality is None:
        return
    found = timeline.last_labelled
    if found is None:
        yield "No labels yet that suffice to judge a window: the realised accuracy is not known."
        return
    slot, quality = found
    if realised_accuracy(quality):
        yield f"Realised accuracy in the window of {timeline.moment(slot)}: {realised(quality)}."
    yield from _contained("it", [(is_foreseen(slot.quality), slot.quality) for slot in timeline.slots])
    yield from _where(timeline, _realised_dropped, "It dropped beyond tolerance and chance")
    yield from _where(timeline, _is_concept, "Labels show concept shift")
    yield from _where(timeline, _is_label_shift, "Labels show label shift")
    yield from _where(timeline, _is_selective, "Labels came selectively, so that realised figures mislead,")


def _treatment(timeline: Timeline) -> Iterator[str]:
    yield from _where(timeline, _bias_drifted, "A group is treated otherwise than on the test set")
    yield from _where(timeline, _attribution_drifted, "The predictions rest on other features than on the test set")


def _where(timeline: Timeline, test: Callable[[Slot], bool], what: str) -> Iterator[str]:
    found = [slot for slot in timeline.slots if test(slot)]
    if found:
        when = timeline.moment(found[0])
        yield f"{what} in {count(len(found), 'window')}, {'first' if len(found) > 1 else 'that'} of {when}."


def _reports(slot: Slot, part: Callable[[DriftReport], Verdict]) -> bool:
    return slot.report is not None and part(slot.report) is Verdict.DRIFT


def _has_faults(slot: Slot) -> bool:
    return slot.report is not None and bool(slot.report.internal_faults)


def _projection_dropped(slot: Slot) -> bool:
    return _reports(slot, lambda report: report.projected_accuracy.verdict)


def _looks_like_label_shift(slot: Slot) -> bool:
    return slot.report is not None and slot.report.projected_accuracy.label_shift.selected


def _realised_dropped(slot: Slot) -> bool:
    return slot.quality is not None and slot.quality.verdict is Verdict.DRIFT


def _is_concept(slot: Slot) -> bool:
    return shows(slot.quality, Shift.CONCEPT)


def _is_label_shift(slot: Slot) -> bool:
    return shows(slot.quality, Shift.LABEL)


def _is_selective(slot: Slot) -> bool:
    return slot.quality is not None and slot.quality.selection.verdict is Verdict.DRIFT


def _bias_drifted(slot: Slot) -> bool:
    by_labels = slot.quality is not None and is_labelled(slot.quality) and slot.quality.bias.verdict is Verdict.DRIFT
    return by_labels or _reports(slot, lambda report: report.bias.verdict)


def _attribution_drifted(slot: Slot) -> bool:
    return _reports(slot, lambda report: report.attribution.verdict)


def scores_title(timeline: Timeline) -> str:
    """Return what the drift scores show."""
    moved = [row.name for row in timeline.ranked_rows() if row.drifted]
    return f"Drift score: {listed(moved, 4)} moved away from the reference" if moved else "Drift score: nothing drifted"


def accuracy_title(timeline: Timeline) -> str:
    """Return what the plot of the accuracy shows."""
    estimated = _estimated(timeline)
    title = "Projected accuracy: no window could be estimated"
    if estimated:
        last = estimated[-1][1]
        title = f"Projected accuracy: {percent(last.estimate)} at the end, {percent(last.reference)} on the test set"
    found = timeline.last_labelled
    measured = realised_accuracy(found[1]) if found else None
    if found is None or measured is None:
        return f"{title}; no labels yet" if timeline.last_quality else title
    return f"{title}; labels show {percent(measured.value)} at {timeline.moment(found[0])}"
