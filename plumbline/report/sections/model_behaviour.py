"""How the model treats groups, and what its predictions rest on: in the window and on the test set."""

from collections.abc import Iterator

from plumbline.contract.attribution import AttributionFeature, AttributionReport
from plumbline.contract.bias import BiasGroup, BiasReport
from plumbline.contract.description import not_judged, percent, ranking
from plumbline.contract.records import Status, Verdict
from plumbline.report.sections.html import VERDICTS, estimate, table, text
from plumbline.report.timeline import Timeline

_BIAS_HEAD = ["group", "measure", "verdict", "window", "test set", "why"]
_ORDER = (Verdict.DRIFT, Verdict.NO_DRIFT, Verdict.NOT_JUDGED)


def bias(timeline: Timeline) -> str:
    """Return the tables by group, of predictions and, where labels judge a window, of labels; empty if switched off."""
    found = [
        (slot, slot.report.bias) for slot in timeline.slots if slot.report and not slot.report.bias.is_switched_off
    ]
    labelled = timeline.last_labelled
    parts = []
    if found:
        slot, report = found[-1]
        parts.append(_bias_table(f"By predictions, window of {text(timeline.moment(slot))}", report))
    if labelled and not labelled[1].bias.is_switched_off:
        slot, quality = labelled
        parts.append(_bias_table(f"By labels, window of {text(timeline.moment(slot))}", quality.bias))
    elif found:
        why = "Labels are not awaited" if timeline.last_quality is None else "No labels yet"
        parts.append(f"<p>{why}: true and false positive rates by group are not known.</p>")
    return "\n".join(parts)


def _bias_table(of_what: str, report: BiasReport) -> str:
    if not report.groups:
        return f"<p>{of_what}: not judged: {text(report.reason) or 'no group was found'}.</p>"
    groups = sorted(report.groups, key=lambda group: (_ORDER.index(group.verdict), group.value))
    threshold = report.threshold
    moves = "" if threshold is None else f" A move of {threshold:g} counts, if it is more than chance."
    caption = (
        f"{of_what}: each value of {text(report.facet or 'the facet')} against all other rows, drifted first. "
        f"In brackets: 95 % intervals.{moves}"
    )
    return table(
        caption, _BIAS_HEAD, [row for group in groups for row in _group_rows(group)], numeric=frozenset({3, 4})
    )


def _group_rows(group: BiasGroup) -> Iterator[list[str]]:
    name = f"{text(group.value)}<br><small>{group.n_rows:,} rows ({group.n_rows_reference:,})</small>"
    rates = [percent(group.selection_rate), percent(group.selection_rate_reference)]
    yield [name, "selection rate", VERDICTS[group.verdict], *rates, text(group.reason) or "–"]
    for one in sorted(group.measures, key=lambda measure: _ORDER.index(measure.verdict)):
        yield [
            f'<span class="unjudged">{text(group.value)}</span>',
            text(one.metric.value.replace("_", " ")),
            VERDICTS[one.verdict],
            estimate(one.value, one.lower, one.upper, separator="<br>"),
            estimate(one.reference, one.reference_lower, one.reference_upper, separator="<br>"),
            text(one.reason) or "–",
        ]


def attribution(timeline: Timeline) -> str:
    """Return verdict and table of the last window that has it; empty where it is switched off."""
    found = [
        (slot, slot.report.attribution)
        for slot in timeline.slots
        if slot.report and not slot.report.attribution.is_switched_off
    ]
    if not found:
        return ""
    slot, report = found[-1]
    when = f"Window of {text(timeline.moment(slot))}"
    if report.status is not Status.ESTIMATED or report.ndcg is None:
        return f"<p>{when}: {text(not_judged(report.reason))}.</p>"
    head = ["feature", "rank", "on the test set", "mean |SHAP|", "on the test set"]
    rows = [_attribution_row(feature) for feature in report.features]
    return f"<p>{VERDICTS[report.verdict]}: {_ranking(report)}</p>" + table(
        f"{when}: mean absolute SHAP value in log-odds, of {report.n_rows:,} rows "
        f"({report.n_rows_reference:,} of the test set).",
        head,
        rows,
        numeric=frozenset({1, 2, 3, 4}),
    )


def _ranking(report: AttributionReport) -> str:
    why = f" {text(report.reason)}" if report.reason else ""
    return f"the order of the features: {text(ranking(report))}.{why}"


def _attribution_row(feature: AttributionFeature) -> list[str]:
    moved = feature.rank_reference - feature.rank
    arrow = f" <small>{'▲' if moved > 0 else '▼'} {abs(moved)}</small>" if moved else ""
    return [
        text(feature.name),
        f"{feature.rank}{arrow}",
        str(feature.rank_reference),
        f"{feature.importance:.3f}",
        f"{feature.importance_reference:.3f}",
    ]
