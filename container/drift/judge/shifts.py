"""Which of the three kinds of shift is seen: in the rows, in the mix of labels, or in the label of a given row.

Without labels, covariate shift is seen in the features and label shift can only be suspected. With labels all three can
be told apart: concept shift is a moved P(label | row), label shift a moved P(label) with the same P(row | label).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from plumbline.contract.accuracy import ProjectedAccuracy, Shift
from plumbline.contract.quality import ShiftReport
from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import EffectMeasure, FeatureReport, Status, Verdict
from plumbline.drift.compare.shift_tests import (
    LEVEL,
    ExpectedVsObserved,
    ShiftTestResult,
    conditional_shift,
    label_mix_shift,
    score_shift_by_label,
)
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE

CHANCE = 0.05
"""One-sided level beyond which a loss is more than chance, as for a drop of the accuracy."""
CLASS_DISTANCE = 0.03
"""Kolmogorov-Smirnov distance below which the rows of one label count as unmoved."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelEvidence:
    """Labelled rows of window and test set, and the scores of each label on both sides.

    `scores` has reference and window of every label; of more than two labels, `window` and `reference` are about right
    predictions instead of positive labels. `dropped`: the realised accuracy is below that of the test set, by enough to
    matter and more than chance. `loss` is the accuracy expected of these rows minus the realised one, and `allowed` the
    half-width of its 95 % interval; the expectation is the projection where there is one (`is_projected`), else that of
    the calibrated scores.
    """

    window: ExpectedVsObserved
    reference: ExpectedVsObserved
    scores: Mapping[str, tuple[NumericCounts, NumericCounts]]
    dropped: bool
    loss: float
    allowed: float
    is_projected: bool

    @property
    def is_binary(self) -> bool:
        """Whether the target has two classes."""
        return len(self.scores) <= 2


def shifts_after_labels(evidence: LabelEvidence, threshold: float) -> tuple[ShiftReport, ShiftReport]:
    """Return label shift and concept shift, as labels show them.

    Concept shift is drift where labels are not those that such rows had, and the accuracy dropped by it: labels that
    are otherwise and cost nothing are no reason to wake anybody. A drop that neither shift nor the rows' mix explains
    is not judged, with its size.

    Parameters
    ----------
    threshold
        Fraction of labels, and move of the fraction of positives, from which on it counts; 0 to 1.
    """
    window, reference = evidence.window, evidence.reference
    conditional = conditional_shift(window, reference)
    prior = label_mix_shift(evidence.scores, window.design_effect)
    of_classes = score_shift_by_label(evidence.scores)
    is_unlike = conditional.beyond(threshold) or _missed(evidence, threshold)
    is_label = (
        prior.beyond(threshold)
        and is_unlike
        and not of_classes.beyond(CLASS_DISTANCE)
        and _explained(evidence, threshold)
    )
    matters = evidence.dropped and evidence.loss >= threshold
    is_concept = not is_label and is_unlike and matters and _is_lost(evidence, CHANCE)
    is_unexplained = not is_label and not is_concept and evidence.dropped and _is_lost(evidence, LEVEL)
    verdict = Verdict.DRIFT if is_concept else Verdict.NO_DRIFT
    verdict = Verdict.NOT_JUDGED if is_unexplained else verdict
    moved = (
        f"the share of positive labels went from {100 * reference.share:.1f} to {100 * window.share:.1f} %"
        if evidence.is_binary
        else f"{100 * prior.effect:.1f} % of the rows have another label than the mix of the test set"
    )
    return (
        ShiftReport(
            shift=Shift.LABEL,
            verdict=Verdict.DRIFT if is_label else Verdict.NO_DRIFT,
            reason=_label_reason(moved, is_label, prior.beyond(threshold), is_concept),
            p_value=prior.p_value,
            effect=prior.effect,
        ),
        ShiftReport(
            shift=Shift.CONCEPT,
            verdict=verdict,
            reason=_concept_reason(evidence, conditional, threshold, verdict, is_label),
            p_value=conditional.p_value,
            effect=conditional.effect,
        ),
    )


def _explained(evidence: LabelEvidence, threshold: float) -> bool:
    """Return whether the moved share of positives alone accounts for the labels."""
    if not evidence.is_binary:
        return True
    share, before = evidence.window.share, evidence.reference.share
    if not (0 < share < 1 and 0 < before < 1):
        return False
    return not conditional_shift(evidence.window.with_share(share, before), evidence.reference).beyond(threshold)


def _missed(evidence: LabelEvidence, threshold: float) -> bool:
    """Return whether the projection missed by more than its interval allows, at `LEVEL`, and enough to matter."""
    allowed = evidence.allowed * float(special.ndtri(1 - LEVEL / 2)) / NORMAL_QUANTILE
    return evidence.is_projected and abs(evidence.loss) > max(allowed, threshold)


def _is_lost(evidence: LabelEvidence, level: float) -> bool:
    """Return whether the accuracy is lower than expected of these rows, by a one-sided test of this level."""
    return evidence.loss > evidence.allowed * float(special.ndtri(1 - level)) / NORMAL_QUANTILE


def _label_reason(moved: str, is_label: bool, mix_moved: bool, is_concept: bool) -> Reason:
    if is_label:
        code = ReasonCode.LABEL_MIX_MOVED
    elif mix_moved:
        code = ReasonCode.LABEL_MIX_EXPLAINS_NOTHING if is_concept else ReasonCode.LABEL_MIX_FOLLOWS_ROWS
    else:
        code = ReasonCode.LABEL_MIX_STEADY
    return code.reason(moved=moved)


def _concept_reason(
    evidence: LabelEvidence, conditional: ShiftTestResult, threshold: float, verdict: Verdict, is_label: bool
) -> Reason:
    numbers = f"{100 * conditional.effect:.1f} % of the labels, p {conditional.p_value:.2g}"
    projection = (
        ""
        if not evidence.is_projected
        else f"; the accuracy is {-100 * evidence.loss:+.1f} points from what was projected for these rows"
    )
    if verdict is Verdict.NOT_JUDGED:
        return ReasonCode.CAUSE_NOT_IDENTIFIED.reason(numbers=numbers, points=100 * evidence.loss)
    if verdict is Verdict.DRIFT:
        code = ReasonCode.LABELS_UNEXPECTED
    elif is_label:
        code = ReasonCode.LABELS_EXPLAINED_BY_MIX
    else:
        is_costless = conditional.beyond(threshold) or _missed(evidence, threshold)
        code = ReasonCode.LABELS_UNEXPECTED_WITHOUT_LOSS if is_costless else ReasonCode.LABELS_AS_EXPECTED
    return code.reason(numbers=numbers, projection=projection)


def shifts_before_labels(
    features: Sequence[FeatureReport], projected: ProjectedAccuracy, not_judged: Reason | None
) -> tuple[ShiftReport, ShiftReport]:
    """Return covariate shift and label shift, as a window without labels shows them.

    Parameters
    ----------
    not_judged
        Why the window as a whole is not judged; None: it is.
    """
    drifted = [one.name for one in features if one.verdict is Verdict.DRIFT and one.violation is None]
    moved = ReasonCode.NO_FEATURE_DRIFTED.reason()
    if drifted:
        moved = ReasonCode.FEATURES_MOVED.reason(names=", ".join(drifted))
    label = _suspected(projected, not_judged)
    if not_judged or all(feature.verdict is Verdict.NOT_JUDGED for feature in features):
        reason = not_judged or ReasonCode.NO_FEATURE_JUDGED.reason()
        covariate = ShiftReport(shift=Shift.COVARIATE, reason=reason)
    elif not drifted and (faulty := _faults(features)):
        covariate = ShiftReport(shift=Shift.COVARIATE, reason=faulty)
    elif label.verdict is Verdict.DRIFT:
        reason = ReasonCode.FEATURES_MOVED_AS_LABELS_WOULD.reason(moved=moved)
        covariate = ShiftReport(shift=Shift.COVARIATE, reason=reason)
    else:
        covariate = ShiftReport(
            shift=Shift.COVARIATE,
            verdict=Verdict.DRIFT if drifted else Verdict.NO_DRIFT,
            reason=moved,
            effect=max((_distance(feature) for feature in features if feature.name in drifted), default=None),
        )
    return covariate, label


def _faults(features: Sequence[FeatureReport]) -> Reason | None:
    return next((one.reason for one in features if has_code(one.reason, ReasonCode.INTERNAL_FAULT)), None)


def _distance(feature: FeatureReport) -> float:
    return feature.effect(EffectMeasure.JENSEN_SHANNON_DISTANCE) or 0.0


def _suspected(projected: ProjectedAccuracy, not_judged: Reason | None) -> ShiftReport:
    scenario = projected.label_shift
    if not_judged or scenario.status is not Status.ESTIMATED:
        reason = not_judged or scenario.reason or ReasonCode.LABEL_SHIFT_NEEDS_LABELS.reason()
        return ShiftReport(shift=Shift.LABEL, reason=reason)
    if not scenario.selected:
        reason = ReasonCode.LABEL_SHIFT_NOT_SUSPECTED.reason()
        return ShiftReport(shift=Shift.LABEL, verdict=Verdict.NO_DRIFT, reason=reason)
    return ShiftReport(
        shift=Shift.LABEL,
        verdict=Verdict.DRIFT,
        reason=ReasonCode.LABEL_SHIFT_SUSPECTED.reason(
            window=100 * (scenario.positive_fraction or 0), reference=100 * (scenario.positive_fraction_reference or 0)
        ),
    )
