"""Comparisons and thresholds into verdicts: per feature, and for the window."""

from collections.abc import Sequence
from dataclasses import dataclass

from contract.records import FeatureReport, RecordCounts, Verdict, finite
from drift.adjustment import benjamini_hochberg
from drift.features import Comparison
from drift.policy import Policy
from drift.rejection import records_in_window


@dataclass(frozen=True)
class WindowVerdict:
    """The outcome of a whole window, and why."""

    verdict: Verdict
    reason: str


def refusal(records: RecordCounts, n_rows: int, policy: Policy) -> str:
    """Return why the window as a whole is not judged, or an empty text."""
    n_records = records_in_window(records)
    if not n_records and not n_rows:
        return "no records in the window"
    if not n_rows:
        return f"none of the {n_records} records in the window could be used"
    if n_rows < policy.minimum_rows:
        return f"{n_rows} rows, fewer than the minimum of {policy.minimum_rows}"
    return ""


def judge_features(comparisons: Sequence[Comparison], policy: Policy, window_refusal: str) -> list[FeatureReport]:
    """Return one report per comparison, in the order given.

    A feature drifts when its adjusted p-value is below `policy.alpha` and its Jensen-Shannon distance reaches
    `policy.effect_threshold` (or the distance that chance reaches, if that is larger); or when its missing fraction
    moved by `policy.missing_threshold` or more with an adjusted p-value below alpha. The tests of the distributions
    are one Benjamini-Hochberg family, those of the missing fractions another. With a `window_refusal` the numbers
    are kept and no feature is judged.
    """
    adjusted = _adjusted([_p_value(comparison) for comparison in comparisons])
    adjusted_missing = _adjusted([_missing_p_value(comparison) for comparison in comparisons])
    reports = []
    for comparison, p, p_missing in zip(comparisons, adjusted, adjusted_missing, strict=True):
        outcome = _outcome(comparison, p, p_missing, policy)
        if window_refusal:
            outcome = WindowVerdict(
                Verdict.NOT_JUDGED, comparison.reason or f"the window is not judged: {window_refusal}"
            )
        reports.append(_report(comparison, p, outcome))
    return reports


def judge_window(features: Sequence[FeatureReport], prediction: FeatureReport, window_refusal: str) -> WindowVerdict:
    """Return the window's verdict: drift if any feature or the prediction drifts."""
    if window_refusal:
        return WindowVerdict(Verdict.NOT_JUDGED, window_refusal)
    drifted = [feature.name for feature in features if feature.verdict is Verdict.DRIFT]
    if prediction.verdict is Verdict.DRIFT:
        drifted.append("the prediction")
    if drifted:
        return WindowVerdict(Verdict.DRIFT, f"drift in {', '.join(drifted)}")
    skipped = [feature.name for feature in features if feature.verdict is Verdict.NOT_JUDGED]
    if len(skipped) == len(features):
        return WindowVerdict(Verdict.NOT_JUDGED, "no feature could be judged")
    note = f"; not judged: {', '.join(skipped)}" if skipped else ""
    return WindowVerdict(Verdict.NO_DRIFT, f"no feature drifted{note}")


def _p_value(comparison: Comparison) -> float | None:
    return comparison.evidence.p_value if comparison.evidence else None


def _missing_p_value(comparison: Comparison) -> float | None:
    return comparison.missing_evidence.p_value if comparison.missing_evidence else None


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    tested = iter(benjamini_hochberg([p for p in p_values if p is not None]))
    return [None if p is None else next(tested) for p in p_values]


def _outcome(comparison: Comparison, p: float | None, p_missing: float | None, policy: Policy) -> WindowVerdict:
    found = [
        text
        for text in (_distribution_drift(comparison, p, policy), _missing_drift(comparison, p_missing, policy))
        if text
    ]
    note = [comparison.reason] if comparison.reason else []
    if found:
        return WindowVerdict(Verdict.DRIFT, "; ".join(found + note))
    if p is None:
        return WindowVerdict(Verdict.NOT_JUDGED, comparison.reason)
    return WindowVerdict(Verdict.NO_DRIFT, "; ".join([_why_not(comparison, p, policy), *note]))


def _distribution_drift(comparison: Comparison, p: float | None, policy: Policy) -> str:
    distance, threshold = comparison.jensen_shannon_distance, _distance_threshold(comparison, policy)
    if p is None or distance is None or p >= policy.alpha or distance < threshold:
        return ""
    return (
        f"adjusted p {p:.3g} is below {policy.alpha:g} and the Jensen-Shannon distance {distance:.3g} "
        f"reaches {threshold:.3g}"
    )


def _missing_drift(comparison: Comparison, p: float | None, policy: Policy) -> str:
    before, after = comparison.missing_fraction_reference, comparison.missing_fraction
    if p is None or before is None or after is None:
        return ""
    if p >= policy.alpha or abs(after - before) < policy.missing_threshold:
        return ""
    return f"the missing fraction moved from {before:.3g} to {after:.3g} (adjusted p {p:.3g})"


def _why_not(comparison: Comparison, p: float, policy: Policy) -> str:
    if p >= policy.alpha:
        return f"adjusted p {p:.3g} is not below {policy.alpha:g}"
    threshold = _distance_threshold(comparison, policy)
    return f"the Jensen-Shannon distance {comparison.jensen_shannon_distance:.3g} is below {threshold:.3g}"


def _distance_threshold(comparison: Comparison, policy: Policy) -> float:
    return max(policy.effect_threshold, comparison.chance_distance)


def _report(comparison: Comparison, p_adjusted: float | None, outcome: WindowVerdict) -> FeatureReport:
    evidence = comparison.evidence
    return FeatureReport(
        name=comparison.name,
        type=comparison.type,
        drift_score=comparison.drift_score,
        test=evidence.test if evidence else None,
        statistic=finite(evidence.statistic) if evidence else None,
        p_value=evidence.p_value if evidence else None,
        p_value_adjusted=p_adjusted,
        wasserstein_distance=comparison.wasserstein_distance,
        jensen_shannon_distance=comparison.jensen_shannon_distance,
        missing_fraction=comparison.missing_fraction,
        missing_fraction_reference=comparison.missing_fraction_reference,
        unseen_fraction=comparison.unseen_fraction,
        out_of_range_fraction=comparison.out_of_range_fraction,
        verdict=outcome.verdict,
        reason=outcome.reason,
    )
