"""One set of value counts judged against another: the same for training, recent windows and segments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from contract.records import FeatureReport, FeatureType, ModelReport, Verdict
from contract.training import PROBABILITY_COLUMN
from drift.case import Case
from drift.counts import ValueCounts
from drift.features import Comparison, compare, schema_finding
from drift.policy import FeatureRule, Policy
from drift.statistics.power import Sought
from drift.table import FeatureSpec
from drift.verdict import judge_features, judge_window


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One side of a comparison: value counts by feature, and of the captured probabilities.

    `probabilities` is None where there are none to compare, and `why_not` says why.
    """

    columns: Mapping[str, ValueCounts]
    probabilities: ValueCounts | None = None
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdicts of one comparison: its own family of tests."""

    verdict: Verdict
    reason: str
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Settings that every comparison of one run shares.

    `endpoint`, `schedule` and `model` are copied into the report. `seed`, 0 or more, is that of every random draw.
    `isolation_forest` and `multivariate` switch on the Isolation Forest similarity and the classifier test; `facet`
    names the categorical column by whose values bias is measured. A window is judged by the labels that come within
    `label_lag_hours`. `not_judged` is the reason why the window as a whole is not judged; None: it is.
    """

    policy: Policy
    seed: int = 0
    endpoint: str | None = None
    schedule: str | None = None
    model: ModelReport | None = None
    isolation_forest: bool = False
    multivariate: bool = False
    facet: str | None = None
    label_lag_hours: int = 0
    not_judged: str | None = None


def judge(specs: Sequence[FeatureSpec], reference: Side, window: Side, context: RunContext) -> Judgement:
    """Compare every feature and the prediction, and judge them together.

    A feature that fails unexpectedly is not judged, with the failure as its reason; the others stand.
    """
    policy = context.policy
    rules = [policy.rule(spec.name, spec.type) for spec in specs]
    n_tests = max(1, sum(not rule.ignore for rule in rules) + _have_predictions(reference, window))
    compared = partial(_compared, n_tests=n_tests, seed=context.seed)
    cases = [
        _feature_case(spec, reference.columns, window.columns.get(spec.name), rule, compared)
        for spec, rule in zip(specs, rules, strict=True)
    ]
    cases.append(_prediction_case(reference, window, policy.rule(None, FeatureType.NUMERIC), compared))
    *features, prediction = judge_features(cases, policy, context.not_judged or "")
    outcome = judge_window(features, prediction, policy, context.not_judged or "")
    return Judgement(verdict=outcome.verdict, reason=outcome.reason, features=tuple(features), prediction=prediction)


def _have_predictions(*sides: Side) -> bool:
    return all(side.probabilities is not None for side in sides)


def failure(error: Exception) -> str:
    """Return the reason of a part that failed for no reason we know of."""
    return f"could not be computed: {type(error).__name__}: {error}"


_Compare: TypeAlias = Callable[[FeatureRule, str, ValueCounts, ValueCounts], Comparison]


def _compared(
    rule: FeatureRule, name: str, reference: ValueCounts, window: ValueCounts, *, n_tests: int, seed: int
) -> Comparison:
    # A feature that drifts alone is adjusted by the number of tests.
    sought = Sought(rule.effect_measure, rule.effect_threshold, rule.alpha / n_tests)
    comparison = compare(name, reference, window, sought=sought, seed=seed)
    if len(reference.values) == 1 and reference.values.tolist() == window.values.tolist():
        return replace(comparison, evidence=None, reason="every value is the same one on both sides")
    return comparison


def _feature_case(
    spec: FeatureSpec,
    reference: Mapping[str, ValueCounts],
    window: ValueCounts | None,
    rule: FeatureRule,
    compared: _Compare,
) -> Case:
    comparison, finding = Comparison(name=spec.name, type=spec.type), None
    try:
        finding = schema_finding(reference[spec.name], window)
        if window is not None:
            comparison = compared(rule, spec.name, reference[spec.name], window)
    except Exception as error:
        # One bad column must not take the other features' verdicts with it, nor its own violation.
        comparison = replace(comparison, reason=failure(error))
    if finding:
        comparison = replace(comparison, reason=finding.reason)
    return Case(
        comparison=comparison,
        rule=rule,
        n_present=window.n_present if window else 0,
        n_rows=window.n_rows if window else 0,
        unreadable=dict(window.unreadable) if window else {},
        violation=finding.violation if finding else None,
        needs_power=True,
    )


def _prediction_case(reference: Side, window: Side, rule: FeatureRule, compared: _Compare) -> Case:
    nothing = Comparison(name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC)
    expected, found = reference.probabilities, window.probabilities
    if expected is None or found is None:
        return Case(comparison=replace(nothing, reason=reference.why_not or window.why_not), rule=rule)
    try:
        if found.n_rows and not found.n_present:
            return Case(comparison=replace(nothing, reason="no predictions were captured"), rule=rule)
        comparison = compared(rule, PROBABILITY_COLUMN, expected, found)
        # An absent prediction is a matter of what was captured, not of what the model answered.
        return Case(
            comparison=replace(comparison, missing_evidence=None),
            rule=rule,
            n_present=found.n_present,
            n_rows=found.n_rows,
            needs_power=True,
        )
    except Exception as error:
        return Case(comparison=replace(nothing, reason=failure(error)), rule=rule)
