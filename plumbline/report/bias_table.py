"""How differently the groups of the facet are treated, in the window and on the labelled test set."""

from collections.abc import Iterator

from contract.bias import BiasGroup, BiasReport
from contract.records import Verdict
from plumbline.report.labelled import last_labelled, last_quality
from plumbline.report.tables import VERDICTS, table, text
from plumbline.report.timeline import Timeline
from plumbline.report.words import moment, percent

_HEAD = ["group", "measure", "verdict", "window", "test set", "why"]
_ORDER = (Verdict.DRIFT, Verdict.NO_DRIFT, Verdict.NOT_JUDGED)


def bias(timeline: Timeline) -> str:
    """Return the tables by group, of predictions and, where labels judge a window, of labels; empty if switched off."""
    found = [
        (slot, slot.report.bias) for slot in timeline.slots if slot.report and not slot.report.bias.is_switched_off
    ]
    labelled = last_labelled(timeline)
    parts = []
    if found:
        slot, report = found[-1]
        parts.append(_table(f"By predictions, window of {text(moment(slot, timeline))}", report))
    if labelled and not labelled[1].bias.is_switched_off:
        slot, quality = labelled
        parts.append(_table(f"By labels, window of {text(moment(slot, timeline))}", quality.bias))
    elif found:
        why = "Labels are not awaited" if last_quality(timeline) is None else "No labels yet"
        parts.append(f"<p>{why}: true and false positive rates by group are not known.</p>")
    return "\n".join(parts)


def _table(of_what: str, report: BiasReport) -> str:
    if not report.groups:
        return f"<p>{of_what}: not judged: {text(report.reason) or 'no group was found'}.</p>"
    groups = sorted(report.groups, key=lambda group: (_ORDER.index(group.verdict), group.value))
    threshold = report.threshold
    moves = "" if threshold is None else f" A move of {threshold:g} counts, if it is more than chance."
    caption = (
        f"{of_what}: each value of {text(report.facet or 'the facet')} against all other rows, drifted first. "
        f"In brackets: 95 % intervals.{moves}"
    )
    return table(caption, _HEAD, [row for group in groups for row in _rows(group)], numeric=frozenset({3, 4}))


def _rows(group: BiasGroup) -> Iterator[list[str]]:
    name = f"{text(group.value)}<br><small>{group.n_rows:,} rows ({group.n_rows_reference:,})</small>"
    rates = [percent(group.selection_rate), percent(group.selection_rate_reference)]
    yield [name, "selection rate", VERDICTS[group.verdict], *rates, text(group.reason) or "–"]
    for one in sorted(group.measures, key=lambda measure: _ORDER.index(measure.verdict)):
        yield [
            f'<span class="unjudged">{text(group.value)}</span>',
            text(one.metric.value.replace("_", " ")),
            VERDICTS[one.verdict],
            _number(one.value, one.lower, one.upper),
            _number(one.reference, one.reference_lower, one.reference_upper),
            text(one.reason) or "–",
        ]


def _number(value: float | None, lower: float | None, upper: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + (
        "" if lower is None or upper is None else f"<br><small>({lower:.3f} to {upper:.3f})</small>"
    )
