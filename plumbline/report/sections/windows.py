"""Window by window: the outcomes, what was not judged, and what was left out of the report."""

from plumbline.contract.description import PREDICTION, count, percent
from plumbline.contract.records import Status, Verdict
from plumbline.report.sections.html import VERDICTS, table, text, with_interval
from plumbline.report.timeline import Slot, Timeline


def hours(timeline: Timeline) -> str:
    """Return the table of windows."""
    with_truth = any(slot.true_accuracy is not None for slot in timeline.slots)
    with_events = any(slot.events for slot in timeline.slots)
    head = ["window", "verdict", "rows", "records read", "rejected", "drifted features", "projected accuracy"]
    head += ["true accuracy"] * with_truth + ["events"] * with_events
    rows = []
    for slot in timeline.slots:
        cells = [text(timeline.brief_moment(slot)) + _hours_before(slot), *_outcome(slot)]
        cells += [percent(slot.true_accuracy)] * with_truth + [_events(slot)] * with_events
        rows.append(cells)
    return table("Every window in order; times are UTC.", head, rows, numeric=frozenset({2, 3}))


def _hours_before(slot: Slot) -> str:
    added = slot.report.hours_added if slot.report else 0
    return f"<br>and {count(added, 'hour')} before" if added else ""


def _outcome(slot: Slot) -> list[str]:
    report = slot.report
    if report is None:
        return ['<span class="unjudged">no report</span>', "–", "–", "–", "–", "–"]
    rejected = [f"{number:,} × {text(reason)}" for reason, number in sorted(report.records.rejected.items()) if number]
    drifted = [*report.drifted_features]
    if report.prediction.verdict is Verdict.DRIFT:
        drifted.append(PREDICTION)
    return [
        VERDICTS[report.verdict],
        f"{report.n_rows:,}",
        f"{report.records.read:,}",
        "<br>".join(rejected) or "0",
        ", ".join(text(name) for name in drifted) or "–",
        with_interval(report.projected_accuracy, report.projected_accuracy.estimate),
    ]


def _events(slot: Slot) -> str:
    return "<br>".join(f"<b>{text(event.kind)}</b> {text(event.text)}" for event in slot.events) or "–"


def unjudged(timeline: Timeline) -> str:
    """Return the table of what was refused, window by window, with the reason; or a sentence when nothing was."""
    rows = []
    for slot in timeline.slots:
        when = text(timeline.brief_moment(slot))
        if slot.report is None:
            rows.append([when, "everything", "no report for this window was found"])
            continue
        if slot.report.verdict is Verdict.NOT_JUDGED:
            rows.append([when, "drift", text(slot.report.reason) or "no reason given"])
        rows += [
            [when, text(fault.name), f"internal fault: {text(fault.text)}"] for fault in slot.report.internal_faults
        ]
        rows += [[when, "the records that were rejected", text(warning)] for warning in slot.report.warnings]
        answers = slot.report.answers
        if answers.n_unreadable:
            numbers = ", ".join(f"{number:,} × {text(reason)}" for reason, number in sorted(answers.unreadable.items()))
            why = "; ".join([f"{numbers}, of {answers.read:,}", *map(text, answers.readings)])
            rows.append([when, "answers that could not be read", why])
        projected = slot.report.projected_accuracy
        if projected.status is Status.NOT_JUDGED:
            rows.append([when, "projected accuracy", text(projected.reason) or "no reason given"])
    if not rows:
        return "<p>Every window was judged and every accuracy estimated.</p>"
    return table("Not judged is not the same as no drift.", ["window", "what", "why"], rows, numeric=frozenset())


def problems(timeline: Timeline) -> str:
    """Return the list of inputs that were left out; empty when there are none."""
    items = "".join(f"<li><code>{text(p.what)}</code>: {text(p.why)}</li>" for p in timeline.problems)
    return f"<ul>{items}</ul>" if items else ""
