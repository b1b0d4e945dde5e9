"""What the last window was compared with besides the training data: earlier windows, segments, whole rows."""

from collections.abc import Iterator

from contract.records import DriftReport, MultivariateReport, RecentReport, Status, Verdict
from plumbline.report.feature_table import last_with_features
from plumbline.report.tables import VERDICTS, table, text
from plumbline.report.timeline import Timeline
from plumbline.report.words import count, moment


def comparisons(timeline: Timeline) -> str:
    """Return the table of all comparisons of the last window that has any, or a sentence when none has."""
    found = last_with_features(timeline)
    if found is None:
        return "<p>No window was compared.</p>"
    slot, report = found
    caption = f"Window of {text(moment(slot, timeline))}."
    if report.rule:
        caption += f" A comparison says drift where there is {text(report.rule)}."
    return table(caption, ["compared with", "verdict", "rows", "why"], list(_rows(report)), numeric=frozenset({2}))


def _rows(report: DriftReport) -> Iterator[list[str]]:
    yield ["training data", VERDICTS[report.verdict], f"{report.n_rows:,}", text(report.reason) or "–"]
    if not report.recent.is_switched_off:
        yield _recent(report.recent)
    for segment in report.segments:
        yield [
            f"training data, {text(segment.kind)} {text(segment.value)}",
            VERDICTS[segment.verdict],
            f"{segment.n_rows:,}",
            text(segment.reason) or "–",
        ]
    if not report.multivariate.is_switched_off:
        yield _whole_rows(report.multivariate)


def _recent(recent: RecentReport) -> list[str]:
    name = f"{count(recent.n_windows, 'window')} before"
    return [name, VERDICTS[recent.verdict], f"{recent.n_rows:,}", text(recent.reason) or "–"]


def _whole_rows(found: MultivariateReport) -> list[str]:
    name = "training data, whole rows"
    if found.status is not Status.ESTIMATED or found.area_under_curve is None or found.p_value is None:
        return [name, VERDICTS[Verdict.NOT_JUDGED], f"{found.n_window:,}", text(found.reason) or "–"]
    why = (
        f"a classifier tells them apart with an area under the curve of {found.area_under_curve:.3f} "
        f"(0.5 is chance, p {found.p_value:.3f})"
    )
    return [name, "–", f"{found.n_window:,}", why]
