"""What the page says of windows that were not judged, or not judged whole."""

from dataclasses import replace

from plumbline.contract.records import DriftReport, InternalFault, Verdict
from plumbline.report.sections.last_window import comparisons
from plumbline.report.sections.windows import unjudged
from plumbline.report.summary import concerns
from plumbline.report.timeline import Timeline, timeline
from tests.reports import because
from tests.unit.report.builders import report

LOST = because("100 of the <600> records in the window (16.7 %) were rejected")


def line(*reports: DriftReport) -> Timeline:
    return timeline(reports, {}, [], [])


def test_a_warning_stands_beside_the_verdict_and_among_what_was_not_judged() -> None:
    warned = line(replace(report(0, reason=because("no feature drifted")), warnings=(LOST,)))
    safe = LOST.text.replace("<", "&lt;").replace(">", "&gt;")
    assert f"no feature drifted<br>Warning: {safe}" in comparisons(warned)
    assert safe in unjudged(warned)
    assert concerns(warned) == []
    assert "Warning" not in comparisons(line(report(0)))


def test_a_fault_is_a_concern_and_is_named() -> None:
    fault = InternalFault(name="the projected accuracy", text="MemoryError")
    faulty = line(replace(report(0, verdict=Verdict.NOT_JUDGED), internal_faults=(fault,)), report(1))
    assert concerns(faulty) == ["there were internal faults"]
    assert "the projected accuracy" in unjudged(faulty)
    assert "internal fault: MemoryError" in unjudged(faulty)
    assert concerns(line(report(0), report(1))) == []
