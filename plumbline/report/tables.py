"""The page's tables. Every text that comes from data passes through `text`."""

import html
from collections.abc import Iterable, Sequence

from contract.records import ProjectedAccuracy, Status, Verdict
from plumbline.report.plot_scores import PREDICTION
from plumbline.report.timeline import Slot, Timeline
from plumbline.report.words import brief_moment, interval, percent

VERDICTS = {
    Verdict.DRIFT: '<span class="drift">● drift</span>',
    Verdict.NO_DRIFT: '<span class="calm">○ no drift</span>',
    Verdict.NOT_JUDGED: '<span class="unjudged">– not judged</span>',
}
"""The verdicts as HTML."""


def text(value: object) -> str:
    """Return a value from the data as it may stand in HTML, empty for None; what UTF-8 cannot hold is replaced."""
    if value is None:
        return ""
    return html.escape(str(value).encode("utf-8", "replace").decode("utf-8"), quote=True)


def p_value(value: float | None) -> str:
    """Return a p-value as HTML, or a dash."""
    if value is None:
        return "–"
    return "&lt; 1e-300" if value < 1e-300 else f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: frozenset[int]) -> str:
    """Return a table of cells that are HTML already; the first cell of each row is its header."""
    header = "".join(f'<th scope="col"{_class(i in numeric)}>{cell}</th>' for i, cell in enumerate(head))
    body = "\n".join(f"<tr>{_row(cells, numeric)}</tr>" for cells in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(cells: Sequence[str], numeric: frozenset[int]) -> str:
    first = f'<th scope="row">{cells[0]}</th>'
    return first + "".join(f"<td{_class(i in numeric)}>{cell}</td>" for i, cell in enumerate(cells[1:], 1))


def _class(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def hours(timeline: Timeline) -> str:
    """Return the table of windows."""
    with_truth = any(slot.true_accuracy is not None for slot in timeline.slots)
    with_events = any(slot.events for slot in timeline.slots)
    head = ["window", "verdict", "rows", "records read", "rejected", "drifted features", "projected accuracy"]
    head += ["true accuracy"] * with_truth + ["events"] * with_events
    rows = []
    for slot in timeline.slots:
        cells = [text(brief_moment(slot, timeline)), *_outcome(slot)]
        cells += [percent(slot.true_accuracy)] * with_truth + [_events(slot)] * with_events
        rows.append(cells)
    return table("Every window in order; times are UTC.", head, rows, numeric=frozenset({2, 3}))


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
        _projected(report.projected_accuracy),
    ]


def _projected(projected: ProjectedAccuracy) -> str:
    if projected.status is not Status.ESTIMATED:
        return '<span class="unjudged">not judged</span>'
    return f"<strong>{percent(projected.estimate)}</strong> <small>({interval(projected)})</small>"


def _events(slot: Slot) -> str:
    return "<br>".join(f"<b>{text(event.kind)}</b> {text(event.text)}" for event in slot.events) or "–"


def unjudged(timeline: Timeline) -> str:
    """Return the table of what was refused, window by window, with the reason; or a sentence when nothing was."""
    rows = []
    for slot in timeline.slots:
        when = text(brief_moment(slot, timeline))
        if slot.report is None:
            rows.append([when, "everything", "no report for this window was found"])
            continue
        if slot.report.verdict is Verdict.NOT_JUDGED:
            rows.append([when, "drift", text(slot.report.reason) or "no reason given"])
        projected = slot.report.projected_accuracy
        if projected.status is Status.NOT_JUDGED:
            rows.append([when, "projected accuracy", text(projected.reason) or "no reason given"])
    if not rows:
        return "<p>Every window was judged and every accuracy estimated.</p>"
    return table("Not judged is not the same as no drift.", ["window", "what", "why"], rows, numeric=frozenset())


def problems(timeline: Timeline) -> str:
    """Return the list of inputs that were left out; empty when there are none."""
    if not timeline.problems:
        return ""
    items = "".join(f"<li><code>{text(p.what)}</code>: {text(p.why)}</li>" for p in timeline.problems)
    return f'<section id="left-out"><h2>Left out of this report</h2><ul>{items}</ul></section>'
