"""One window with its labels -> its realised quality, held against what was projected for the same rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from plumbline.contract.accuracy import Measure, MeasureReport, ProjectedAccuracy, Shift
from plumbline.contract.bias import BiasReport
from plumbline.contract.quality import SelectionReport, ShiftReport, WindowQuality
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import Verdict, WindowBounds
from plumbline.contract.rejection import LabelRejectionReason
from plumbline.contract.training import DECISION_THRESHOLD, Task
from plumbline.drift.compare.shift_tests import LEVEL
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.ground_truth.evidence import (
    Projection,
    expected_test,
    expected_window,
    labelled_test,
    labelled_window,
)
from plumbline.drift.ground_truth.join import JoinedWindow
from plumbline.drift.ground_truth.measures import ConfusionCounts, ScoredCounts, class_measures, measures
from plumbline.drift.judge.bias import judge_labelled_bias
from plumbline.drift.judge.comparison import RunContext, Sample, clumped, judge
from plumbline.drift.judge.shifts import LabelEvidence, shifts_after_labels
from plumbline.drift.judge.verdict import PREDICTION, Ruling, answers_refusal, too_few, too_many_rejected
from plumbline.drift.projection.refusals import labels_for_probabilities
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE, ONE_SIDED_QUANTILE


def judge_quality(
    joined: JoinedWindow,
    baseline: Baseline,
    projection: Projection,
    context: RunContext,
    *,
    is_final: bool,
) -> WindowQuality:
    """Return the quality of one window of a model that predicts classes.

    The realised accuracy dropped when it is below the labelled test set's by `policy.accuracy_drop_threshold` or more,
    and by more than 1.645 standard deviations. A window whose labels do not suffice is not judged, and has no figures.
    """
    known = WindowQuality(
        window=joined.bounds,
        n_rows=joined.n_rows,
        n_labelled=joined.labelled.n_rows,
        labelled_fraction=joined.labelled_fraction,
        is_final=is_final,
    )
    rejected = too_many_rejected(joined.records, context.policy)
    not_judged = context.not_judged or rejected or _refusal(joined, baseline, context, is_final)
    if not_judged:
        return _with(known, reason=not_judged)
    # One window must not take the others, or the report, with it.
    return context.faults.guarded(
        _named("quality", joined.bounds),
        lambda: _judged(known, joined, baseline, projection, context),
        lambda why: _with(known, reason=why),
    )


def _named(part: str, window: WindowBounds) -> str:
    return f"{part} of {window.start}" if window.start else part


def _with(known: WindowQuality, **found: object) -> WindowQuality:
    return WindowQuality(**{**vars(known), **found})


def _refusal(joined: JoinedWindow, baseline: Baseline, context: RunContext, is_final: bool) -> Reason | None:
    labelled, fraction = joined.labelled, joined.labelled_fraction
    if fraction is None:
        return ReasonCode.NO_RECORDS.reason()
    if baseline.test is None or baseline.test.probabilities is None:
        return ReasonCode.NO_TEST_PREDICTIONS.reason()
    if not labelled.n_rows and joined.unusable:
        n_requests = sum(joined.unusable.values())
        return ReasonCode.LABELS_REJECTED.reason(
            requests=f"{n_requests} request{'' if n_requests == 1 else 's'}", rejected=numbered(joined.unusable)
        )
    if not labelled.n_rows or fraction < context.policy.minimum_labelled_fraction:
        return _too_few_labels(fraction if labelled.n_rows else None, context, is_final)
    unreadable = answers_refusal(labelled.answers, context.policy)
    if unreadable or not labelled.probabilities.n_present:
        return unreadable or ReasonCode.NO_PREDICTIONS.reason()
    few = too_few(labelled.probabilities.n_present, context.policy)
    return ReasonCode.LABELLED_ROWS_TOO_FEW.reason(rows=few) if few else None


def numbered(rejected: Mapping[LabelRejectionReason, int] | Mapping[str, int]) -> str:
    """Return numbers by reason in words, the largest first."""
    largest = sorted(rejected.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{number} {reason}" for reason, number in largest)


def _too_few_labels(fraction: float | None, context: RunContext, is_final: bool) -> Reason:
    if fraction is not None:
        return ReasonCode.LABELLED_FRACTION_TOO_LOW.reason(
            percent=100 * fraction,
            so_far="" if is_final else " so far",
            min_percent=100 * context.policy.minimum_labelled_fraction,
        )
    if is_final:
        return ReasonCode.NO_LABELS_IN_TIME.reason(lag_hours=context.label_lag_hours)
    return ReasonCode.NO_LABELS_YET.reason()


def _judged(
    known: WindowQuality, joined: JoinedWindow, baseline: Baseline, projection: Projection, context: RunContext
) -> WindowQuality:
    test = baseline.test
    if test is None:
        raise ValueError("the baseline must have a labelled test set")
    joined = replace(joined, labelled=clumped(joined.labelled, baseline))
    window, reference = labelled_window(joined, baseline), labelled_test(test, baseline)
    threshold = context.policy.accuracy_drop_threshold
    if isinstance(window.realised, ScoredCounts) and isinstance(reference.realised, ScoredCounts):
        found = measures(window.realised, reference.realised, context.seed)
    elif isinstance(window.realised, ConfusionCounts) and isinstance(reference.realised, ConfusionCounts):
        found = class_measures(window.realised, reference.realised, context.seed)
    ruling = _drop(window.scored, reference.scored, baseline.task, threshold)
    measured = projection.measure(joined.labelled, drop_threshold=threshold)
    # Of the rows alone: a projection with what earlier labels showed would hold the labels against themselves.
    projected = _projected(measured.by_rows())
    accuracy = _right(window.scored, baseline.task)[0]
    projection_error = None if projected.value is None else accuracy - projected.value
    nothing = NumericCounts.of(np.zeros(0))
    expected, allowed = _expectation(projected, window.scored, reference.scored, baseline.task, projection)
    evidence = LabelEvidence(
        window=expected_window(window, joined, baseline, projection),
        reference=expected_test(reference, test, baseline, projection),
        scores={
            label: (reference.scores.get(label, nothing), window.scores.get(label, nothing))
            for label in sorted(reference.scores.keys() | window.scores.keys())
        },
        dropped=ruling.verdict is Verdict.DRIFT,
        loss=expected - accuracy,
        allowed=allowed,
        is_projected=projected.value is not None,
    )
    only_labels = None
    if test.probabilities is not None:
        only_labels = labels_for_probabilities(joined.labelled.probabilities, test.probabilities)
    return _with(
        known,
        verdict=ruling.verdict,
        reason=ruling.reason,
        measures=_of_labels(found, only_labels) if only_labels else found,
        projected=projected,
        projection_error=projection_error,
        miss=None if only_labels else measured.miss(accuracy, joined.bounds),
        shifts=_no_shifts(only_labels) if only_labels else _shifts(evidence, threshold, joined.bounds, context),
        selection=_selection(joined, baseline, context),
        bias=_bias(joined, baseline, context),
    )


def _right(scored: ScoredCounts, task: Task | None) -> tuple[float, float]:
    """Return the accuracy, and the effective number of rows."""
    # Of several classes a row counts as positive where its prediction is right.
    accuracy = scored.n_positive / scored.n_rows if task is Task.MULTICLASS else scored.accuracy
    return accuracy, scored.n_rows / scored.design_effect


def _drop(window: ScoredCounts, reference: ScoredCounts, task: Task | None, threshold: float) -> Ruling:
    realised, n = _right(window, task)
    before, n_before = _right(reference, task)
    drop = before - realised
    deviation = math.sqrt(realised * (1 - realised) / n + before * (1 - before) / n_before)
    code, verdict = ReasonCode.ACCURACY_HELD, Verdict.NO_DRIFT
    if drop >= threshold and drop > ONE_SIDED_QUANTILE * deviation:
        code, verdict = ReasonCode.ACCURACY_DROPPED, Verdict.DRIFT
    elif drop >= threshold:
        code = ReasonCode.ACCURACY_WITHIN_CHANCE
    reason = code.reason(realised=100 * realised, reference=100 * before, drop=100 * drop, threshold=100 * threshold)
    return Ruling(verdict, reason)


def _projected(found: ProjectedAccuracy) -> MeasureReport:
    return MeasureReport(
        measure=Measure.ACCURACY,
        status=found.status,
        reason=found.reason,
        value=found.estimate,
        lower=found.lower,
        upper=found.upper,
        reference=found.reference,
    )


def _expectation(
    projected: MeasureReport, window: ScoredCounts, reference: ScoredCounts, task: Task | None, projection: Projection
) -> tuple[float, float]:
    """Return the accuracy expected of a window's rows, and the half-width of its 95 % interval.

    Where nothing was projected it is that of the calibrated scores, which a change of the rows can make wrong.
    """
    if projected.value is not None and projected.lower is not None and projected.upper is not None:
        # An end cut off at 0 or 1 does not bound the other's width.
        return projected.value, max(projected.value - projected.lower, projected.upper - projected.value)
    positive = projection.calibrated(window.scores)
    called = window.scores >= DECISION_THRESHOLD
    right = positive if task is Task.MULTICLASS else np.where(called, positive, 1 - positive)
    shares = window.rows / window.n_rows
    before, n_before = _right(reference, task)
    variance = float(shares @ (right * (1 - right))) / window.n_rows * window.design_effect
    return float(shares @ right), NORMAL_QUANTILE * math.sqrt(variance + before * (1 - before) / n_before)


_OF_PROBABILITIES = frozenset({Measure.AREA_UNDER_CURVE, Measure.LOG_LOSS, Measure.CALIBRATION_ERROR})
"""Measures that labels alone say nothing of."""


def _of_labels(found: Sequence[MeasureReport], why: Reason) -> tuple[MeasureReport, ...]:
    """Return the figures where the endpoint answers labels alone: those of probabilities are not judged."""
    return tuple(
        MeasureReport(measure=one.measure, reason=why, reference=one.reference)
        if one.measure in _OF_PROBABILITIES
        else one
        for one in found
    )


def _no_shifts(why: Reason) -> tuple[ShiftReport, ...]:
    return tuple(ShiftReport(shift=shift, reason=why) for shift in (Shift.LABEL, Shift.CONCEPT))


def _shifts(
    evidence: LabelEvidence, threshold: float, window: WindowBounds, context: RunContext
) -> tuple[ShiftReport, ...]:
    # The realised figures stand without the diagnosis.
    return context.faults.guarded(
        _named("the kinds of shift by labels", window),
        lambda: shifts_after_labels(evidence, threshold),
        _no_shifts,
    )


def _bias(joined: JoinedWindow, baseline: Baseline, context: RunContext) -> BiasReport:
    none = NumericCounts.of(np.zeros(0))
    positives, negatives = (
        {
            value: counts
            for label, part in joined.by_label.items()
            if (label == baseline.positive_label) is positive
            for value, counts in part.facets.items()
        }
        for positive in (True, False)
    )
    by_group = {
        value: (negatives.get(value, none), positives.get(value, none)) for value in sorted(positives | negatives)
    }
    return context.faults.guarded(
        _named("bias by labels", joined.bounds),
        lambda: judge_labelled_bias(baseline, by_group, context),
        lambda why: BiasReport(reason=why, facet=context.facet),
    )


def _selection(joined: JoinedWindow, baseline: Baseline, context: RunContext) -> SelectionReport:
    """Judge whether the labelled rows differ from those without a label."""
    n_others = joined.unlabelled.n_rows
    if not n_others:
        return SelectionReport(verdict=Verdict.NO_DRIFT, reason=ReasonCode.EVERY_ROW_LABELLED.reason())
    few = too_few(n_others, context.policy)
    if few:
        return SelectionReport(reason=ReasonCode.UNLABELLED_ROWS_TOO_FEW.reason(rows=few))
    others, labelled = (
        Sample(columns=counts.columns, probabilities=counts.probabilities)
        for counts in (joined.unlabelled, joined.labelled)
    )
    # The level of every test of labels: each window is judged again each hour.
    context = replace(context, policy=replace(context.policy, alpha=LEVEL))
    outcome = judge(baseline.specs, others, labelled, context, where=_named(" of the labelled rows", joined.bounds))
    drifted = [feature.name for feature in outcome.features if feature.verdict is Verdict.DRIFT]
    drifted += [PREDICTION] * (outcome.prediction.verdict is Verdict.DRIFT)
    if outcome.verdict is Verdict.DRIFT:
        reason = ReasonCode.LABELS_SELECTIVE.reason(names=", ".join(drifted))
        return SelectionReport(verdict=Verdict.DRIFT, reason=reason, features=tuple(drifted))
    return SelectionReport(verdict=outcome.verdict, reason=outcome.reason)
