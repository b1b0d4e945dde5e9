"""What the predictions rest on: the features' order by attribution, in the window and on the test set."""

from contract.attribution import AttributionFeature, AttributionReport
from contract.records import Status
from plumbline.report.tables import VERDICTS, table, text
from plumbline.report.timeline import Timeline
from plumbline.report.words import moment


def attribution(timeline: Timeline) -> str:
    """Return verdict and table of the last window that was asked for it; empty where it is switched off."""
    found = [
        (slot, slot.report.attribution)
        for slot in timeline.slots
        if slot.report and not slot.report.attribution.is_switched_off
    ]
    if not found:
        return ""
    slot, report = found[-1]
    when = f"Window of {text(moment(slot, timeline))}"
    if report.status is not Status.ESTIMATED or report.ndcg is None:
        return f"<p>{when}: not judged: {text(report.reason) or 'no reason given'}.</p>"
    head = ["feature", "rank", "on the test set", "mean |SHAP|", "on the test set"]
    rows = [_row(feature) for feature in report.features]
    return f"<p>{VERDICTS[report.verdict]}: {_verdict(report)}</p>" + table(
        f"{when}: mean absolute SHAP value in log-odds, of {report.n_rows:,} rows "
        f"({report.n_rows_reference:,} of the test set).",
        head,
        rows,
        numeric=frozenset({1, 2, 3, 4}),
    )


def _verdict(report: AttributionReport) -> str:
    limit = "" if report.threshold is None else f"; below {report.threshold:g} is drift"
    why = f" {text(report.reason)}" if report.reason else ""
    return f"the order of the features is alike by {report.ndcg:.3f} (NDCG, 1 is the same order{limit}).{why}"


def _row(feature: AttributionFeature) -> list[str]:
    moved = feature.rank_reference - feature.rank
    arrow = f" <small>{'▲' if moved > 0 else '▼'} {abs(moved)}</small>" if moved else ""
    return [
        text(feature.name),
        f"{feature.rank}{arrow}",
        str(feature.rank_reference),
        f"{feature.importance:.3f}",
        f"{feature.importance_reference:.3f}",
    ]
