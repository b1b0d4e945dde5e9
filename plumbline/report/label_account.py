"""Ground truth: which labels came, which were used, and whether those that came can be trusted to speak for all."""

from collections.abc import Iterator

from contract.quality import QualityReport
from contract.records import Verdict
from plumbline.report.labelled import last_quality
from plumbline.report.tables import VERDICTS, table, text
from plumbline.report.timeline import Timeline
from plumbline.report.words import brief_moment, count, percent


def ground_truth(timeline: Timeline) -> str:
    """Return the account of the labels; empty where none are awaited."""
    quality = last_quality(timeline)
    if quality is None:
        return ""
    return "\n".join((f"<p>{text(_terms(quality))}</p>", _records(quality), *_selections(timeline)))


def _terms(quality: QualityReport) -> str:
    coverage = f" A window is judged from a label coverage of {percent(quality.minimum_labelled_fraction)} on."
    trouble = f" {quality.reason}." if quality.reason else ""
    waited = f"Labels are awaited for {count(quality.lag_hours, 'hour')} after a window."
    return f"{waited}{coverage if quality.minimum_labelled_fraction is not None else ''}{trouble}"


def _records(quality: QualityReport) -> str:
    labels = quality.labels
    if not labels.read:
        return "<p>No labels yet: no label record was found for the windows that are waited for.</p>"
    rows = [["used", f"{labels.used:,}", "–"]]
    for reason, number in sorted(labels.rejected.items()):
        places = ", ".join(text(place) for place in labels.examples.get(reason, ()))
        rows.append([f"rejected: {text(reason.replace('_', ' '))}", f"{number:,}", places or "–"])
    caption = f"{count(labels.read, 'label record')} read by the last run, for all windows that it waited for."
    return table(caption, ["label records", "number", "for example"], rows, numeric=frozenset({1}))


def _selections(timeline: Timeline) -> Iterator[str]:
    """Yield a table of the windows whose labelled rows differ from the others."""
    rows = [
        [
            text(brief_moment(slot, timeline)),
            VERDICTS[Verdict.DRIFT],
            ", ".join(text(name) for name in slot.quality.selection.features) or "–",
            text(slot.quality.selection.reason) or "–",
        ]
        for slot in timeline.slots
        if slot.quality is not None and slot.quality.selection.verdict is Verdict.DRIFT
    ]
    if rows:
        caption = "Labels came selectively: the labelled rows differ from the others, so realised figures mislead."
        yield table(caption, ["window", "labelled against others", "features", "why"], rows, numeric=frozenset())
