"""One drift report in lines: what a person has to know before opening the file."""

from collections.abc import Iterator, Mapping

from contract.records import (
    SWITCHED_OFF,
    DriftReport,
    FeatureReport,
    MultivariateReport,
    RecentReport,
    RecordCounts,
    SegmentReport,
    Status,
    Verdict,
)
from plumbline.commands.accuracy_text import accuracy_lines, rejected_lines

_NOBODY_ASKED = ("", SWITCHED_OFF)
"""Reasons of a part of the report that is made on demand, and was not."""


def verdict_lines(report: DriftReport) -> Iterator[str]:
    """Yield the verdict first, then what led to it, then the account of the records."""
    yield f"verdict: {_words(report.verdict)}{f': {report.reason}' if report.reason else ''}"
    for feature in (*report.features, report.prediction):
        if feature.verdict is Verdict.DRIFT:
            yield f"{'prediction' if feature is report.prediction else feature.name}: {_drift(feature)}"
    for feature in report.features:
        if feature.violation is not None:
            yield f"violation: {feature.name}, {feature.violation}: {feature.reason}"
    if report.verdict is not Verdict.NOT_JUDGED:
        yield from _not_judged(report)
    yield from _recent(report.recent)
    for segment in report.segments:
        yield f"segment {segment.value.strip()} ({segment.n_rows} rows): {_segment(segment)}"
    if report.multivariate.status is Status.ESTIMATED or report.multivariate.reason not in _NOBODY_ASKED:
        yield f"rows told apart by a classifier: {_separability(report.multivariate)}"
    yield from accuracy_lines(report)
    yield from _records(report.records, report.n_rows)
    for feature in report.features:
        if feature.unreadable:
            yield f"unreadable cells: {feature.name}, {_listed(feature.unreadable)}"


def _words(verdict: Verdict) -> str:
    return verdict.value.replace("_", " ")


def _drift(feature: FeatureReport) -> str:
    """Return the size of a drift and the part that moved most; of a change in what is missing, the reason."""
    size = getattr(feature, feature.effect_measure.value)
    parts = [] if size is None else [f"{feature.effect_measure.words} {size:.3g}"]
    if feature.parts:
        moved, unseen = feature.parts[0], feature.unseen_fraction or 0.0
        # Of thousands of new labels none has a share of its own that tells anything.
        if unseen > abs(moved.window_fraction - moved.reference_fraction):
            parts.append(f"labels that training never had {100 * unseen:.1f} %")
        else:
            parts.append(
                f"{moved.label} from {100 * moved.reference_fraction:.1f} to {100 * moved.window_fraction:.1f} %"
            )
    before, after = feature.missing_fraction_reference, feature.missing_fraction
    if before is not None and after is not None and before != after:
        parts.append(f"missing from {100 * before:.1f} to {100 * after:.1f} %")
    return ", ".join(parts) or feature.reason


def _not_judged(report: DriftReport) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for feature in report.features:
        if feature.verdict is Verdict.NOT_JUDGED and feature.violation is None:
            reasons.setdefault(feature.reason, []).append(feature.name)
    if report.prediction.verdict is Verdict.NOT_JUDGED:
        reasons.setdefault(report.prediction.reason, []).append("the prediction")
    for reason, names in reasons.items():
        yield f"not judged: {', '.join(names)}: {reason}"


def _recent(recent: RecentReport) -> Iterator[str]:
    if recent.n_windows or recent.reason not in _NOBODY_ASKED:
        since = f"since the {recent.n_windows} windows before ({recent.n_rows} rows)"
        yield f"{since}: {_words(recent.verdict)}{f': {recent.reason}' if recent.reason else ''}"


def _separability(joint: MultivariateReport) -> str:
    if joint.area_under_curve is None or joint.p_value is None:
        return f"not judged: {joint.reason}"
    return f"AUC {joint.area_under_curve:.3f}, p {joint.p_value:.3g}"


def _segment(segment: SegmentReport) -> str:
    return f"{_words(segment.verdict)}{f': {segment.reason}' if segment.reason else ''}"


def _records(records: RecordCounts, n_rows: int) -> Iterator[str]:
    yield (
        f"records: {records.read} read, {records.used} used with {n_rows} rows, "
        f"{sum(records.rejected.values())} rejected"
    )
    yield from rejected_lines("rejected", records)


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in sorted(numbers.items()))
