"""One set of value counts judged against another: the same for training, recent windows and segments."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import FeatureReport, FeatureType, ModelReport, Verdict, Violation
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.compare.features import ColumnComparison, SchemaFinding, compare, schema_finding
from plumbline.drift.data.counts import ValueCounts
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.faults import FaultLog
from plumbline.drift.judge.past import PastThresholds
from plumbline.drift.judge.verdict import PREDICTION, FeatureCase, judge_features, judge_window
from plumbline.drift.reference.accepted import NOTHING_ACCEPTED, Accepted
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.blocks import LABELS, Blocks, size_of
from plumbline.drift.settings.policy import FeatureRule, Policy
from plumbline.drift.statistics.clumps import DesignEffects
from plumbline.drift.statistics.power import Sought

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """One side of a comparison: value counts by feature, and of the captured probabilities.

    `probabilities` is None, or has no value, where there are none to compare, and `no_probabilities` is the reason.
    `note` limits the comparison of those that there are. `past` is what changes of features and of the prediction must
    exceed besides, of those of which the past is known: of the reference's side. `design_effects` are
    those of rows that come in blocks, by feature; one that is absent is 1.
    """

    columns: Mapping[str, ValueCounts]
    probabilities: ValueCounts | None = None
    no_probabilities: Reason | None = None
    note: Reason | None = None
    past: Mapping[str, PastThresholds] = field(default_factory=dict)
    design_effects: Mapping[str, float] = field(default_factory=dict)

    def clumps(self, name: str) -> float:
        """Return how many rows tell as much of a column as one independent row would."""
        return self.design_effects.get(name, 1.0)


def design_effects(
    blocks: Blocks | None, names: Iterable[str], n_rows: int, columns: Mapping[str, ValueCounts] | None = None
) -> dict[str, float]:
    """Return the design effects of a sample's features and of its prediction; empty where no blocks are known.

    Parameters
    ----------
    columns
        The sample's counts, among which those of the block column tell its blocks; None: they are as in the baseline.
    """
    if blocks is None:
        return {}
    size = size_of(columns.get(blocks.column)) if columns is not None else None
    return {name: blocks.design_effect(name, n_rows, size) for name in (*names, PROBABILITY_COLUMN)}


def clumped(window: WindowCounts, baseline: Baseline) -> WindowCounts:
    """Return the window with the design effect of its labels, where those of its blocks are alike."""
    if baseline.blocks is None:
        return window
    size = size_of(window.columns.get(baseline.blocks.column))
    of_blocks = baseline.blocks.design_effect(LABELS, window.n_rows, size)
    return replace(window, design_effect=max(window.design_effect, of_blocks))


@dataclass(frozen=True, kw_only=True)
class FamilyVerdict:
    """The verdicts of one comparison: its own family of tests."""

    verdict: Verdict
    reason: Reason | None
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Settings that every comparison of one run shares.

    `endpoint`, `schedule` and `model` are copied into the report. `seed`, 0 or more, is that of every random draw.
    `isolation_forest` and `multivariate` switch on the Isolation Forest similarity and the classifier test; `facet`
    names the categorical column by whose values bias is measured. A window is judged by the labels that come within
    `label_lag_hours`. `not_judged` is the reason why the window as a whole is not judged; None: it is. `accepted` has
    the windows that are the reference in place of the training data, if there are any; `accepted.identity` tells one
    reference from another. `faults` collects what fails unexpectedly.
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
    not_judged: Reason | None = None
    accepted: Accepted = NOTHING_ACCEPTED
    faults: FaultLog = field(default_factory=FaultLog, compare=False)


def judge(
    specs: Sequence[FeatureSpec], reference: Sample, window: Sample, context: RunContext, where: str = ""
) -> FamilyVerdict:
    """Compare every feature and the prediction, and judge them together.

    A feature that fails unexpectedly is not judged, with the fault as its reason; the others stand, and no drift in
    them is no verdict on all.

    Parameters
    ----------
    where
        Which comparison of the run this is, in words that follow a feature's name; empty: that of the window.
    """
    policy = context.policy
    rules = [policy.rule(spec.name, spec.type) for spec in specs]
    n_tests = max(1, sum(not rule.unjudged for rule in rules) + _have_predictions(reference, window))
    compared = _Comparing(reference=reference, window=window, n_tests=n_tests, seed=context.seed)
    names = [*(spec.name for spec in specs), PREDICTION]
    guards = [partial(context.faults.guarded, f"{name}{where}") for name in names]
    cases = [
        _feature_case(spec, reference.columns, window.columns.get(spec.name), rule, compared, guard)
        for spec, rule, guard in zip(specs, rules, guards[:-1], strict=True)
    ]
    cases.append(_prediction_case(reference, window, policy.rule(None, FeatureType.NUMERIC), compared, guards[-1]))
    cases = [replace(case, past=reference.past.get(case.comparison.name)) for case in cases]
    *features, prediction = judge_features(cases, policy, context.not_judged)
    ruling = judge_window(features, prediction, policy, context.not_judged)
    return FamilyVerdict(verdict=ruling.verdict, reason=ruling.reason, features=tuple(features), prediction=prediction)


def _have_predictions(*sides: Sample) -> bool:
    return all(side.probabilities is not None for side in sides)


_Compare: TypeAlias = Callable[[FeatureRule, str, ValueCounts, ValueCounts], ColumnComparison]


class _Guard(Protocol):
    def __call__(self, compute: Callable[[], _T], failed: Callable[[Reason], _T]) -> _T: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class _Comparing:
    """Compares single columns of two sides, of which `n_tests` are tested together."""

    reference: Sample
    window: Sample
    n_tests: int
    seed: int

    def __call__(self, rule: FeatureRule, name: str, reference: ValueCounts, window: ValueCounts) -> ColumnComparison:
        # A feature that drifts alone is adjusted by the number of tests.
        sought = Sought(rule.effect_measure, rule.effect_threshold, rule.alpha / self.n_tests)
        clumps = DesignEffects(self.reference.clumps(name), self.window.clumps(name))
        comparison = compare(name, reference, window, sought=sought, seed=self.seed, clumps=clumps)
        if len(reference.values) == 1 and reference.values.tolist() == window.values.tolist():
            return replace(
                comparison, evidence=None, tail_evidence=None, not_compared=ReasonCode.CONSTANT.reason(), notes=()
            )
        return comparison


def _feature_case(
    spec: FeatureSpec,
    reference: Mapping[str, ValueCounts],
    window: ValueCounts | None,
    rule: FeatureRule,
    compared: _Compare,
    guarded: _Guard,
) -> FeatureCase:
    nothing = ColumnComparison(name=spec.name, type=spec.type)

    def failed(why: Reason) -> ColumnComparison:
        return replace(nothing, not_compared=why)

    def checked() -> tuple[ColumnComparison, SchemaFinding | None]:
        expected = reference[spec.name]
        finding = schema_finding(expected, window, rule.unreadable_values_threshold)
        if rule.unjudged and finding and finding.violation is not Violation.MISSING_COLUMN:
            # Nobody reads its values; that it comes is still looked for.
            finding = None
        if window is None:
            return nothing, finding
        # A column that cannot be compared keeps its violation.
        return guarded(partial(compared, rule, spec.name, expected, window), failed), finding

    comparison, finding = guarded(checked, lambda why: (failed(why), None))
    return FeatureCase(
        comparison=comparison,
        rule=rule,
        n_present=window.n_present if window else 0,
        n_rows=window.n_rows if window else 0,
        unreadable=dict(window.unreadable) if window else {},
        finding=finding,
        needs_power=True,
    )


def _prediction_case(
    reference: Sample, window: Sample, rule: FeatureRule, compared: _Compare, guarded: _Guard
) -> FeatureCase:
    nothing = ColumnComparison(name=PROBABILITY_COLUMN, type=FeatureType.NUMERIC)
    expected, found = reference.probabilities, window.probabilities

    def not_compared(why: Reason | None) -> FeatureCase:
        return FeatureCase(comparison=replace(nothing, not_compared=why), rule=rule)

    if expected is None or found is None:
        return not_compared(reference.no_probabilities or window.no_probabilities)

    def case() -> FeatureCase:
        if found.n_rows and not found.n_present:
            return not_compared(window.no_probabilities or ReasonCode.NO_PREDICTIONS.reason())
        comparison = compared(rule, PROBABILITY_COLUMN, expected, found)
        if window.note is not None:
            comparison = replace(comparison, notes=(*comparison.notes, window.note))
        # An absent prediction is a matter of what was captured, not of what the model answered.
        return FeatureCase(
            comparison=replace(comparison, missing_evidence=None),
            rule=rule,
            n_present=found.n_present,
            n_rows=found.n_rows,
            needs_power=True,
        )

    return guarded(case, not_compared)
