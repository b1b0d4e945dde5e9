"""The last window, feature by feature: numbers, what moved, and why the verdict."""

from dataclasses import replace

from contract.records import DriftReport, FeatureReport
from plumbline.report.plot_scores import PREDICTION
from plumbline.report.tables import VERDICTS, p_value, table, text
from plumbline.report.timeline import Slot, Timeline
from plumbline.report.words import moment, percent


def last_features(timeline: Timeline) -> str:
    """Return the table of features of the last window that has any, or a sentence when none has."""
    found = last_with_features(timeline)
    if found is None:
        return "<p>No window has results by feature.</p>"
    slot, report = found
    head = [
        "feature", "verdict", "drift score", "adjusted p", "Jensen–Shannon", "Wasserstein",
        "missing (reference)", "unseen", "out of range", "unreadable", "reason",
    ]  # fmt: skip
    prediction = replace(report.prediction, name=PREDICTION)
    rows = [_feature(feature) for feature in (*report.features, prediction)]
    caption = (
        f"Window of {text(moment(slot, timeline))}: {report.n_rows:,} rows against the reference. Drift score in "
        "percent, 0 to 200; Jensen–Shannon distance 0 to 1; Wasserstein distance in reference standard deviations."
    )
    return table(caption, head, rows, numeric=frozenset(range(2, 10)))


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
        for part in feature.parts
    ]
    if not rows:
        return ""
    caption = "Labels or bins of the drifted features that moved most; shares of the present values."
    return table(caption, ["feature", "label or bin", "reference", "window"], rows, numeric=frozenset({2, 3}))


def _feature(feature: FeatureReport) -> list[str]:
    return [
        f"{text(feature.name)}<br><small>{_kind(feature)}</small>",
        f"{VERDICTS[feature.verdict]}{_broken(feature)}",
        _number(feature.drift_score, ".1f"),
        f"{p_value(feature.p_value_adjusted)}<br><small>{text((feature.test or '').replace('_', ' '))}</small>",
        _number(feature.jensen_shannon_distance, ".3f"),
        _number(feature.wasserstein_distance, ".3f"),
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
    # The page sets pairs of names with a dash, not with a hyphen.
    measure = feature.effect_measure.words.replace("-", "–")
    return f"<br><small>{measure} {feature.effect_threshold:g} counts{needed}</small>"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
