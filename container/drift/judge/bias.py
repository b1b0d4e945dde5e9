"""How differently the model treats the groups of one column, and whether that moved since the labelled test set.

Each value of the column, the facet, is compared with all other rows: when the share of one group moves, the figures of
the others move as well. Rows count as drawn one by one: identical rows make an interval narrower than it should be.
Source of the metrics: SageMaker Developer Guide, "Measure post-training data and model bias".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import special

from plumbline.contract.bias import BiasGroup, BiasMeasure, BiasMetric, BiasReport
from plumbline.contract.reasons import Reason, ReasonCode, window_not_judged
from plumbline.contract.records import SWITCHED_OFF, FeatureType, Status, Verdict
from plumbline.contract.training import DECISION_THRESHOLD, Task
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.errors import ConfigError
from plumbline.drift.judge.comparison import RunContext
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.statistics.declaration import benjamini_hochberg_log
from plumbline.drift.statistics.proportion import GapEstimate, Share, difference, ratio

MIN_GROUP_ROWS = 30
"""Rows of a group, and of all others, from which on a share of them is judged; of labels too where they are needed."""

Groups: TypeAlias = Mapping[str, tuple[NumericCounts, NumericCounts]]
"""By value of the facet, the probabilities of the negative and of the positive rows."""


@dataclass(frozen=True)
class _MetricCase:
    """One metric of one group on both sides; None where too few rows stand for it."""

    measure: BiasMeasure
    window: GapEstimate | None
    reference: GapEstimate | None

    @property
    def log_p_value(self) -> float | None:
        """Two-sided, of the metric being the same on both sides: the normal test of the difference."""
        if self.window is None or self.reference is None:
            return None
        error = math.hypot(self.window.error, self.reference.error)
        if not error:
            return 0.0
        z = abs(self.window.tested - self.reference.tested) / error
        return min(0.0, math.log(2) + float(special.log_ndtr(-z)))


def require_facet(baseline: Baseline, facet: str) -> None:
    """Refuse a facet whose values are no groups.

    Raises
    ------
    ConfigError
        If it names no categorical column of the baseline.
    """
    groups = _facets(baseline)
    if facet not in groups:
        raise ConfigError(
            f"the facet must be a categorical column of the baseline, got {facet!r}; allowed there: {', '.join(groups)}"
        )


def judge_bias(baseline: Baseline, facets: Mapping[str, NumericCounts], context: RunContext) -> BiasReport:
    """Judge how a window's predictions are shared out among the groups; no label is needed.

    Parameters
    ----------
    facets
        By value of the facet, the captured probabilities.
    """
    shares = {value: {_SELECTED: _selected(counts)} for value, counts in facets.items()}
    return _judged(baseline, shares, _PREDICTED, context)


def judge_labelled_bias(baseline: Baseline, by_group: Groups, context: RunContext) -> BiasReport:
    """Judge how predictions, and the mistakes among them, are shared out among the groups."""
    return _judged(baseline, _shares(by_group), _METRICS, context)


_SELECTED, _OF_POSITIVES, _OF_NEGATIVES = "selected", "of positives", "of negatives"
_Shares: TypeAlias = Mapping[str, Mapping[str, Share]]


def _selected(counts: NumericCounts) -> Share:
    called = counts.values >= DECISION_THRESHOLD
    return Share(int(counts.counts[called].sum()), counts.n_present)


def _shares(by_group: Groups) -> _Shares:
    found = {}
    for value, (negatives, positives) in by_group.items():
        of_negatives, of_positives = _selected(negatives), _selected(positives)
        found[value] = {
            _SELECTED: of_negatives + of_positives,
            _OF_POSITIVES: of_positives,
            _OF_NEGATIVES: of_negatives,
        }
    return found


_How: TypeAlias = tuple[str, Callable[[Share, Share], GapEstimate | None]]
"""Which rows' share of positive predictions, and how group and others are compared."""
_PREDICTED: Mapping[BiasMetric, _How] = {
    BiasMetric.DIFFERENCE_IN_POSITIVE_PROPORTIONS: (_SELECTED, difference),
    BiasMetric.DISPARATE_IMPACT: (_SELECTED, ratio),
}
_METRICS = {
    **_PREDICTED,
    BiasMetric.TRUE_POSITIVE_RATE_DIFFERENCE: (_OF_POSITIVES, difference),
    BiasMetric.FALSE_POSITIVE_RATE_DIFFERENCE: (_OF_NEGATIVES, difference),
}


def _judged(baseline: Baseline, window: _Shares, metrics: Mapping[BiasMetric, _How], context: RunContext) -> BiasReport:
    facet = context.facet
    if facet is None:
        return BiasReport(reason=SWITCHED_OFF)
    known = BiasReport(reason=_refusal(baseline, facet), facet=facet, threshold=context.policy.bias_threshold)
    if known.reason:
        return known
    reference = _shares(_of_test(baseline, facet))
    values = sorted({*reference, *window})
    empty = dict.fromkeys((_SELECTED, _OF_POSITIVES, _OF_NEGATIVES), Share(0, 0))
    sides = [{value: {**empty, **side.get(value, {})} for value in values} for side in (window, reference)]
    both = (sides[0], sides[1])
    cases = {value: [_case(metric, value, both, how) for metric, how in metrics.items()] for value in values}
    measures = _verdicts(cases, context)
    groups = tuple(_group(value, both, measures[value]) for value in values)
    verdict = _worst([group.verdict for group in groups])
    return replace(
        known,
        status=Status.ESTIMATED if any(group.selection_rate is not None for group in groups) else Status.NOT_JUDGED,
        reason=_reason(groups, verdict, context),
        verdict=verdict,
        groups=groups,
    )


def _refusal(baseline: Baseline, facet: str) -> Reason | None:
    if baseline.test is None or baseline.test.probabilities is None:
        return ReasonCode.NO_TEST_PREDICTIONS.reason()
    if baseline.task is not Task.BINARY or baseline.positive_label is None:
        return ReasonCode.BIAS_TARGET_NOT_BINARY.reason()
    return None if facet in _facets(baseline) else ReasonCode.FACET_UNKNOWN.reason(facet=facet)


def _facets(baseline: Baseline) -> list[str]:
    return [spec.name for spec in baseline.specs if spec.type is FeatureType.CATEGORICAL]


def _of_test(baseline: Baseline, facet: str) -> Groups:
    test = baseline.test
    if test is None or test.probabilities is None:
        raise ValueError("the test set must have predictions")
    column = np.asarray(test.table.columns[facet], dtype=object)
    positive = np.array([label == baseline.positive_label for label in test.labels])
    return {
        value: (
            NumericCounts.of(test.probabilities[(column == value) & ~positive]),
            NumericCounts.of(test.probabilities[(column == value) & positive]),
        )
        for value in sorted({value for value in column.tolist() if value is not None})
    }


def _case(metric: BiasMetric, value: str, sides: tuple[_Shares, _Shares], how: _How) -> _MetricCase:
    what, compute = how
    found = []
    for side in sides:
        group = side[value][what]
        others = sum((side[other][what] for other in side if other != value), Share(0, 0))
        enough = min(group.total, others.total) >= MIN_GROUP_ROWS
        found.append(compute(group, others) if enough else None)
    ours, before = found
    measure = BiasMeasure(metric=metric)
    if ours:
        measure = replace(measure, value=ours.value, lower=ours.lower, upper=ours.upper)
    if before:
        measure = replace(measure, reference=before.value, reference_lower=before.lower, reference_upper=before.upper)
    return _MetricCase(measure, ours, before)


def _verdicts(cases: Mapping[str, Sequence[_MetricCase]], context: RunContext) -> dict[str, tuple[BiasMeasure, ...]]:
    tested = [log_p for group in cases.values() for case in group if (log_p := case.log_p_value) is not None]
    adjusted = iter(benjamini_hochberg_log(tested))
    return {
        value: tuple(_verdict(case, None if case.log_p_value is None else next(adjusted), context) for case in group)
        for value, group in cases.items()
    }


def _verdict(case: _MetricCase, log_p: float | None, context: RunContext) -> BiasMeasure:
    measure = case.measure
    if log_p is None or measure.value is None or measure.reference is None:
        where = "in the window" if case.window is None else "on the labelled test set"
        needs_positives = measure.metric is BiasMetric.DISPARATE_IMPACT
        or_else = ", or no positive prediction among the others" if needs_positives else ""
        few = ReasonCode.BIAS_ROWS_TOO_FEW.reason(min_rows=MIN_GROUP_ROWS, or_else=or_else, where=where)
        return replace(measure, reason=few)
    move = abs(measure.value - measure.reference)
    if context.not_judged:
        return replace(measure, reason=window_not_judged(context.not_judged))
    numbers = ReasonCode.BIAS_METRIC_COMPARED.reason(
        reference=measure.reference, window=measure.value, p=math.exp(log_p)
    )
    moved = move >= context.policy.bias_threshold and log_p < math.log(context.policy.alpha)
    return replace(measure, verdict=Verdict.DRIFT if moved else Verdict.NO_DRIFT, reason=numbers)


def _group(value: str, sides: tuple[_Shares, _Shares], measures: tuple[BiasMeasure, ...]) -> BiasGroup:
    window, reference = sides
    selected, before = window[value][_SELECTED], reference[value][_SELECTED]
    verdict = _worst([measure.verdict for measure in measures])
    moved = [
        f"{measure.metric.value.replace('_', ' ')} {measure.reason}"
        for measure in measures
        if measure.verdict is Verdict.DRIFT
    ]
    if moved:
        reason: Reason | None = ReasonCode.BIAS_METRICS_MOVED.reason(metrics="; ".join(moved))
    elif verdict is Verdict.NO_DRIFT:
        reason = ReasonCode.BIAS_METRICS_STEADY.reason()
    else:
        reason = measures[0].reason
    return BiasGroup(
        value=value,
        n_rows=selected.total,
        n_rows_reference=before.total,
        selection_rate=selected.value if selected.total else None,
        selection_rate_reference=before.value if before.total else None,
        verdict=verdict,
        reason=reason,
        measures=measures,
    )


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return next((one for one in (Verdict.DRIFT, Verdict.NO_DRIFT) if one in verdicts), Verdict.NOT_JUDGED)


def _reason(groups: Sequence[BiasGroup], verdict: Verdict, context: RunContext) -> Reason | None:
    if verdict is Verdict.NOT_JUDGED:
        return window_not_judged(context.not_judged) if context.not_judged else ReasonCode.GROUPS_TOO_SMALL.reason()
    names = ", ".join(group.value for group in groups if group.verdict is Verdict.DRIFT)
    return ReasonCode.GROUPS_DRIFTED.reason(names=names) if names else None
