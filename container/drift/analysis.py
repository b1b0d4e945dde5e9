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
from drift.judgement import RunContext, Side, failure, judge
from drift.learned import Baseline
from drift.multivariate import separability
from drift.projection import Projector
from drift.recent import EarlierWindows, judge_recent
from drift.segments import judge_segments
from drift.shifts import shifts_before_labels
from drift.unjudged import unjudged
from drift.verdict import refusal, rule_text
from drift.window import WindowCounts

_NO_EARLIER_WINDOWS = EarlierWindows()


def analyse(
    baseline: Baseline,
    window: WindowCounts,
    context: RunContext,
    projector: Projector | None = None,
    *,
    earlier: EarlierWindows = _NO_EARLIER_WINDOWS,
) -> DriftReport:
    """Compare a captured window with the baseline, and judge it.

    Equal arguments give equal reports. A part that fails unexpectedly is not judged, with the failure as its reason;
    the rest of the report stands.

    Parameters
    ----------
    projector
        What was learned of the baseline before, to be used for several windows; None: it is learned here.
    earlier
        The windows before this one, as a second reference.
    """
    if context.not_judged:
        return unjudged(baseline, window, context, context.not_judged, has_earlier=earlier.n_wanted > 0)
    policy, seed = context.policy, context.seed
    projector = projector or Projector.of(baseline, seed=seed, ignored=policy.ignored)
    refused = refusal(window.records, window.n_rows, policy)
    context = replace(context, not_judged=refused or None)
    side = Side(columns=window.columns, probabilities=window.probabilities)
    outcome = judge(baseline.specs, _reference(baseline), side, context)
    projected = _projected_accuracy(projector, window, context)
    return DriftReport(
        window=window.bounds,
        endpoint=context.endpoint,
        schedule=context.schedule,
        records=window.records,
        n_rows=window.n_rows,
        verdict=outcome.verdict,
        reason=outcome.reason,
        rule=rule_text(policy),
        model=context.model,
        features=_with_examples(outcome.features, window),
        prediction=outcome.prediction,
        projected_accuracy=projected,
        isolation_forest_similarity=_similarity(baseline, window, refused, seed if context.isolation_forest else None),
        recent=judge_recent(baseline.specs, earlier, side, context),
        segments=judge_segments(baseline, window.segments, context),
        multivariate=_separability(baseline, window, context, seed if context.multivariate else None),
        shifts=shifts_before_labels(outcome.features, projected, refused),
        bias=_bias(baseline, window, context),
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


def _bias(baseline: Baseline, window: WindowCounts, context: RunContext) -> BiasReport:
    try:
        return judge_bias(baseline, window.facets, context)
    except Exception as error:
        return BiasReport(reason=failure(error), facet=context.facet)


def _reference(baseline: Baseline) -> Side:
    if baseline.test is None or baseline.test.probabilities is None:
        return Side(columns=baseline.counts, why_not="the baseline has no predictions for a labelled test set")
    return Side(columns=baseline.counts, probabilities=NumericCounts.of(baseline.test.probabilities))


def _with_examples(features: Sequence[FeatureReport], window: WindowCounts) -> tuple[FeatureReport, ...]:
    examples = window.unreadable_examples
    return tuple(replace(feature, unreadable_examples=dict(examples.get(feature.name, {}))) for feature in features)


def _refused(reason: str) -> str:
    return f"the window is not judged: {reason}"


def _projected_accuracy(projector: Projector, window: WindowCounts, context: RunContext) -> ProjectedAccuracy:
    if context.not_judged:
        return ProjectedAccuracy(reason=_refused(context.not_judged))
    try:
        return projector.project(window, tolerance=context.policy.accuracy_drop_threshold)
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


def _separability(
    baseline: Baseline, window: WindowCounts, context: RunContext, seed: int | None
) -> MultivariateReport:
    if seed is None:
        return MultivariateReport(reason=SWITCHED_OFF)
    if context.not_judged:
        return MultivariateReport(reason=_refused(context.not_judged))
    try:
        return separability(baseline, window.sample.table, seed, context.policy.ignored)
    except Exception as error:
        return MultivariateReport(reason=failure(error))
