"""One set of value counts judged against another: the same for training, recent windows and segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contract.records import FeatureReport, FeatureType, Verdict
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
class Terms:
    """On what terms one side is judged against the other.

    `refused` says why the window as a whole is not judged; empty: it is. `seed`, 0 or more, is that of the tests that
    draw at random.
    """

    policy: Policy
    refused: str = ""
    seed: int = 0


def judge(specs: Sequence[FeatureSpec], reference: Side, window: Side, terms: Terms) -> Judgement:
    """Compare every feature and the prediction, and judge them together.

    A feature that fails unexpectedly is not judged, with the failure as its reason; the others stand.
    """
    policy = terms.policy
    rules = [policy.rule(spec.name, spec.type) for spec in specs]
    n_tests = max(1, sum(not rule.ignore for rule in rules) + _have_predictions(reference, window))
    cases = [
        _feature_case(spec, reference.columns, window.columns.get(spec.name), _Question(rule, n_tests, terms.seed))
        for spec, rule in zip(specs, rules, strict=True)
    ]
    question = _Question(policy.rule(None, FeatureType.NUMERIC), n_tests, terms.seed)
    cases.append(_prediction_case(reference, window, question))
    *features, prediction = judge_features(cases, policy, terms.refused)
    outcome = judge_window(features, prediction, policy, terms.refused)
    return Judgement(verdict=outcome.verdict, reason=outcome.reason, features=tuple(features), prediction=prediction)


def _have_predictions(*sides: Side) -> bool:
    return all(side.probabilities is not None for side in sides)


def failure(error: Exception) -> str:
    """Return the reason of a part that failed for no reason we know of."""
    return f"could not be computed: {type(error).__name__}: {error}"


@dataclass(frozen=True)
class _Question:
    """What is asked of one column: the rule that holds for it, among how many tests, and the seed of its draws."""

    rule: FeatureRule
    n_tests: int
    seed: int

    def compared(self, name: str, reference: ValueCounts, window: ValueCounts) -> Comparison:
        # A feature that drifts alone is adjusted by the number of tests.
        sought = Sought(self.rule.effect_measure, self.rule.effect_threshold, self.rule.alpha / self.n_tests)
        comparison = compare(name, reference, window, sought=sought, seed=self.seed)
        if len(reference.values) == 1 and reference.values.tolist() == window.values.tolist():
            return replace(comparison, evidence=None, reason="every value is the same one on both sides")
        return comparison


def _feature_case(
    spec: FeatureSpec, reference: Mapping[str, ValueCounts], window: ValueCounts | None, question: _Question
) -> Case:
    rule = question.rule
    comparison, finding = Comparison(name=spec.name, type=spec.type), None
    try:
        finding = schema_finding(reference[spec.name], window)
        if window is not None:
            comparison = question.compared(spec.name, reference[spec.name], window)
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


def _prediction_case(reference: Side, window: Side, question: _Question) -> Case:
    rule = question.rule
    nothing = Comparison(name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC)
    expected, found = reference.probabilities, window.probabilities
    if expected is None or found is None:
        return Case(comparison=replace(nothing, reason=reference.why_not or window.why_not), rule=rule)
    try:
        if found.n_rows and not found.n_present:
            return Case(comparison=replace(nothing, reason="no predictions were captured"), rule=rule)
        compared = question.compared(PROBABILITY_COLUMN, expected, found)
        # An absent prediction is a matter of what was captured, not of what the model answered.
        return Case(
            comparison=replace(compared, missing_evidence=None),
            rule=rule,
            n_present=found.n_present,
            n_rows=found.n_rows,
            needs_power=True,
        )
    except Exception as error:
        return Case(comparison=replace(nothing, reason=failure(error)), rule=rule)
