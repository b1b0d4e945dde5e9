"""One window against the baseline: the whole report as a pure function. No file, no clock, no network."""

from collections.abc import Sequence
from dataclasses import replace

from plumbline.contract.accuracy import NO_HISTORY_NOTE, Shift
from plumbline.contract.bias import BiasReport
from plumbline.contract.quality import KnownMiss, QualityReport, ShiftReport, WindowQuality
from plumbline.contract.reasons import UNUSABLE_LABELS, Reason, ReasonCode, has_code, joined, window_not_judged
from plumbline.contract.records import (
    SWITCHED_OFF,
    AcceptedReport,
    DriftReport,
    FeatureReport,
    IsolationForestSimilarity,
    MultivariateReport,
    ProjectedAccuracy,
    Status,
    Verdict,
    WindowBounds,
)
from plumbline.drift.compare import isolation_forest as forest
from plumbline.drift.compare.classifier_test import separability
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.accepted import accepted_note, accepted_report, shifts_with_accepted, with_accepted
from plumbline.drift.judge.bias import judge_bias
from plumbline.drift.judge.comparison import RunContext, Sample, clumped, design_effects, judge
from plumbline.drift.judge.faults import FaultLog, with_faults
from plumbline.drift.judge.feedback import misses_before
from plumbline.drift.judge.past import Past
from plumbline.drift.judge.segments import judge_segments
from plumbline.drift.judge.shifts import shifts_before_labels
from plumbline.drift.judge.verdict import answers_note, judge_rows, loss_warnings, rule_text, window_refusal
from plumbline.drift.projection import Projector
from plumbline.drift.projection.refusals import labels_for_probabilities
from plumbline.drift.reference.baseline import Baseline


def analyse(
    baseline: Baseline,
    window: WindowCounts,
    context: RunContext,
    projector: Projector | None = None,
    *,
    misses: Sequence[KnownMiss] = (),
) -> DriftReport:
    """Compare a captured window with the baseline, and judge it.

    Equal arguments give equal reports. A part that fails unexpectedly is not judged, with the fault as its reason; the
    rest of the report stands, and is never `no_drift` (`judge.faults`). Nor is any part of a window with
    `context.not_judged`.

    Parameters
    ----------
    projector
        What was learned of the baseline before, to be used for several windows; None: it is learned here.
    misses
        Of projections, as labels have shown them; those of this window itself are left out.
    """
    faults = FaultLog()
    own = replace(context, faults=faults)
    if context.not_judged:
        report = _not_judged(baseline, window, own, context.not_judged)
    else:
        projector = projector or Projector.of(baseline, seed=context.seed, ignored=context.policy.ignored)
        report = _judged(baseline, window, own, projector, misses_before(misses, window.bounds))
    context.faults.add(faults)
    return with_faults(report, faults)


def _judged(
    baseline: Baseline, window: WindowCounts, context: RunContext, projector: Projector, misses: Sequence[KnownMiss]
) -> DriftReport:
    context = replace(context, not_judged=window_refusal(window.records, window.n_rows, context.policy))
    sample = window_sample(baseline, window)
    past = None
    if baseline.history is not None:
        past = context.faults.guarded(
            "the past", lambda: Past.like(baseline.history, window.n_rows, window.bounds), lambda _: None
        )
    thresholds = past.thresholds(baseline.specs, context.policy) if past else {}
    training = replace(reference_sample(baseline, window), past=thresholds)
    found = judge(baseline.specs, with_accepted(training, context.accepted, baseline.blocks), sample, context)
    accepted = _accepted(baseline, training, sample, context)
    projected = _projected_accuracy(projector, baseline, window, context, misses)
    return DriftReport(
        window=window.bounds,
        endpoint=context.endpoint,
        schedule=context.schedule,
        records=window.records,
        n_rows=window.n_rows,
        answers=window.answers,
        verdict=found.verdict,
        reason=found.reason if context.not_judged else joined(found.reason, accepted_note(context.accepted)),
        rule=rule_text(context.policy),
        model=context.model,
        features=_with_examples(found.features, window),
        prediction=found.prediction,
        projected_accuracy=projected,
        isolation_forest_similarity=_similarity(baseline, window, context),
        accepted=accepted,
        segments=judge_segments(baseline, window.segments, context, window.bounds),
        multivariate=_separability(baseline, window, context, past),
        shifts=shifts_with_accepted(_shifts(found.features, projected, context), accepted),
        bias=_bias(baseline, window, context),
        warnings=_warnings(window, context),
        past=past.words if past else None,
    )


def _warnings(window: WindowCounts, context: RunContext) -> tuple[Reason, ...]:
    unusable = context.accepted.warning
    return (*loss_warnings(window, context.not_judged), *([unusable] if unusable else []))


def _accepted(baseline: Baseline, training: Sample, sample: Sample, context: RunContext) -> AcceptedReport:
    return context.faults.guarded(
        "the accepted windows",
        lambda: accepted_report(baseline.specs, training, sample, context),
        lambda _: context.accepted.report,
    )


def _shifts(
    features: Sequence[FeatureReport], projected: ProjectedAccuracy, context: RunContext
) -> tuple[ShiftReport, ...]:
    return context.faults.guarded(
        "the kinds of shift",
        lambda: shifts_before_labels(features, projected, context.not_judged),
        lambda why: tuple(ShiftReport(shift=shift, reason=why) for shift in (Shift.COVARIATE, Shift.LABEL)),
    )


def with_quality(report: DriftReport, quality: QualityReport) -> DriftReport:
    """Return the report with the quality of earlier windows by their labels, and with concept shift.

    Concept shift is that of the last window that labels judge; label shift too, where that is this window itself.
    """
    judged = quality.latest_judged
    if judged is None:
        reason = ReasonCode.CONCEPT_SHIFT_NEEDS_LABELS.reason(why=_why_no_labels(quality))
        concept = ShiftReport(shift=Shift.CONCEPT, reason=reason)
        return replace(report, quality=quality, shifts=(*report.shifts, concept))
    shifts = [_of_labels(judged, Shift.CONCEPT, report.own_window)]
    before = list(report.shifts)
    if judged.window == report.own_window:
        before = [
            _of_labels(judged, Shift.LABEL, report.own_window) if one.shift is Shift.LABEL else one for one in before
        ]
    return replace(report, quality=quality, shifts=(*before, *shifts))


def _why_no_labels(quality: QualityReport) -> str:
    if quality.is_switched_off:
        return "no labels are awaited"
    if quality.reason is not None:
        return quality.reason.text
    for code in (ReasonCode.MODEL_CHANGED, *UNUSABLE_LABELS):
        found = next((one.reason for one in reversed(quality.windows) if has_code(one.reason, code)), None)
        if found is not None:
            return found.text
    return str(ReasonCode.NO_LABELS_YET.reason())


def _of_labels(judged: WindowQuality, kind: Shift, window: WindowBounds) -> ShiftReport:
    found = judged.shift(kind)
    if judged.window == window:
        return found
    named = f"window {judged.window.start}: "
    reason = Reason(ReasonCode.OTHER, named) if found.reason is None else found.reason.prefixed(named)
    return replace(found, reason=reason)


def _not_judged(baseline: Baseline, window: WindowCounts, context: RunContext, why: Reason) -> DriftReport:
    """Return a report without a comparison; each part that was requested has the reason `why`.

    Columns that are missing, or of another type than in training, are reported all the same: that concerns the payload.
    """
    not_judged = window_not_judged(why)
    found = judge(
        baseline.specs,
        Sample(columns=baseline.counts),
        Sample(columns=window.columns, no_probabilities=why),
        context,
    )
    return DriftReport(
        window=window.bounds,
        endpoint=context.endpoint,
        schedule=context.schedule,
        records=window.records,
        n_rows=window.n_rows,
        answers=window.answers,
        verdict=Verdict.NOT_JUDGED,
        reason=why,
        rule=rule_text(context.policy),
        model=context.model,
        features=tuple(_counted(feature, window) for feature in found.features),
        prediction=FeatureReport(name=found.prediction.name, type=found.prediction.type, reason=not_judged),
        projected_accuracy=ProjectedAccuracy(reason=not_judged),
        isolation_forest_similarity=IsolationForestSimilarity(
            reason=_if_requested(context.isolation_forest, not_judged)
        ),
        accepted=context.accepted.report,
        multivariate=MultivariateReport(reason=_if_requested(context.multivariate, not_judged)),
        shifts=tuple(ShiftReport(shift=shift, reason=not_judged) for shift in (Shift.COVARIATE, Shift.LABEL)),
        bias=BiasReport(reason=_if_requested(context.facet is not None, not_judged), facet=context.facet),
        warnings=_warnings(window, replace(context, not_judged=why)),
    )


def _if_requested(wanted: bool, not_judged: Reason) -> Reason:
    return not_judged if wanted else SWITCHED_OFF


def _counted(feature: FeatureReport, window: WindowCounts) -> FeatureReport:
    """Return a feature without the comparison: a number in the report would be read as a finding."""
    return FeatureReport(
        name=feature.name,
        type=feature.type,
        missing_fraction=feature.missing_fraction,
        unreadable=feature.unreadable,
        unreadable_examples=dict(window.unreadable_examples.get(feature.name, {})),
        unreadable_fraction=feature.unreadable_fraction,
        violation=feature.violation,
        reason=feature.reason,
    )


def _bias(baseline: Baseline, window: WindowCounts, context: RunContext) -> BiasReport:
    if window.no_predictions and context.facet is not None:
        return BiasReport(reason=window.no_predictions, facet=context.facet)
    return context.faults.guarded(
        "bias",
        lambda: judge_bias(baseline, window.facets, context),
        lambda why: BiasReport(reason=why, facet=context.facet),
    )


def window_sample(baseline: Baseline, window: WindowCounts) -> Sample:
    """Return the window as a side of a comparison."""
    return Sample(
        columns=window.columns,
        probabilities=window.probabilities,
        no_probabilities=window.no_predictions,
        note=answers_note(window.answers),
        design_effects=design_effects(baseline.blocks, baseline.counts, window.n_rows, window.columns),
    )


def reference_sample(baseline: Baseline, window: WindowCounts) -> Sample:
    """Return the reference that a window is compared with: no probabilities where those of the window are unlike."""
    plain = Sample(
        columns=baseline.counts,
        design_effects=design_effects(baseline.blocks, baseline.counts, baseline.n_rows),
    )
    if baseline.test is None or baseline.test.probabilities is None:
        return replace(plain, no_probabilities=ReasonCode.NO_TEST_PREDICTIONS.reason())
    unlike = labels_for_probabilities(window.probabilities, baseline.test.probabilities)
    if unlike:
        return replace(plain, no_probabilities=unlike)
    return replace(plain, probabilities=NumericCounts.of(baseline.test.probabilities))


def _with_examples(features: Sequence[FeatureReport], window: WindowCounts) -> tuple[FeatureReport, ...]:
    examples = window.unreadable_examples
    return tuple(replace(feature, unreadable_examples=dict(examples.get(feature.name, {}))) for feature in features)


def _projected_accuracy(
    projector: Projector,
    baseline: Baseline,
    window: WindowCounts,
    context: RunContext,
    misses: Sequence[KnownMiss],
) -> ProjectedAccuracy:
    if context.not_judged:
        return ProjectedAccuracy(reason=window_not_judged(context.not_judged))
    return context.faults.guarded(
        "the projected accuracy",
        lambda: _with_assumption(
            projector.project(
                clumped(window, baseline), drop_threshold=context.policy.accuracy_drop_threshold, misses=misses
            ),
            baseline,
        ),
        lambda why: ProjectedAccuracy(reason=why),
    )


def _with_assumption(found: ProjectedAccuracy, baseline: Baseline) -> ProjectedAccuracy:
    """Return the projection with what it assumes where nothing is known of the task's past."""
    if baseline.history is not None or found.status is not Status.ESTIMATED:
        return found
    return replace(found, note=f"{found.note} {NO_HISTORY_NOTE}")


def _similarity(baseline: Baseline, window: WindowCounts, context: RunContext) -> IsolationForestSimilarity:
    if not context.isolation_forest:
        return IsolationForestSimilarity(reason=SWITCHED_OFF)
    if context.not_judged:
        return IsolationForestSimilarity(reason=window_not_judged(context.not_judged))
    return context.faults.guarded(
        "the Isolation Forest similarity",
        lambda: forest.similarity(baseline, window.sample.table, context.seed),
        lambda why: IsolationForestSimilarity(reason=why),
    )


def _separability(
    baseline: Baseline, window: WindowCounts, context: RunContext, past: Past | None
) -> MultivariateReport:
    if not context.multivariate:
        return MultivariateReport(reason=SWITCHED_OFF)
    if context.not_judged:
        return MultivariateReport(reason=window_not_judged(context.not_judged))
    return context.faults.guarded(
        "whole rows",
        lambda: _rows(baseline, window, context, past),
        lambda why: MultivariateReport(reason=why),
    )


def _rows(baseline: Baseline, window: WindowCounts, context: RunContext, past: Past | None) -> MultivariateReport:
    """Return whole rows without the accepted features: of accepted windows there are counts, and no rows."""
    ignored, accepted = context.policy.ignored, context.accepted.names
    judged = {spec.name for spec in baseline.specs} - ignored
    names = ", ".join(spec.name for spec in baseline.specs if spec.name in judged & accepted)
    if names and judged <= accepted:
        return MultivariateReport(reason=ReasonCode.ACCEPTED_WITHOUT_ROWS.reason())
    found = judge_rows(
        separability(baseline, window.sample.table, context.seed, ignored | accepted),
        context.policy,
        past.of_rows if past else None,
    )
    if not names or found.verdict is Verdict.NOT_JUDGED:
        return found
    return replace(
        found, verdict_reason=joined(found.verdict_reason, ReasonCode.ROWS_WITHOUT_ACCEPTED.reason(names=names))
    )
