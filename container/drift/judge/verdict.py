"""Comparisons and rules into verdicts: per feature, and for the window."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plumbline.contract.reasons import Reason, ReasonCode, joined, window_not_judged
from plumbline.contract.records import EffectMeasure, FeatureReport, RecordCounts, Verdict, finite
from plumbline.contract.rejection import records_in_window
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.drift.compare.features import ColumnComparison, SchemaFinding
from plumbline.drift.settings.policy import FeatureRule, Policy
from plumbline.drift.statistics.declaration import Evidence, benjamini_hochberg_log


@dataclass(frozen=True)
class Effect:
    """The magnitude of a change, and the threshold from which it counts.

    `distance` is the Jensen-Shannon distance, which must also reach `null_q99_distance`, whatever the measure.
    """

    measure: EffectMeasure
    threshold: float
    value: float | None
    distance: float | None
    null_q99_distance: float

    @property
    def sought(self) -> str:
        """The smallest change that counts, in words."""
        return f"a {self.measure.words} of {self.threshold:g}"

    @property
    def is_small(self) -> bool:
        """Whether the change stays below its threshold, whatever chance reaches."""
        return self.value is None or self.value < self.threshold

    @property
    def counts(self) -> bool:
        """Whether the change is large enough."""
        return not self.is_small and self.distance is not None and self.distance >= self.null_q99_distance

    @property
    def reason(self) -> Reason:
        """The comparison that decides whether the change counts."""
        if self.value is None or self.distance is None:
            return ReasonCode.NO_EFFECT.reason()
        if self.distance < self.null_q99_distance and not self.is_small:
            return ReasonCode.EFFECT_WITHIN_CHANCE.reason(distance=self.distance, null_q99=self.null_q99_distance)
        code = ReasonCode.EFFECT_BELOW_THRESHOLD if self.is_small else ReasonCode.EFFECT_REACHES_THRESHOLD
        return code.reason(measure=self.measure.words, value=self.value, threshold=self.threshold)


@dataclass(frozen=True, kw_only=True)
class FeatureCase:
    """One feature's numbers, the rule that holds for it, and the schema check that it fails, if any.

    `n_present` is the number of the window's cells with a value, `n_rows` of all; `unreadable` counts those that hold
    no value of the feature's type, by reason. With `needs_power`, no drift is only found in at least
    `ColumnComparison.min_sample_size` values; where that is None, no number is enough.
    """

    comparison: ColumnComparison
    rule: FeatureRule
    n_present: int = 0
    n_rows: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    finding: SchemaFinding | None = None
    needs_power: bool = False

    @property
    def is_tested(self) -> bool:
        """Whether its p-values are among those that are adjusted for each other."""
        return self.finding is None and not self.rule.ignore

    @property
    def notes(self) -> tuple[Reason, ...]:
        """What limits the comparison without preventing it."""
        n_unreadable = sum(self.unreadable.values())
        if not n_unreadable:
            return self.comparison.notes
        unreadable = ReasonCode.UNREADABLE_CELLS.reason(n_unreadable=n_unreadable, n_cells=self.n_rows)
        return (*self.comparison.notes, unreadable)

    @property
    def effect(self) -> Effect:
        """The effect in the rule's measure; in the Jensen-Shannon distance where that one cannot be computed."""
        comparison, measure, threshold = self.comparison, self.rule.effect_measure, self.rule.effect_threshold
        distance = comparison.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE)
        value = comparison.effect(measure)
        if value is None and measure is not EffectMeasure.JENSEN_SHANNON_DISTANCE:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold, value = DEFAULT_EFFECT_THRESHOLDS[measure], distance
        return Effect(measure, threshold, value, distance, comparison.null_q99_distance)


@dataclass(frozen=True)
class Ruling:
    """A verdict with its reason."""

    verdict: Verdict
    reason: Reason | None


def window_refusal(records: RecordCounts, n_rows: int, policy: Policy) -> Reason | None:
    """Return why the window as a whole is not judged, or None."""
    n_records = records_in_window(records)
    if not n_records and not n_rows:
        return ReasonCode.NO_RECORDS.reason()
    if not n_rows:
        return ReasonCode.NO_USABLE_RECORD.reason(n_records=n_records)
    return too_few(n_rows, policy)


def too_few(n_rows: int, policy: Policy) -> Reason | None:
    """Return why so few rows are not judged, or None."""
    if n_rows >= policy.minimum_rows:
        return None
    return ReasonCode.TOO_FEW_ROWS.reason(n_rows=n_rows, min_rows=policy.minimum_rows)


def judge_features(cases: Sequence[FeatureCase], policy: Policy, not_judged: Reason | None) -> list[FeatureReport]:
    """Return one report per case, in the order given.

    A feature drifts when its adjusted p-value is below its rule's alpha and its effect reaches the rule's threshold (or
    what chance reaches, if that is larger); or when its missing fraction moved by `policy.missing_values_threshold` or
    more with an adjusted p-value below alpha. The tests of the distributions are one Benjamini-Hochberg family, those
    of the missing fractions another; a feature that violates the schema or is ignored is in neither. One that shows no
    drift, but has fewer rows than it would take to find it, is not judged. With `not_judged`, the reason why the window
    is not judged, the numbers are kept and no feature is judged.
    """
    adjusted = _adjusted([case.comparison.evidence if case.is_tested else None for case in cases])
    adjusted_missing = _adjusted([case.comparison.missing_evidence if case.is_tested else None for case in cases])
    return [
        feature_report(case, log_p, log_p_missing, _ruling(case, log_p, log_p_missing, policy, not_judged))
        for case, log_p, log_p_missing in zip(cases, adjusted, adjusted_missing, strict=True)
    ]


def judge_window(
    features: Sequence[FeatureReport], prediction: FeatureReport | None, policy: Policy, not_judged: Reason | None
) -> Ruling:
    """Return the window's verdict by the policy's rule (`rule_text`)."""
    if not_judged:
        return Ruling(Verdict.NOT_JUDGED, not_judged)
    drifted = [feature for feature in features if feature.verdict is Verdict.DRIFT]
    unjudged = [feature for feature in features if feature.verdict is Verdict.NOT_JUDGED]
    skipped = [one.name for one in unjudged if one.reason is None or one.reason.code is not ReasonCode.IGNORED]
    n_judged = len(features) - len(unjudged)
    alone = prediction is not None and prediction.verdict is Verdict.DRIFT
    names = ", ".join([feature.name for feature in drifted] + ["the prediction"] * alone)
    if alone or any(feature.critical for feature in drifted) or _enough(len(drifted), n_judged, policy):
        return Ruling(Verdict.DRIFT, ReasonCode.FEATURES_DRIFTED.reason(names=names))
    if not n_judged:
        return Ruling(Verdict.NOT_JUDGED, ReasonCode.NO_FEATURE_JUDGED.reason())
    quiet = ReasonCode.NO_FEATURE_DRIFTED.reason()
    if drifted:
        code = ReasonCode.TOO_FEW_FEATURES_DRIFTED
        quiet = code.reason(names=names, n_drifted=len(drifted), n_judged=n_judged)
    note = ReasonCode.FEATURES_NOT_JUDGED.reason(names=", ".join(skipped)) if skipped else None
    return Ruling(Verdict.NO_DRIFT, joined(quiet, note))


def rule_text(policy: Policy) -> str:
    """Return in words when a window drifts."""
    critical = sorted(name for name, own in policy.features.items() if own.critical)
    features = (
        "any feature"
        if policy.drifted_fraction is None
        else f"at least {policy.drifted_fraction:.0%} of the judged features"
    )
    parts = [features, *([f"a critical feature ({', '.join(critical)})"] if critical else [])]
    return f"drift in {', '.join(parts)} or the prediction"


def _enough(n_drifted: int, n_judged: int, policy: Policy) -> bool:
    if policy.drifted_fraction is None:
        return n_drifted > 0
    # Three of ten are 0.3, which is not a float.
    return n_drifted > 0 and n_drifted >= policy.drifted_fraction * n_judged * (1 - 1e-12)


def _adjusted(evidence: Sequence[Evidence | None]) -> list[float | None]:
    tested = iter(benjamini_hochberg_log([one.log_p_value for one in evidence if one is not None]))
    return [None if one is None else next(tested) for one in evidence]


def _ruling(
    case: FeatureCase, log_p: float | None, log_p_missing: float | None, policy: Policy, not_judged: Reason | None
) -> Ruling:
    comparison = case.comparison
    if case.rule.ignore:
        return Ruling(Verdict.NOT_JUDGED, ReasonCode.IGNORED.reason())
    if case.finding:
        return Ruling(Verdict.NOT_JUDGED, case.finding.reason)
    if not_judged:
        # What cannot be compared is not judged in any window.
        reason = comparison.not_compared or joined(window_not_judged(not_judged), *comparison.notes)
        return Ruling(Verdict.NOT_JUDGED, reason)
    found = [one for one in (_distribution_drift(case, log_p), _missing_drift(case, log_p_missing, policy)) if one]
    notes = (comparison.not_compared, *case.notes)
    if found:
        return Ruling(Verdict.DRIFT, joined(*found, *notes))
    if log_p is None:
        return Ruling(Verdict.NOT_JUDGED, joined(*notes))
    weak = _too_weak(case, log_p)
    return Ruling(Verdict.NOT_JUDGED if weak else Verdict.NO_DRIFT, joined(weak or _why_not(case, log_p), *notes))


def _distribution_drift(case: FeatureCase, log_p: float | None) -> Reason | None:
    if log_p is None or not _significant(case, log_p) or not case.effect.counts:
        return None
    code = ReasonCode.DISTRIBUTION_DRIFTED
    return code.reason(p=p_text(log_p), alpha=case.rule.alpha, effect=case.effect.reason)


def _missing_drift(case: FeatureCase, log_p: float | None, policy: Policy) -> Reason | None:
    before, after = case.comparison.missing_fraction_reference, case.comparison.missing_fraction
    if log_p is None or before is None or after is None:
        return None
    if not _significant(case, log_p) or abs(after - before) < policy.missing_values_threshold:
        return None
    return ReasonCode.MISSING_FRACTION_MOVED.reason(reference=before, window=after, p=p_text(log_p))


def _too_weak(case: FeatureCase, log_p: float) -> Reason | None:
    """Return why a quiet feature proves nothing: a change of the threshold's size would seldom have been found."""
    needed, sought = case.comparison.min_sample_size, case.effect.sought
    found_small = _significant(case, log_p) and case.effect.is_small
    if not case.needs_power or found_small or (needed is not None and case.n_present >= needed):
        return None
    if needed is None:
        return ReasonCode.TOO_FEW_REFERENCE_VALUES.reason(effect=sought)
    return ReasonCode.TOO_FEW_VALUES.reason(n_values=case.n_present, effect=sought, min_sample_size=needed)


def _why_not(case: FeatureCase, log_p: float) -> Reason:
    if not _significant(case, log_p):
        return ReasonCode.NOT_SIGNIFICANT.reason(p=p_text(log_p), alpha=case.rule.alpha)
    return case.effect.reason


def _significant(case: FeatureCase, log_p: float) -> bool:
    return log_p < math.log(case.rule.alpha)


def p_text(log_p: float) -> str:
    """Return a p-value with three digits, also where it is below the smallest float.

    Examples
    --------
    >>> p_text(-1000.0), p_text(-3.0)
    ('5.08e-435', '0.0498')
    """
    if log_p > math.log(1e-300):
        return f"{math.exp(log_p):.3g}"
    exponent, rest = divmod(log_p / math.log(10), 1)
    return f"{10**rest:.2f}e{exponent:.0f}" if math.isfinite(log_p) else "0"


def feature_report(
    case: FeatureCase, adjusted_log_p: float | None, adjusted_log_p_missing: float | None, ruling: Ruling
) -> FeatureReport:
    """Return the report's entry for one feature.

    Parameters
    ----------
    adjusted_log_p, adjusted_log_p_missing
        Natural logarithms of the adjusted p-values, of the distribution and of the missing fraction; None where the
        feature was not tested.
    """
    comparison, effect, evidence = case.comparison, case.effect, case.comparison.evidence
    n_unreadable = sum(case.unreadable.values())
    return FeatureReport(
        name=comparison.name,
        type=comparison.type,
        effects=comparison.effects,
        test=evidence.test if evidence else None,
        statistic=finite(evidence.statistic) if evidence else None,
        p_value=evidence.p_value if evidence else None,
        log_p_value=finite(evidence.log_p_value) if evidence else None,
        # Never below the p-value itself, which the way through the logarithm may round to.
        p_value_adjusted=None
        if evidence is None or adjusted_log_p is None
        else max(math.exp(adjusted_log_p), evidence.p_value),
        null_q99_distance=None
        if comparison.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE) is None
        else comparison.null_q99_distance,
        effect_measure=effect.measure,
        effect_threshold=effect.threshold,
        min_sample_size=comparison.min_sample_size,
        critical=case.rule.critical,
        approximate=comparison.relative_error is not None,
        relative_error=comparison.relative_error,
        missing_fraction=comparison.missing_fraction,
        missing_fraction_reference=comparison.missing_fraction_reference,
        missing_p_value_adjusted=None if adjusted_log_p_missing is None else math.exp(adjusted_log_p_missing),
        unseen_fraction=comparison.unseen_fraction,
        out_of_range_fraction=comparison.out_of_range_fraction,
        unreadable=case.unreadable,
        unreadable_fraction=n_unreadable / case.n_rows if case.n_rows else None,
        top_contributors=comparison.top_contributors if ruling.verdict is Verdict.DRIFT else (),
        violation=case.finding.violation if case.finding else None,
        verdict=ruling.verdict,
        reason=ruling.reason,
    )
