"""One window against the baseline: the whole report as a pure function. No file, no clock, no network."""

from contract.records import DriftReport, FeatureType, IsolationForestSimilarity, ProjectedAccuracy
from contract.training import PROBABILITY_COLUMN
from drift import isolation_forest as forest
from drift.counts import NumericCounts
from drift.features import Comparison, compare
from drift.learned import Baseline
from drift.policy import Policy
from drift.projected_accuracy import project
from drift.table import FeatureSpec
from drift.verdict import judge_features, judge_window, refusal
from drift.window import WindowCounts


def analyse(  # noqa: PLR0913 - the report's origin is two plain names, not worth a type of their own
    baseline: Baseline,
    window: WindowCounts,
    policy: Policy,
    *,
    endpoint: str | None,
    schedule: str | None,
    isolation_forest: bool,
    seed: int,
) -> DriftReport:
    """Compare a captured window with the baseline, and judge it.

    Equal arguments give equal reports. A part that fails unexpectedly is not judged, with the failure as its reason;
    the rest of the report stands.

    Parameters
    ----------
    endpoint, schedule
        Copied into the report.
    isolation_forest
        Whether to compute the reference task's proxy too; it needs scikit-learn.
    seed
        Seed of the bootstrap and of the forest, 0 or more.
    """
    refused = refusal(window.records, window.n_rows, policy)
    comparisons = [_compare_feature(spec, baseline, window) for spec in baseline.specs]
    *features, prediction = judge_features([*comparisons, _compare_prediction(baseline, window)], policy, refused)
    outcome = judge_window(features, prediction, refused)
    return DriftReport(
        window=window.bounds,
        endpoint=endpoint,
        schedule=schedule,
        records=window.records,
        n_rows=window.n_rows,
        verdict=outcome.verdict,
        reason=outcome.reason,
        features=tuple(features),
        prediction=prediction,
        projected_accuracy=_projected_accuracy(baseline, window, refused, seed),
        isolation_forest_similarity=_similarity(baseline, window, refused, seed if isolation_forest else None),
    )


def _failure(error: Exception) -> str:
    return f"could not be computed: {type(error).__name__}: {error}"


def _compare_feature(spec: FeatureSpec, baseline: Baseline, window: WindowCounts) -> Comparison:
    try:
        if spec.name not in window.columns:
            return Comparison(name=spec.name, type=spec.type, reason="the window has no such column")
        return compare(spec.name, baseline.counts[spec.name], window.columns[spec.name])
    except Exception as error:
        # One bad column must not take the other features' verdicts with it.
        return Comparison(name=spec.name, type=spec.type, reason=_failure(error))


def _compare_prediction(baseline: Baseline, window: WindowCounts) -> Comparison:
    nothing = Comparison(name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC)
    if baseline.test is None or baseline.test.probabilities is None:
        return _because(nothing, "the baseline has no predictions for a labelled test set")
    try:
        if window.n_rows and not window.probabilities.n_present:
            return _because(nothing, "no predictions were captured")
        reference = NumericCounts.of(baseline.test.probabilities)
        compared = compare(PROBABILITY_COLUMN, reference, window.probabilities)
    except Exception as error:
        return _because(nothing, _failure(error))
    # An absent prediction is a matter of what was captured, not of what the model answered.
    return Comparison(**{**vars(compared), "missing_evidence": None})


def _because(nothing: Comparison, reason: str) -> Comparison:
    return Comparison(name=nothing.name, type=nothing.type, reason=reason)


def _projected_accuracy(baseline: Baseline, window: WindowCounts, refused: str, seed: int) -> ProjectedAccuracy:
    if refused:
        return ProjectedAccuracy(reason=f"the window is not judged: {refused}")
    try:
        return project(baseline, window, seed)
    except Exception as error:
        return ProjectedAccuracy(reason=_failure(error))


def _similarity(baseline: Baseline, window: WindowCounts, refused: str, seed: int | None) -> IsolationForestSimilarity:
    if seed is None:
        return IsolationForestSimilarity(reason="switched off")
    if refused:
        return IsolationForestSimilarity(reason=f"the window is not judged: {refused}")
    try:
        return forest.similarity(baseline, window.sample.table, seed)
    except Exception as error:
        return IsolationForestSimilarity(reason=_failure(error))
