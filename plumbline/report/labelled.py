"""What labels have said of the windows, as every section reads it."""

from contract.accuracy import Measure, MeasureReport, Shift
from contract.quality import QualityReport, WindowQuality
from contract.records import Status, Verdict
from plumbline.report.timeline import Slot, Timeline


def last_quality(timeline: Timeline) -> QualityReport | None:
    """Return the newest report's account of the labels; None when none were awaited."""
    asked = [report.quality for report in timeline.reports if not report.quality.is_switched_off]
    return asked[-1] if asked else None


def last_labelled(timeline: Timeline) -> tuple[Slot, WindowQuality] | None:
    """Return the last window that labels judge."""
    found = [(slot, slot.quality) for slot in timeline.slots if slot.quality is not None and is_judged(slot.quality)]
    return found[-1] if found else None


def is_judged(quality: WindowQuality) -> bool:
    """Return whether the labels sufficed."""
    return quality.verdict is not Verdict.NOT_JUDGED


def realised_accuracy(slot: Slot) -> MeasureReport | None:
    """Return the window's accuracy by its labels, None where they did not suffice."""
    found = slot.quality.measure(Measure.ACCURACY) if slot.quality else None
    return found if found and found.status is Status.ESTIMATED and found.value is not None else None


def shows(quality: WindowQuality | None, kind: Shift) -> bool:
    """Return whether the labels show this kind of shift."""
    return quality is not None and quality.shift(kind).verdict is Verdict.DRIFT


def why_no_labels(slot: Slot) -> str:
    """Return why the window has no realised figure; ``no labels yet`` where nobody said otherwise."""
    if slot.quality is not None:
        return str(slot.quality.reason or "no labels yet")
    if slot.report is None:
        return "no labels yet"
    quality = slot.report.quality
    return "labels are not awaited" if quality.is_switched_off else str(quality.reason or "no labels yet")
