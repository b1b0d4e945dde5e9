"""Comparisons and rules into verdicts: per feature, and for the window."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from plumbline.contract.reasons import Reason, ReasonCode, has_code, joined, window_not_judged
from plumbline.contract.records import (
    AnswerCounts,
    EffectMeasure,
    FeatureReport,
    MultivariateReport,
    RecordCounts,
    Status,
    Verdict,
    finite,
)
from plumbline.contract.rejection import ANSWER_REMEDIES, AnswerReason, Loss, loss, records_in_window
from plumbline.contract.statistics import ColumnType
from plumbline.contract.thresholds import DEFAULT_EFFECT_THRESHOLDS
from plumbline.drift.compare.features import ColumnComparison, SchemaFinding
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.past import MISSING, OUT_OF_RANGE, SEPARABILITY, PastThresholds
from plumbline.drift.settings.policy import FeatureRule, Policy
from plumbline.drift.statistics.declaration import Evidence, benjamini_hochberg_log

TAIL_ALPHA = 0.001
"""Level of the test of tails, where alpha is not less: a handful of rows decides, so that no size of the effect holds
chance down, and each feature is tested again in each window."""
PREDICTION = "the prediction"
"""Its name in reasons, beside the features'."""


@dataclass(frozen=True)
class Effect:
    """The magnitude of a change, and the threshold from which it counts.

    It must also reach `null_q99`, which chance reaches in one window of a hundred. Where all values moved together by
    little (`small_shift`), `without_shift`, the effect without that, must reach the threshold as well.
    """

    measure: EffectMeasure
    threshold: float
    value: float | None
    null_q99: float
    small_shift: float | None = None
    without_shift: float | None = None

    @property
    def sought(self) -> str:
        """The smallest change that counts, in words."""
        return f"a {self.measure.words} of {self.threshold:g}"

    @property
    def is_small(self) -> bool:
        """Whether the change stays below its threshold, whatever chance reaches."""
        return self.value is None or self.value < self.threshold or self._is_small_shift

    @property
    def _is_small_shift(self) -> bool:
        return self.without_shift is not None and self.without_shift < self.threshold

    @property
    def counts(self) -> bool:
        """Whether the change is large enough."""
        return not self.is_small and self.value is not None and self.value >= self.null_q99

    @property
    def reason(self) -> Reason:
        """The comparison that decides whether the change counts."""
        if self.value is None:
            return ReasonCode.NO_EFFECT.reason()
        if self.value < self.null_q99 and not self.is_small:
            words = self.measure.words
            return ReasonCode.EFFECT_WITHIN_CHANCE.reason(measure=words, value=self.value, null_q99=self.null_q99)
        if self.value >= self.threshold and self._is_small_shift:
            return ReasonCode.EFFECT_OF_SMALL_SHIFT.reason(
                measure=self.measure.words, value=self.value, shift=self.small_shift, rest=self.without_shift
            )
        code = ReasonCode.EFFECT_BELOW_THRESHOLD if self.is_small else ReasonCode.EFFECT_REACHES_THRESHOLD
        return code.reason(measure=self.measure.words, value=self.value, threshold=self.threshold)


@dataclass(frozen=True, kw_only=True)
class FeatureCase:
    """One feature's numbers, the rule that holds for it, and the schema check that it fails, if any.

    `n_present` is the number of the window's cells with a value, `n_rows` of all; `unreadable` counts those that hold
    no value of the feature's type, by reason. With `needs_power`, no drift is only found in at least
    `ColumnComparison.min_sample_size` values; where that is None, no number is enough. `past` is what a change must
    exceed besides; None: nothing is known of it.
    """

    comparison: ColumnComparison
    rule: FeatureRule
    n_present: int = 0
    n_rows: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict)
    finding: SchemaFinding | None = None
    needs_power: bool = False
    past: PastThresholds | None = None

    @property
    def is_tested(self) -> bool:
        """Whether its p-values are among those that are adjusted for each other."""
        return self.finding is None and not self.rule.unjudged

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
        value, without_shift = comparison.effect(measure), comparison.effect_without_shift
        if value is None and measure is not EffectMeasure.JENSEN_SHANNON_DISTANCE:
            measure = EffectMeasure.JENSEN_SHANNON_DISTANCE
            threshold, value, without_shift = DEFAULT_EFFECT_THRESHOLDS[measure], comparison.effect(measure), None
        null_q99 = comparison.null_q99.get(measure, 0.0)
        return Effect(measure, threshold, value, null_q99, comparison.small_shift, without_shift)

    @property
    def tail_effect(self) -> Effect:
        """The effect that a heavier tail must have: in standard deviations, as values far out carry it."""
        measure = EffectMeasure.WASSERSTEIN_DISTANCE
        is_own = self.rule.effect_measure is measure
        threshold = self.rule.effect_threshold if is_own else DEFAULT_EFFECT_THRESHOLDS[measure]
        return Effect(measure, threshold, self.comparison.effect(measure), self.comparison.null_q99.get(measure, 0.0))


@dataclass(frozen=True)
class TestResults:
    """Natural logarithms of one feature's adjusted p-values; None where it was not tested."""

    log_p: float | None
    log_p_missing: float | None
    log_p_tail: float | None


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
        return ReasonCode.NO_USABLE_RECORD.reason(n_records=n_records, loss=loss(records))
    return joined(too_many_rejected(records, policy), too_few(n_rows, policy))


def too_many_rejected(records: RecordCounts, policy: Policy) -> Reason | None:
    """Return why a window is not judged by the records that are left of it, or None.

    What was rejected is no random part: of answers in log-odds those are left that happen to lie between 0 and 1.
    """
    lost = loss(records)
    if lost is None or lost.fraction <= policy.maximum_rejected_fraction:
        return None
    max_percent = 100 * policy.maximum_rejected_fraction
    return _of_loss(ReasonCode.REJECTED_FRACTION, lost, max_percent=max_percent)


def loss_warnings(window: WindowCounts, not_judged: Reason | None) -> tuple[Reason, ...]:
    """Return what a verdict does not rest on: rejected records, unless they are why there is none, and answers."""
    lost, found = loss(window.records), window.no_predictions or answers_note(window.answers)
    refused = has_code(not_judged, ReasonCode.REJECTED_FRACTION, ReasonCode.NO_USABLE_RECORD)
    of_records = _of_loss(ReasonCode.REJECTED_RECORDS, lost) if lost and not refused else None
    return tuple(one for one in (of_records, found) if one is not None)


def _of_loss(code: ReasonCode, lost: Loss, **others: float) -> Reason:
    return code.reason(n_lost=lost.n_lost, n_records=lost.n_records, percent=100 * lost.fraction, loss=lost, **others)


def with_usable_answers(window: WindowCounts, policy: Policy) -> WindowCounts:
    """Return the window; without predictions where too many answers are unreadable: the others are a selection."""
    why = answers_refusal(window.answers, policy)
    return window.without_predictions(why) if why else window


def answers_refusal(answers: AnswerCounts, policy: Policy) -> Reason | None:
    """Return why the predictions of a window do not count, or None."""
    fraction = answers.unreadable_fraction or 0.0
    if fraction <= policy.maximum_rejected_fraction:
        return None
    leading = AnswerReason(max(sorted(answers.unreadable), key=answers.unreadable.__getitem__))
    return ReasonCode.ANSWERS_UNREADABLE.reason(
        percent=100 * fraction,
        max_percent=100 * policy.maximum_rejected_fraction,
        leading=leading,
        remedy="; ".join([ANSWER_REMEDIES[leading], *(answers.readings if leading is AnswerReason.AMBIGUOUS else ())]),
    )


def answers_note(answers: AnswerCounts) -> Reason | None:
    """Return how many answers could not be read, or None."""
    if not answers.n_unreadable:
        return None
    return ReasonCode.SOME_ANSWERS_UNREADABLE.reason(n_unreadable=answers.n_unreadable, n_read=answers.read)


def too_few(n_rows: int, policy: Policy) -> Reason | None:
    """Return why so few rows are not judged, or None."""
    if n_rows >= policy.minimum_rows:
        return None
    return ReasonCode.TOO_FEW_ROWS.reason(n_rows=n_rows, min_rows=policy.minimum_rows)


def judge_features(cases: Sequence[FeatureCase], policy: Policy, not_judged: Reason | None) -> list[FeatureReport]:
    """Return one report per case, in the order given.

    A feature drifts when its adjusted p-value is below its rule's alpha and its effect reaches the rule's threshold (or
    what chance reaches, if that is larger); when its missing fraction moved by `policy.missing_values_threshold` or
    more with an adjusted p-value below alpha; or when more of its values lie far out than in the reference, with an
    adjusted p-value below `TAIL_ALPHA`, and either `policy.out_of_range_threshold` of them lie beyond all of it, or
    they move the whole by the threshold of the Wasserstein distance. The tests of the distributions are one
    Benjamini-Hochberg family, those of the missing fractions another, those of the tails a third; a feature that
    violates the schema or is ignored is in none. Too many unreadable values are drift by themselves. One that shows no
    drift, but has fewer rows than it would take to find it, is not judged. Where the past is known, a change must
    exceed what that shows besides (`plumbline.drift.judge.past`). With `not_judged`, the reason why the window
    is not judged, the numbers are kept and no feature is judged.
    """
    adjusted = _adjusted([case.comparison.evidence if case.is_tested else None for case in cases])
    adjusted_missing = _adjusted([case.comparison.missing_evidence if case.is_tested else None for case in cases])
    adjusted_tail = _adjusted([case.comparison.tail_evidence if case.is_tested else None for case in cases])
    tested = map(TestResults, adjusted, adjusted_missing, adjusted_tail)
    return [
        feature_report(case, found, _ruling(case, found, policy, not_judged))
        for case, found in zip(cases, tested, strict=True)
    ]


def judge_window(
    features: Sequence[FeatureReport], prediction: FeatureReport | None, policy: Policy, not_judged: Reason | None
) -> Ruling:
    """Return the window's verdict by the policy's rule (`rule_text`), or by columns too many of whose values are none.

    The reason's code tells the two apart: nothing is to be learned from a broken payload.
    """
    if not_judged:
        return Ruling(Verdict.NOT_JUDGED, not_judged)
    drifted = [one for one in features if one.verdict is Verdict.DRIFT and one.violation is None]
    unreadable = [one.name for one in features if one.verdict is Verdict.DRIFT and one.violation is not None]
    unjudged = [feature for feature in features if feature.verdict is Verdict.NOT_JUDGED]
    skipped = [one.name for one in unjudged if one.reason is None or one.reason.code not in _UNJUDGED.values()]
    n_judged = len(features) - len(unjudged) - len(unreadable)
    alone = prediction is not None and prediction.verdict is Verdict.DRIFT
    names = ", ".join([feature.name for feature in drifted] + [PREDICTION] * alone)
    broken = ReasonCode.COLUMNS_UNREADABLE.reason(names=", ".join(unreadable)) if unreadable else None
    found = ReasonCode.FEATURES_DRIFTED.reason(names=names)
    drifts = alone or any(feature.critical for feature in drifted) or _enough(len(drifted), n_judged, policy)
    # The prediction by itself moves with the values that it is made from.
    if broken and not (drifts and drifted):
        return Ruling(Verdict.DRIFT, joined(broken, found if drifts else None))
    if drifts:
        return Ruling(Verdict.DRIFT, joined(found, broken))
    faulty = [one.name for one in unjudged if has_code(one.reason, ReasonCode.INTERNAL_FAULT)]
    faulty += [PREDICTION] * (prediction is not None and has_code(prediction.reason, ReasonCode.INTERNAL_FAULT))
    if faulty:
        return Ruling(Verdict.NOT_JUDGED, ReasonCode.INTERNAL_FAULT.reason(what=f"in {', '.join(faulty)}"))
    if not n_judged:
        return Ruling(Verdict.NOT_JUDGED, joined(ReasonCode.NO_FEATURE_JUDGED.reason(), *_rows_needed(unjudged)))
    quiet = ReasonCode.NO_FEATURE_DRIFTED.reason()
    if drifted:
        code = ReasonCode.TOO_FEW_FEATURES_DRIFTED
        quiet = code.reason(names=names, n_drifted=len(drifted), n_judged=n_judged)
    note = ReasonCode.FEATURES_NOT_JUDGED.reason(names=", ".join(skipped)) if skipped else None
    unread = prediction.reason if prediction and has_code(prediction.reason, ReasonCode.ANSWERS_UNREADABLE) else None
    return Ruling(Verdict.NO_DRIFT, joined(quiet, note, unread and unread.prefixed("the prediction is not judged: ")))


def _rows_needed(unjudged: Sequence[FeatureReport]) -> Iterator[Reason]:
    """Yield how many rows a window needs for one of these features to be judged, and for all whose rows are too few."""
    needed = sorted(
        (_rows_for(one, one.min_sample_size), one.name)
        for one in unjudged
        if one.min_sample_size is not None and has_code(one.reason, ReasonCode.TOO_FEW_VALUES)
    )
    if needed:
        n_rows, name = needed[0]
        yield ReasonCode.ROWS_NEEDED.reason(n_rows=n_rows, name=name)
        if needed[-1][0] > n_rows:
            yield ReasonCode.ROWS_NEEDED_FOR_ALL.reason(n_rows=needed[-1][0])
    elif any(has_code(one.reason, ReasonCode.TOO_FEW_REFERENCE_VALUES) for one in unjudged):
        yield ReasonCode.ROWS_USELESS.reason()


def _rows_for(feature: FeatureReport, n_values: int) -> int:
    """Return how many rows have so many values of a feature, if as many as now are missing or unreadable."""
    present = (1 - (feature.missing_fraction or 0)) * (1 - (feature.unreadable_fraction or 0))
    return math.ceil(n_values / present) if present > 0 else n_values


def judge_rows(found: MultivariateReport, policy: Policy, past: PastThresholds | None = None) -> MultivariateReport:
    """Return how well whole rows are separated with its verdict, which many small changes together make.

    It is a verdict of its own: the window's does not depend on it. With a `past` the area must exceed that between
    windows of the past too.
    """
    area, p, threshold, alpha = found.area_under_curve, found.p_value, policy.separability_threshold, policy.alpha
    found = replace(found, threshold=threshold, past_threshold=past.changes[SEPARABILITY] if past else None)
    if found.status is not Status.ESTIMATED or area is None or p is None:
        return found
    if area < threshold or p >= alpha:
        code = ReasonCode.ROWS_ALIKE if area < threshold else ReasonCode.ROWS_SEPARABLE_BY_CHANCE
        reason = code.reason(area=area, threshold=threshold, p=p, alpha=alpha)
        return replace(found, verdict=Verdict.NO_DRIFT, verdict_reason=reason)
    reason = ReasonCode.ROWS_SEPARABLE.reason(area=area, threshold=threshold, p=p, alpha=alpha)
    ruling = _against_past(past, SEPARABILITY, area, reason)
    return replace(found, verdict=ruling.verdict, verdict_reason=ruling.reason)


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


_UNJUDGED = {
    ColumnType.IGNORE: ReasonCode.IGNORED,
    ColumnType.ID: ReasonCode.IDENTIFIER,
    ColumnType.TIME: ReasonCode.TIME_COLUMN,
}


def _ruling(case: FeatureCase, tested: TestResults, policy: Policy, not_judged: Reason | None) -> Ruling:
    comparison, log_p = case.comparison, tested.log_p
    if case.rule.unjudged:
        return Ruling(Verdict.NOT_JUDGED, _UNJUDGED[case.rule.unjudged].reason())
    if case.finding:
        is_drift = case.finding.is_drift and not not_judged
        return Ruling(Verdict.DRIFT if is_drift else Verdict.NOT_JUDGED, case.finding.reason)
    if not_judged:
        # What cannot be compared is not judged in any window.
        reason = comparison.not_compared or joined(window_not_judged(not_judged), *comparison.notes)
        return Ruling(Verdict.NOT_JUDGED, reason)
    rules = (
        _distribution_drift(case, log_p),
        _missing_drift(case, tested.log_p_missing, policy),
        _tail_drift(case, tested.log_p_tail, policy),
    )
    drifted = [one.reason for one in rules if one and one.verdict is Verdict.DRIFT]
    within = [one.reason for one in rules if one and one.verdict is not Verdict.DRIFT]
    notes = (comparison.not_compared, *case.notes)
    if drifted or (within and log_p is not None):
        return Ruling(Verdict.DRIFT if drifted else Verdict.NO_DRIFT, joined(*(drifted or within), *notes))
    if log_p is None:
        return Ruling(Verdict.NOT_JUDGED, joined(*notes))
    weak = _too_weak(case, log_p)
    return Ruling(Verdict.NOT_JUDGED if weak else Verdict.NO_DRIFT, joined(weak or _why_not(case, log_p), *notes))


def _distribution_drift(case: FeatureCase, log_p: float | None) -> Ruling | None:
    effect = case.effect
    if log_p is None or effect.value is None or not _significant(case, log_p) or not effect.counts:
        return None
    reason = ReasonCode.DISTRIBUTION_DRIFTED.reason(p=p_text(log_p), alpha=case.rule.alpha, effect=effect.reason)
    return _against_past(case.past, effect.measure, effect.value, reason)


def _missing_drift(case: FeatureCase, log_p: float | None, policy: Policy) -> Ruling | None:
    before, after = case.comparison.missing_fraction_reference, case.comparison.missing_fraction
    if log_p is None or before is None or after is None:
        return None
    if not _significant(case, log_p) or abs(after - before) < policy.missing_values_threshold:
        return None
    reason = ReasonCode.MISSING_FRACTION_MOVED.reason(reference=before, window=after, p=p_text(log_p))
    return _against_past(case.past, MISSING, abs(after - before), reason)


def _tail_drift(case: FeatureCase, log_p: float | None, policy: Policy) -> Ruling | None:
    if log_p is None or log_p >= math.log(min(case.rule.alpha, TAIL_ALPHA)):
        return None
    fraction, effect, found = case.comparison.out_of_range_fraction or 0.0, case.tail_effect, None
    if fraction >= policy.out_of_range_threshold:
        reason = ReasonCode.OUT_OF_RANGE.reason(percent=100 * fraction, p=p_text(log_p))
        found = _against_past(case.past, OUT_OF_RANGE, fraction, reason)
    # What lies beyond the range as often as it always did may lie farther out.
    if effect.counts and effect.value is not None and (found is None or found.verdict is not Verdict.DRIFT):
        reason = ReasonCode.HEAVIER_TAIL.reason(p=p_text(log_p), effect=effect.reason)
        return _against_past(case.past, effect.measure, effect.value, reason)
    return found


def _against_past(past: PastThresholds | None, what: str, value: float, reason: Reason) -> Ruling:
    """Return drift for that reason, or none where the past shows as much."""
    if past is None:
        return Ruling(Verdict.DRIFT, reason)
    within = past.within(what, value)
    return Ruling(Verdict.NO_DRIFT, within) if within else Ruling(Verdict.DRIFT, joined(reason, past.note))


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


def feature_report(case: FeatureCase, tested: TestResults, ruling: Ruling) -> FeatureReport:
    """Return the report's entry for one feature."""
    adjusted_log_p, adjusted_log_p_missing = tested.log_p, tested.log_p_missing
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
        past_threshold=case.past.changes.get(effect.measure) if case.past else None,
        min_sample_size=comparison.min_sample_size,
        critical=case.rule.critical,
        approximate=comparison.relative_error is not None,
        relative_error=comparison.relative_error,
        missing_fraction=comparison.missing_fraction,
        missing_fraction_reference=comparison.missing_fraction_reference,
        missing_p_value_adjusted=None if adjusted_log_p_missing is None else math.exp(adjusted_log_p_missing),
        tail_p_value_adjusted=None if tested.log_p_tail is None else math.exp(tested.log_p_tail),
        unseen_fraction=comparison.unseen_fraction,
        out_of_range_fraction=comparison.out_of_range_fraction,
        unreadable=case.unreadable,
        unreadable_fraction=n_unreadable / case.n_rows if case.n_rows else None,
        top_contributors=comparison.top_contributors if ruling.verdict is Verdict.DRIFT else (),
        violation=case.finding.violation if case.finding else None,
        verdict=ruling.verdict,
        reason=ruling.reason,
    )
