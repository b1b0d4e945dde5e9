"""Comparisons and rules into verdicts: per feature, and for the window."""

import math
from collections.abc import Sequence

from contract.records import FeatureReport, RecordCounts, Verdict, finite
from drift.adjustment import benjamini_hochberg_log
from drift.case import Case, Outcome
from drift.policy import Policy
from drift.rejection import records_in_window
from drift.statistics.evidence import Evidence

IGNORED = "ignored by the policy"
"""Why a feature is not judged that nobody asked about; the window's reason leaves it out."""


def refusal(records: RecordCounts, n_rows: int, policy: Policy) -> str:
    """Return why the window as a whole is not judged, or an empty text."""
    n_records = records_in_window(records)
    if not n_records and not n_rows:
        return "no records in the window"
    if not n_rows:
        return f"none of the {n_records} records in the window could be used"
    return too_few(n_rows, policy)


def too_few(n_rows: int, policy: Policy) -> str:
    """Return why so few rows are not judged, or an empty text."""
    return f"{n_rows} rows, fewer than the minimum of {policy.minimum_rows}" if n_rows < policy.minimum_rows else ""


def judge_features(cases: Sequence[Case], policy: Policy, window_refusal: str) -> list[FeatureReport]:
    """Return one report per case, in the order given.

    A feature drifts when its adjusted p-value is below its rule's alpha and its effect reaches the rule's threshold
    (or what chance reaches, if that is larger); or when its missing fraction moved by
    `policy.missing_values_threshold` or more with an adjusted p-value below alpha. The tests of the distributions are
    one Benjamini-Hochberg family, those of the missing fractions another; a feature that violates the schema or is
    ignored is in neither. One that shows no drift, but has fewer rows than it would take to find it, is not judged.
    With a `window_refusal` the numbers are kept and no feature is judged.
    """
    adjusted = _adjusted([case.comparison.evidence if case.is_tested else None for case in cases])
    adjusted_missing = _adjusted([case.comparison.missing_evidence if case.is_tested else None for case in cases])
    return [
        feature_report(case, log_p, log_p_missing, _outcome(case, log_p, log_p_missing, policy, window_refusal))
        for case, log_p, log_p_missing in zip(cases, adjusted, adjusted_missing, strict=True)
    ]


def judge_window(
    features: Sequence[FeatureReport], prediction: FeatureReport | None, policy: Policy, window_refusal: str
) -> Outcome:
    """Return the window's verdict by the policy's rule (`rule_text`)."""
    if window_refusal:
        return Outcome(Verdict.NOT_JUDGED, window_refusal)
    drifted = [feature for feature in features if feature.verdict is Verdict.DRIFT]
    unjudged = [feature for feature in features if feature.verdict is Verdict.NOT_JUDGED]
    skipped = [feature.name for feature in unjudged if feature.reason != IGNORED]
    n_judged = len(features) - len(unjudged)
    alone = prediction is not None and prediction.verdict is Verdict.DRIFT
    names = ", ".join([feature.name for feature in drifted] + ["the prediction"] * alone)
    if alone or any(feature.critical for feature in drifted) or _enough(len(drifted), n_judged, policy):
        return Outcome(Verdict.DRIFT, f"drift in {names}")
    if not n_judged:
        return Outcome(Verdict.NOT_JUDGED, "no feature could be judged")
    quiet = f"drift in {names} only, {len(drifted)} of {n_judged} judged features" if drifted else "no feature drifted"
    note = f"; not judged: {', '.join(skipped)}" if skipped else ""
    return Outcome(Verdict.NO_DRIFT, f"{quiet}{note}")


def rule_text(policy: Policy) -> str:
    """Return in words when a window drifts."""
    critical = sorted(name for name, own in policy.features.items() if own.critical)
    features = (
        "any feature"
        if policy.drifted_fraction is None
        else f"at least {policy.drifted_fraction:.0%} of the judged features"
    )
    parts = [features, *([f"a critical feature ({', '.join(critical)})"] if critical else [])]
    return f"drift in {', '.join(parts)} or the prediction"


def _enough(n_drifted: int, n_judged: int, policy: Policy) -> bool:
    if policy.drifted_fraction is None:
        return n_drifted > 0
    # Three of ten are 0.3, which is not a float.
    return n_drifted > 0 and n_drifted >= policy.drifted_fraction * n_judged * (1 - 1e-12)


def _adjusted(evidence: Sequence[Evidence | None]) -> list[float | None]:
    tested = iter(benjamini_hochberg_log([one.log_p_value for one in evidence if one is not None]))
    return [None if one is None else next(tested) for one in evidence]


def _outcome(
    case: Case, log_p: float | None, log_p_missing: float | None, policy: Policy, window_refusal: str
) -> Outcome:
    comparison = case.comparison
    if case.rule.ignore:
        return Outcome(Verdict.NOT_JUDGED, IGNORED)
    if case.violation:
        return Outcome(Verdict.NOT_JUDGED, comparison.reason)
    if window_refusal:
        return Outcome(Verdict.NOT_JUDGED, _why_refused(case, window_refusal))
    found = [text for text in (_distribution_drift(case, log_p), _missing_drift(case, log_p_missing, policy)) if text]
    notes = [text for text in (comparison.reason, _unreadable_note(case)) if text]
    if found:
        return Outcome(Verdict.DRIFT, "; ".join(found + notes))
    if log_p is None:
        return Outcome(Verdict.NOT_JUDGED, "; ".join(notes))
    why = _too_weak(case, log_p)
    verdict = Verdict.NOT_JUDGED if why else Verdict.NO_DRIFT
    return Outcome(verdict, "; ".join([why or _why_not(case, log_p), *notes]))


def _why_refused(case: Case, window_refusal: str) -> str:
    comparison, why = case.comparison, f"the window is not judged: {window_refusal}"
    if not comparison.reason:
        return why
    # What cannot be compared is not judged in any window; of the others the reason is but a note.
    return comparison.reason if comparison.evidence is None else f"{why}; {comparison.reason}"


def _distribution_drift(case: Case, log_p: float | None) -> str:
    if log_p is None or not _significant(case, log_p) or not case.effect.counts:
        return ""
    return f"adjusted p {p_text(log_p)} is below {case.rule.alpha:g} and {case.effect.why}"


def _missing_drift(case: Case, log_p: float | None, policy: Policy) -> str:
    before, after = case.comparison.missing_fraction_reference, case.comparison.missing_fraction
    if log_p is None or before is None or after is None:
        return ""
    if not _significant(case, log_p) or abs(after - before) < policy.missing_values_threshold:
        return ""
    return f"the missing fraction moved from {before:.3g} to {after:.3g} (adjusted p {p_text(log_p)})"


def _too_weak(case: Case, log_p: float) -> str:
    """Return why a quiet feature proves nothing: even a change of the threshold's size would hardly have shown."""
    needed, sought = case.comparison.min_sample_size, case.effect.sought
    found_small = _significant(case, log_p) and case.effect.is_small
    if not case.needs_power or found_small or (needed is not None and case.n_present >= needed):
        return ""
    if needed is None:
        return f"the reference has too few values to find {sought} in any window"
    return f"{case.n_present} values are too few: {sought} takes {needed} to be found"


def _why_not(case: Case, log_p: float) -> str:
    if not _significant(case, log_p):
        return f"adjusted p {p_text(log_p)} is not below {case.rule.alpha:g}"
    return case.effect.why


def _unreadable_note(case: Case) -> str:
    n_unreadable = sum(case.unreadable.values())
    return f"{n_unreadable} of {case.n_rows} cells could not be read" if n_unreadable else ""


def _significant(case: Case, log_p: float) -> bool:
    return log_p < math.log(case.rule.alpha)


def p_text(log_p: float) -> str:
    """Return a p-value with three digits, also where it is below the smallest float.

    Examples
    --------
    >>> p_text(-1000.0), p_text(-3.0)
    ('5.08e-435', '0.0498')
    """
    if log_p > math.log(1e-300):
        return f"{math.exp(log_p):.3g}"
    exponent, rest = divmod(log_p / math.log(10), 1)
    return f"{10**rest:.2f}e{exponent:.0f}" if math.isfinite(log_p) else "0"


def feature_report(
    case: Case, adjusted_log_p: float | None, adjusted_log_p_missing: float | None, outcome: Outcome
) -> FeatureReport:
    """Return the report's entry for one feature.

    Parameters
    ----------
    adjusted_log_p, adjusted_log_p_missing
        Natural logarithms of the adjusted p-values, of the distribution and of the missing fraction; None where the
        feature was not tested.
    """
    comparison, effect, evidence = case.comparison, case.effect, case.comparison.evidence
    n_unreadable = sum(case.unreadable.values())
    return FeatureReport(
        name=comparison.name,
        type=comparison.type,
        drift_score=comparison.drift_score,
        test=evidence.test if evidence else None,
        statistic=finite(evidence.statistic) if evidence else None,
        p_value=evidence.p_value if evidence else None,
        log_p_value=finite(evidence.log_p_value) if evidence else None,
        # Never below the p-value itself, which the way through the logarithm may round to.
        p_value_adjusted=None
        if evidence is None or adjusted_log_p is None
        else max(math.exp(adjusted_log_p), evidence.p_value),
        wasserstein_distance=comparison.wasserstein_distance,
        jensen_shannon_distance=comparison.jensen_shannon_distance,
        null_q99_distance=comparison.null_q99_distance if comparison.jensen_shannon_distance is not None else None,
        effect_measure=effect.measure,
        effect_threshold=effect.threshold,
        min_sample_size=comparison.min_sample_size,
        critical=case.rule.critical,
        approximate=comparison.relative_error is not None,
        relative_error=comparison.relative_error,
        missing_fraction=comparison.missing_fraction,
        missing_fraction_reference=comparison.missing_fraction_reference,
        missing_p_value_adjusted=None if adjusted_log_p_missing is None else math.exp(adjusted_log_p_missing),
        unseen_fraction=comparison.unseen_fraction,
        out_of_range_fraction=comparison.out_of_range_fraction,
        unreadable=case.unreadable,
        unreadable_fraction=n_unreadable / case.n_rows if case.n_rows else None,
        parts=comparison.parts if outcome.verdict is Verdict.DRIFT else (),
        violation=case.violation,
        verdict=outcome.verdict,
        reason=outcome.reason,
    )
