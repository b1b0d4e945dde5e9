"""The measurements behind the last projection, or behind the reason why there is none."""

from collections.abc import Iterable

from plumbline.contract.accuracy import LabelShiftScenario, ProjectedAccuracy
from plumbline.contract.description import percent
from plumbline.contract.records import Status
from plumbline.report.sections.html import VERDICTS, number, table, text
from plumbline.report.timeline import Timeline


def evidence(timeline: Timeline) -> str:
    """Return verdict, reason and measurements of the last window's projection."""
    slot, projected = [(slot, slot.report.projected_accuracy) for slot in timeline.slots if slot.report][-1]
    rows = [[name, value, meaning] for name, value, meaning in _measured(projected) if value != "–"]
    caption = f"Window of {text(timeline.moment(slot))}: {_outcome(projected)}"
    if not rows:
        return f"<p>{caption} It reports no measurement.</p>"
    return table(caption, ["measurement", "value", "meaning"], rows, numeric=frozenset({1}))


def _outcome(projected: ProjectedAccuracy) -> str:
    if projected.status is not Status.ESTIMATED:
        return f"no estimate: {text(projected.reason) or 'no reason given'}."
    why = f" {text(projected.verdict_reason)}." if projected.verdict_reason else ""
    method = text((projected.method or "unknown").replace("_", " "))
    return f"{VERDICTS[projected.verdict]}.{why} Method: {method}; assumed: {text(projected.assumed_shift.words)}."


def _interval(projected: ProjectedAccuracy) -> Iterable[tuple[str, str, str]]:
    widths = projected.half_widths
    if widths is None:
        return
    yield "half-width for sampling", _points(widths.sampling), "of the 95 % interval of a task that does not wander"
    yield "half-width for the past", _points(widths.history), "what misses of the task's past add"
    yield "half-width by labels", _points(widths.feedback), "what the last windows with labels add, or take off"
    if projected.n_labelled_windows:
        known = f"what {projected.n_labelled_windows} windows with labels moved the estimate by"
        yield "correction", _points(projected.correction), known


def _measured(projected: ProjectedAccuracy) -> Iterable[tuple[str, str, str]]:
    found = projected.evidence
    used = "large enough to use them" if found.weighted else "too little to use them"
    return (
        (
            "separability",
            number(found.separability),
            "how well a classifier separates the rows from the test set's; 0.5 is chance",
        ),
        (
            "over-represented rows",
            percent(found.over_represented_fraction),
            "more than twenty times as frequent as in the test set",
        ),
        ("rows outside training", percent(found.out_of_support_fraction), "with a value that training never had"),
        (
            "gate",
            number(found.gate_statistic),
            f"paired t of what features add to the probability about labels: {used}",
        ),
        *_interval(projected),
        ("spread of the estimators", _points(found.spread), "half the range of those that were compared"),
        (
            "ranking on the test set",
            number(found.test_area_under_curve),
            "area under the ROC curve of the probabilities",
        ),
        *_scenario(projected.label_shift),
    )


def _scenario(scenario: LabelShiftScenario) -> Iterable[tuple[str, str, str]]:
    seen = "it explains the window" if scenario.selected else "it does not explain the window"
    before = f"{percent(scenario.positive_fraction_reference)} on the test set"
    return (
        (
            "positive labels, if label shift",
            percent(scenario.positive_fraction),
            f"share that explains the predictions best; {before}",
        ),
        (
            "explained by label shift",
            percent(scenario.explained_fraction),
            f"part of the difference to the test set; {seen}",
        ),
        (
            "separability after it",
            number(scenario.residual_separability),
            "how well a classifier still separates them; 0.5 is chance",
        ),
        ("accuracy, if label shift", percent(scenario.estimate), f"a scenario, not the estimate: {seen}"),
    )


def _points(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} points"
