"""The new normal: windows that a person made the reference, and what differs from the training data all the same."""

from plumbline.contract.description import PREDICTION, count
from plumbline.contract.records import AcceptedReport, FeatureReport, Verdict
from plumbline.report.sections.html import number, p_value, table, text
from plumbline.report.timeline import Timeline


def accepted(timeline: Timeline) -> str:
    """Return who accepted what, when and why, of the last window that knows of it; empty where nothing was accepted."""
    found = [(slot, slot.report) for slot in timeline.slots if slot.report and slot.report.accepted.is_stated]
    if not found:
        return ""
    slot, whole = found[-1]
    report = whole.accepted
    when = f"Window of {text(timeline.moment(slot))}"
    if not report.is_used:
        return f"<p>{when}: judged against the training data. {text(report.reason)}.</p>{_statement(report)}"
    differing = [*report.features, *([report.prediction] if report.prediction else [])]
    if not differing and whole.verdict is Verdict.NOT_JUDGED:
        return _statement(report)
    if not differing:
        return f"{_statement(report)}<p>{when}: nothing of it differs from the training data.</p>"
    head = ["accepted", "effect", "adjusted p", "why it differs from the training data"]
    rows = [_row(one, is_prediction=one is report.prediction) for one in differing]
    caption = f"{when}: what differs from the training data, and was accepted. It is no part of the verdict."
    return _statement(report) + table(caption, head, rows, numeric=frozenset({1, 2}))


def _statement(report: AcceptedReport) -> str:
    if report.accepted_at is None:
        return ""
    times = ", ".join(f"{one.start} to {one.end}" for one in report.windows)
    rows = f" ({count(report.n_rows, 'row')})" if report.n_rows else ""
    what = ", ".join(report.accepted_features) if report.accepted_features else "every feature"
    return (
        f"<p>On {text(report.accepted_at)} {text(report.accepted_by)} made the windows {text(times)}{rows} the "
        f"reference of {text(what)}{' and the prediction' if report.accepted_prediction else ''}, because: "
        f"{text(report.stated_reason)}. <code>plumbline accept --undo</code> ends that.</p>"
    )


def _row(feature: FeatureReport, *, is_prediction: bool) -> list[str]:
    return [
        PREDICTION if is_prediction else text(feature.name),
        number(feature.effect(feature.effect_measure)),
        p_value(feature.p_value_adjusted),
        text(feature.reason) or "–",
    ]
