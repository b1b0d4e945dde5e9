"""One window against the baseline: the whole report as a pure function. No file, no clock, no network."""

from collections.abc import Sequence
from dataclasses import replace

from contract.accuracy import Shift
from contract.bias import BiasReport
from contract.quality import QualityReport, ShiftReport, WindowQuality
from contract.records import (
    MODEL_CHANGED,
    SWITCHED_OFF,
    DriftReport,
    FeatureReport,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
    WindowBounds,
)
from drift import isolation_forest as forest
from drift.bias import judge_bias
from drift.counts import NumericCounts
from drift.judgement import Side, Terms, failure, judge
from drift.learned import Baseline
from drift.multivariate import separability
from drift.projection import Projector
from drift.question import Question
from drift.recent import judge_recent
from drift.segments import judge_segments
from drift.shifts import shifts_before_labels
from drift.unjudged import unjudged
from drift.verdict import refusal, rule_text
from drift.window import WindowCounts


def analyse(
    baseline: Baseline, window: WindowCounts, question: Question, projector: Projector | None = None
) -> DriftReport:
    """Compare a captured window with the baseline, and judge it.

    Equal arguments give equal reports. A part that fails unexpectedly is not judged, with the failure as its reason;
    the rest of the report stands.

    Parameters
    ----------
    projector
        What was learned of the baseline before, to be used for several windows; None: it is learned here.
    """
    if question.refused:
        return unjudged(baseline, window, question, question.refused)
    policy, seed = question.policy, question.seed
    projector = projector or Projector.of(baseline, seed=seed, ignored=policy.ignored)
    refused = refusal(window.records, window.n_rows, policy)
    terms = Terms(policy=policy, refused=refused, seed=seed)
    side = Side(columns=window.columns, probabilities=window.probabilities)
    outcome = judge(baseline.specs, _reference(baseline), side, terms)
    projected = _projected_accuracy(projector, window, terms)
    return DriftReport(
        window=window.bounds,
        endpoint=question.endpoint,
        schedule=question.schedule,
        records=window.records,
        n_rows=window.n_rows,
        verdict=outcome.verdict,
        reason=outcome.reason,
        rule=rule_text(policy),
        model=question.model,
        features=_with_examples(outcome.features, window),
        prediction=outcome.prediction,
        projected_accuracy=projected,
        isolation_forest_similarity=_similarity(baseline, window, refused, seed if question.isolation_forest else None),
        recent=judge_recent(baseline.specs, question.earlier, side, terms),
        segments=judge_segments(baseline, window.segments, terms),
        multivariate=_separability(baseline, window, terms, seed if question.multivariate else None),
        shifts=shifts_before_labels(outcome.features, projected, refused),
        bias=_bias(baseline, window, terms, question.facet),
    )


def with_quality(report: DriftReport, quality: QualityReport) -> DriftReport:
    """Return the report with what labels say, of earlier windows and of which shift it is.

    Concept shift is named by the last window that labels judge; label shift too, where that is this window itself.
    """
    judged = quality.latest_judged
    if judged is None:
        concept = ShiftReport(shift=Shift.CONCEPT, reason=f"only labels can show it: {_why_no_labels(quality)}")
        return replace(report, quality=quality, shifts=(*report.shifts, concept))
    shifts = [_of_labels(judged, Shift.CONCEPT, report.window)]
    before = list(report.shifts)
    if judged.window == report.window:
        before = [_of_labels(judged, Shift.LABEL, report.window) if one.shift is Shift.LABEL else one for one in before]
    return replace(report, quality=quality, shifts=(*before, *shifts))


def _why_no_labels(quality: QualityReport) -> str:
    if quality.reason:
        return "no labels are awaited" if quality.reason == SWITCHED_OFF else quality.reason
    return MODEL_CHANGED if any(one.reason == MODEL_CHANGED for one in quality.windows) else "no labels yet"


def _of_labels(judged: WindowQuality, kind: Shift, window: WindowBounds) -> ShiftReport:
    found = judged.shift(kind)
    return found if judged.window == window else replace(found, reason=f"window {judged.window.start}: {found.reason}")


def _bias(baseline: Baseline, window: WindowCounts, terms: Terms, facet: str | None) -> BiasReport:
    try:
        return judge_bias(baseline, window.facets, facet=facet, terms=terms)
    except Exception as error:
        return BiasReport(reason=failure(error), facet=facet)


def _reference(baseline: Baseline) -> Side:
    if baseline.test is None or baseline.test.probabilities is None:
        return Side(columns=baseline.counts, why_not="the baseline has no predictions for a labelled test set")
    return Side(columns=baseline.counts, probabilities=NumericCounts.of(baseline.test.probabilities))


def _with_examples(features: Sequence[FeatureReport], window: WindowCounts) -> tuple[FeatureReport, ...]:
    examples = window.unreadable_examples
    return tuple(replace(feature, unreadable_examples=dict(examples.get(feature.name, {}))) for feature in features)


def _refused(reason: str) -> str:
    return f"the window is not judged: {reason}"


def _projected_accuracy(projector: Projector, window: WindowCounts, terms: Terms) -> ProjectedAccuracy:
    if terms.refused:
        return ProjectedAccuracy(reason=_refused(terms.refused))
    try:
        return projector.project(window, tolerance=terms.policy.accuracy_drop_threshold)
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
