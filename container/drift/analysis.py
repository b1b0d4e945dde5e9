"""One window against the baseline: the whole report as a pure function. No file, no clock, no network."""

from collections.abc import Sequence
from dataclasses import replace

from contract.records import (
    SWITCHED_OFF,
    DriftReport,
    FeatureReport,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
)
from drift import isolation_forest as forest
from drift.counts import NumericCounts
from drift.judgement import Side, Terms, failure, judge
from drift.learned import Baseline
from drift.multivariate import separability
from drift.policy import Policy
from drift.projected_accuracy import project
from drift.recent import EarlierWindows, judge_recent
from drift.segments import judge_segments
from drift.verdict import refusal, rule_text
from drift.window import WindowCounts

_NO_EARLIER_WINDOWS = EarlierWindows()


def analyse(  # noqa: PLR0913 - the report's origin is two plain names, not worth a type of their own
    baseline: Baseline,
    window: WindowCounts,
    policy: Policy,
    *,
    endpoint: str | None,
    schedule: str | None,
    isolation_forest: bool,
    seed: int,
    multivariate: bool = False,
    earlier: EarlierWindows = _NO_EARLIER_WINDOWS,
) -> DriftReport:
    """Compare a captured window with the baseline, and judge it.

    Equal arguments give equal reports. A part that fails unexpectedly is not judged, with the failure as its reason;
    the rest of the report stands.

    Parameters
    ----------
    endpoint, schedule
        Copied into the report.
    isolation_forest, multivariate
        Whether to compute the reference task's proxy, and the joint distribution's drift; both need scikit-learn.
    seed
        Seed of every random draw, 0 or more.
    earlier
        The windows before this one, as a second reference.
    """
    refused = refusal(window.records, window.n_rows, policy)
    terms = Terms(policy=policy, refused=refused, seed=seed)
    side = Side(columns=window.columns, probabilities=window.probabilities)
    outcome = judge(baseline.specs, _reference(baseline), side, terms)
    return DriftReport(
        window=window.bounds,
        endpoint=endpoint,
        schedule=schedule,
        records=window.records,
        n_rows=window.n_rows,
        verdict=outcome.verdict,
        reason=outcome.reason,
        rule=rule_text(policy),
        features=_with_examples(outcome.features, window),
        prediction=outcome.prediction,
        projected_accuracy=_projected_accuracy(baseline, window, terms),
        isolation_forest_similarity=_similarity(baseline, window, refused, seed if isolation_forest else None),
        recent=judge_recent(baseline.specs, earlier, side, terms),
        segments=judge_segments(baseline, window.segments, terms),
        multivariate=_separability(baseline, window, terms, seed if multivariate else None),
    )


def _reference(baseline: Baseline) -> Side:
    if baseline.test is None or baseline.test.probabilities is None:
        return Side(columns=baseline.counts, why_not="the baseline has no predictions for a labelled test set")
    return Side(columns=baseline.counts, probabilities=NumericCounts.of(baseline.test.probabilities))


def _with_examples(features: Sequence[FeatureReport], window: WindowCounts) -> tuple[FeatureReport, ...]:
    examples = window.unreadable_examples
    return tuple(replace(feature, unreadable_examples=dict(examples.get(feature.name, {}))) for feature in features)


def _refused(reason: str) -> str:
    return f"the window is not judged: {reason}"


def _projected_accuracy(baseline: Baseline, window: WindowCounts, terms: Terms) -> ProjectedAccuracy:
    if terms.refused:
        return ProjectedAccuracy(reason=_refused(terms.refused))
    try:
        return project(baseline, window, terms.seed, terms.policy.ignored)
    except Exception as error:
        return ProjectedAccuracy(reason=failure(error))


def _similarity(baseline: Baseline, window: WindowCounts, refused: str, seed: int | None) -> IsolationForestSimilarity:
    if seed is None:
        return IsolationForestSimilarity(reason=SWITCHED_OFF)
    if refused:
        return IsolationForestSimilarity(reason=_refused(refused))
    try:
        return forest.similarity(baseline, window.sample.table, seed)
    except Exception as error:
        return IsolationForestSimilarity(reason=failure(error))


def _separability(baseline: Baseline, window: WindowCounts, terms: Terms, seed: int | None) -> MultivariateReport:
    if seed is None:
        return MultivariateReport(reason=SWITCHED_OFF)
    if terms.refused:
        return MultivariateReport(reason=_refused(terms.refused))
    try:
        return separability(baseline, window.sample.table, seed, terms.policy.ignored)
    except Exception as error:
        return MultivariateReport(reason=failure(error))
