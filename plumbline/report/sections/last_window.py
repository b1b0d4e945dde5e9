"""The last window: feature by feature, what moved, and each comparison."""

from collections.abc import Iterator
from dataclasses import replace

from plumbline.contract.description import PREDICTION, count, percent, separability
from plumbline.contract.records import (
    DriftReport,
    EffectMeasure,
    FeatureReport,
    MultivariateReport,
    OverTimeReport,
)
from plumbline.report.sections.html import VERDICTS, number, p_value, table, text
from plumbline.report.timeline import Slot, Timeline


def last_features(timeline: Timeline) -> str:
    """Return the table of features of the last window that has any, or a sentence when none has."""
    found = last_with_features(timeline)
    if found is None:
        return "<p>No window has results by feature.</p>"
    slot, report = found
    head = [
        "feature", "verdict", "adjusted p", *(measure.declaration.heading for measure in EffectMeasure),
        "missing (reference)", "unseen", "out of range", "unreadable", "reason",
    ]  # fmt: skip
    prediction = replace(report.prediction, name=PREDICTION)
    rows = [_feature(feature) for feature in (*report.features, prediction)]
    units = "; ".join(f"{_name(measure)}: {measure.declaration.unit}" for measure in EffectMeasure)
    caption = f"Window of {text(timeline.moment(slot))}: {report.n_rows:,} rows against the reference. {units}."
    return table(caption, head, rows, numeric=frozenset(range(2, len(head) - 1)))


def last_with_features(timeline: Timeline) -> tuple[Slot, DriftReport] | None:
    """Return the last window that has results by feature, and its report."""
    slots = [(slot, slot.report) for slot in timeline.slots if slot.report is not None and slot.report.features]
    return slots[-1] if slots else None


def last_moves(timeline: Timeline) -> str:
    """Return the table of what moved in the drifted features of the same window; empty when nothing did."""
    found = last_with_features(timeline)
    if found is None:
        return ""
    _, report = found
    rows = [
        [text(feature.name), text(part.label), percent(part.reference_fraction), percent(part.window_fraction)]
        for feature in (*report.features, replace(report.prediction, name=PREDICTION))
        for part in feature.top_contributors
    ]
    if not rows:
        return ""
    caption = "Labels or bins of the drifted features that moved most; shares of the present values."
    return table(caption, ["feature", "label or bin", "reference", "window"], rows, numeric=frozenset({2, 3}))


def _feature(feature: FeatureReport) -> list[str]:
    return [
        f"{text(feature.name)}<br><small>{_kind(feature)}</small>",
        f"{VERDICTS[feature.verdict]}{_broken(feature)}",
        f"{p_value(feature.p_value_adjusted)}<br><small>{text((feature.test or '').replace('_', ' '))}</small>",
        *(number(feature.effect(measure), f".{measure.declaration.digits}f") for measure in EffectMeasure),
        f"{percent(feature.missing_fraction)}<br><small>({percent(feature.missing_fraction_reference)})</small>",
        percent(feature.unseen_fraction),
        percent(feature.out_of_range_fraction),
        percent(feature.unreadable_fraction),
        f'<div class="reason">{text(feature.reason) or "–"}{_threshold(feature)}</div>',
    ]


def _kind(feature: FeatureReport) -> str:
    notes = [feature.type.value, *(["critical"] if feature.critical else [])]
    if feature.relative_error is not None:
        notes.append(f"approximate, {100 * feature.relative_error:g} %")
    return ", ".join(notes)


def _broken(feature: FeatureReport) -> str:
    return f'<br><span class="drift">{text(feature.violation)}</span>' if feature.violation else ""


def _threshold(feature: FeatureReport) -> str:
    if feature.effect_threshold is None:
        return ""
    needed = f", found from {feature.min_sample_size:,} rows on" if feature.min_sample_size is not None else ""
    past = "" if feature.past_threshold is None else f", if it exceeds its own past's {feature.past_threshold:.3g}"
    return f"<br><small>{_name(feature.effect_measure)} {feature.effect_threshold:g} counts{past}{needed}</small>"


def _name(measure: EffectMeasure) -> str:
    # The page sets pairs of names with a dash, not with a hyphen.
    return measure.words.replace("-", "–")


def comparisons(timeline: Timeline) -> str:
    """Return the table of all comparisons of the last window that has any, or a sentence when none has."""
    found = last_with_features(timeline)
    if found is None:
        return "<p>No window was compared.</p>"
    slot, report = found
    caption = f"Window of {text(timeline.moment(slot))}."
    if report.rule:
        caption += f" A comparison's verdict is drift where there is {text(report.rule)}."
    return table(
        caption, ["compared with", "verdict", "rows", "why"], list(_comparison_rows(report)), numeric=frozenset({2})
    )


def _comparison_rows(report: DriftReport) -> Iterator[list[str]]:
    past = [f"Held against the past: {text(report.past)}"] if report.past else []
    warnings = [f"Warning: {text(warning)}" for warning in report.warnings]
    why = "<br>".join([text(report.reason) or "–", *past, *warnings])
    reference = "accepted windows" if report.accepted.is_used else "training data"
    yield [reference, VERDICTS[report.verdict], f"{report.n_rows:,}", why]
    if not report.over_time.is_switched_off:
        yield _over_time(report.over_time)
    for one in report.variants:
        name = f"training data, {text(one.role)} variant {text(one.variant)}"
        yield [name, VERDICTS[one.verdict], f"{one.n_rows:,}", text(one.reason) or "–"]
    for segment in report.segments:
        if report.variants and segment.kind == "variant":
            continue  # shown with its prediction
        yield [
            f"training data, {text(segment.kind)} {text(segment.value)}",
            VERDICTS[segment.verdict],
            f"{segment.n_rows:,}",
            text(segment.reason) or "–",
        ]
    if not report.multivariate.is_switched_off:
        yield _whole_comparison_rows(report.multivariate)


def _over_time(found: OverTimeReport) -> list[str]:
    name = f"training data, over time ({count(found.n_windows, 'window')} of the last day)"
    return [name, VERDICTS[found.verdict], f"{found.n_rows:,}", text(found.reason) or "–"]


def _whole_comparison_rows(found: MultivariateReport) -> list[str]:
    name = "training data, whole rows"
    return [name, VERDICTS[found.verdict], f"{found.n_window:,}", text(separability(found))]
