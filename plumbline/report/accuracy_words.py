"""What projection, labels, bias and attribution say, in sentences. Plain text, not HTML."""

from collections.abc import Callable, Iterator

from contract.accuracy import Shift
from contract.records import DriftReport, Verdict
from plumbline.report import words
from plumbline.report.labelled import is_judged, last_labelled, last_quality, realised_accuracy, shows
from plumbline.report.timeline import Slot, Timeline


def headline(timeline: Timeline) -> str:
    """Return what happened in one line: drift, and what else is an alarm."""
    found = words.headline(timeline)
    others = concerns(timeline)
    if not others:
        return found
    return f"{found}, {'and' if words.drifted_slots(timeline) else 'but'} {words.listed(others)}"


def title(timeline: Timeline) -> str:
    """Return what the plot of the accuracy shows."""
    projected, found = words.accuracy_title(timeline), last_labelled(timeline)
    realised = realised_accuracy(found[0]) if found else None
    if found is None or realised is None:
        return f"{projected}; no labels yet" if last_quality(timeline) else projected
    return f"{projected}; labels show {words.percent(realised.value)} at {words.moment(found[0], timeline)}"


def concerns(timeline: Timeline) -> list[str]:
    """Return what besides drift calls for people, in a few words each."""
    asked = (
        ("the projected accuracy dropped", _projection_dropped),
        ("the realised accuracy dropped", _realised_dropped),
        ("labels show concept shift", _is_concept),
        ("bias drifted", _bias_drifted),
        ("the attributions drifted", _attribution_drifted),
    )
    return [name for name, test in asked if any(test(slot) for slot in timeline.slots)]


def summary(timeline: Timeline) -> list[str]:
    """Return the paragraphs on accuracy drops, labels, bias and attribution."""
    paragraphs = (_drops(timeline), _labels(timeline), _treatment(timeline))
    return [text for text in (" ".join(sentences) for sentences in paragraphs) if text]


def _drops(timeline: Timeline) -> Iterator[str]:
    yield from _where(timeline, _projection_dropped, "The projected accuracy dropped beyond tolerance and chance")
    yield from _where(timeline, _looks_like_label_shift, "Without labels, a pure label shift is suspected")


def _labels(timeline: Timeline) -> Iterator[str]:
    if last_quality(timeline) is None:
        return
    found = last_labelled(timeline)
    if found is None:
        yield "No labels yet that suffice to judge a window: the realised accuracy is not known."
        return
    slot, quality = found
    realised = realised_accuracy(slot)
    if realised is not None:
        yield (
            f"Realised accuracy: {words.percent(realised.value)} in the window of {words.moment(slot, timeline)} "
            f"(95 % interval {words.interval(realised)}), by labels of {words.percent(quality.labelled_fraction)} "
            "of its rows."
        )
    held = [was for was in map(_was_foreseen, timeline.slots) if was is not None]
    if held:
        inside = f"{sum(held)} of {words.count(len(held), 'window')}"
        yield f"It lies inside the interval projected for the same rows in {inside}."
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
        when = words.moment(found[0], timeline)
        yield f"{what} in {words.count(len(found), 'window')}, {'first' if len(found) > 1 else 'that'} of {when}."


def _was_foreseen(slot: Slot) -> bool | None:
    """Return whether the realised accuracy lies inside the interval projected for its rows; None: not known."""
    realised, projected = realised_accuracy(slot), slot.quality.projected if slot.quality else None
    if realised is None or realised.value is None or projected is None:
        return None
    if projected.lower is None or projected.upper is None:
        return None
    return projected.lower <= realised.value <= projected.upper


def _reports(slot: Slot, part: Callable[[DriftReport], Verdict]) -> bool:
    return slot.report is not None and part(slot.report) is Verdict.DRIFT


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
    by_labels = slot.quality is not None and is_judged(slot.quality) and slot.quality.bias.verdict is Verdict.DRIFT
    return by_labels or _reports(slot, lambda report: report.bias.verdict)


def _attribution_drifted(slot: Slot) -> bool:
    return _reports(slot, lambda report: report.attribution.verdict)
