"""One judged feature as the report has it."""

import math

from contract.records import FeatureReport, Verdict, finite
from drift.case import Case, Outcome


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
        chance_distance=comparison.chance_distance if comparison.jensen_shannon_distance is not None else None,
        effect_measure=effect.measure,
        effect_threshold=effect.threshold,
        rows_needed=comparison.rows_needed,
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
