"""Which of the three shifts is seen: in the rows, in the mix of labels, or in what label a row deserves.

Without labels, covariate shift is seen in the features and label shift can only be suspected. With labels all three can
be told apart: concept shift is a moved P(label | row), label shift a moved P(label) with the same P(row | label).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

from contract.accuracy import ProjectedAccuracy, Shift
from contract.quality import ShiftReport
from contract.records import FeatureReport, Status, Verdict
from drift.counts import NumericCounts
from drift.shift_evidence import (
    LEVEL,
    ExpectedVsObserved,
    ShiftTestResult,
    conditional_shift,
    label_mix_shift,
    score_shift_by_label,
)
from drift.statistics.proportion import NORMAL_QUANTILE

CLASS_DISTANCE = 0.03
"""Kolmogorov-Smirnov distance below which the rows of one label count as unmoved."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelEvidence:
    """What labels are judged by: rows of window and labelled test set, and the scores of each label on both sides.

    `scores` has reference and window of every label; of more than two labels, `window` and `reference` say of right
    predictions what they say of positive labels otherwise. `projection_error` is the realised accuracy minus the one
    projected for the same rows, and `allowed` the half-width of the projection's interval; None where nothing was
    projected.
    """

    window: ExpectedVsObserved
    reference: ExpectedVsObserved
    scores: Mapping[str, tuple[NumericCounts, NumericCounts]]
    projection_error: float | None = None
    allowed: float | None = None

    @property
    def is_binary(self) -> bool:
        """Whether the target has two classes."""
        return len(self.scores) <= 2


def shifts_after_labels(evidence: LabelEvidence, tolerance: float) -> tuple[ShiftReport, ShiftReport]:
    """Return label shift and concept shift, as labels show them.

    Parameters
    ----------
    tolerance
        Share of labels, and move of the share of positives, from which on it counts; 0 to 1.
    """
    window, reference = evidence.window, evidence.reference
    conditional = conditional_shift(window, reference)
    prior = label_mix_shift(evidence.scores, window.design_effect)
    of_classes = score_shift_by_label(evidence.scores)
    is_label = (
        prior.beyond(tolerance)
        and (conditional.beyond(tolerance) or _missed(evidence, tolerance))
        and not of_classes.beyond(CLASS_DISTANCE)
        and _explained(evidence, tolerance)
    )
    is_concept = not is_label and (conditional.beyond(tolerance) or _missed(evidence, tolerance))
    moved = (
        f"the share of positive labels went from {100 * reference.share:.1f} to {100 * window.share:.1f} %"
        if evidence.is_binary
        else f"{100 * prior.effect:.1f} % of the rows have another label than the mix of the test set"
    )
    return (
        ShiftReport(
            shift=Shift.LABEL,
            verdict=Verdict.DRIFT if is_label else Verdict.NO_DRIFT,
            reason=_label_reason(moved, is_label, prior.beyond(tolerance), is_concept),
            p_value=prior.p_value,
            effect=prior.effect,
        ),
        ShiftReport(
            shift=Shift.CONCEPT,
            verdict=Verdict.DRIFT if is_concept else Verdict.NO_DRIFT,
            reason=_concept_reason(evidence, conditional, is_label, is_concept),
            p_value=conditional.p_value,
            effect=conditional.effect,
        ),
    )


def _explained(evidence: LabelEvidence, tolerance: float) -> bool:
    """Return whether the moved share of positives alone accounts for the labels."""
    if not evidence.is_binary:
        return True
    share, before = evidence.window.share, evidence.reference.share
    if not (0 < share < 1 and 0 < before < 1):
        return False
    return not conditional_shift(evidence.window.with_share(share, before), evidence.reference).beyond(tolerance)


def _missed(evidence: LabelEvidence, tolerance: float) -> bool:
    """Return whether the projection missed by more than its interval allows, at `LEVEL`, and enough to matter."""
    if evidence.projection_error is None or evidence.allowed is None:
        return False
    allowed = evidence.allowed * float(special.ndtri(1 - LEVEL / 2)) / NORMAL_QUANTILE
    return abs(evidence.projection_error) > max(allowed, tolerance)


def _label_reason(moved: str, is_label: bool, prior_moved: bool, is_concept: bool) -> str:
    if is_label:
        return f"{moved}, and the rows of each label get the scores that they got before"
    if prior_moved and not is_concept:
        return f"{moved}, as the mix of rows makes one expect"
    if prior_moved:
        return f"{moved}, but a changed mix of the same rows does not explain it"
    return f"{moved}, which is no more than chance or too little to matter"


def _concept_reason(evidence: LabelEvidence, conditional: ShiftTestResult, is_label: bool, is_concept: bool) -> str:
    numbers = f"{100 * conditional.effect:.1f} % of the labels, p {conditional.p_value:.2g}"
    missed = (
        ""
        if evidence.projection_error is None
        else f"; the accuracy is {100 * evidence.projection_error:+.1f} points from what was projected for these rows"
    )
    if is_concept:
        return f"the labels are not those that such rows had on the test set ({numbers}){missed}"
    if is_label:
        return f"the changed mix of labels explains what differs ({numbers}){missed}"
    return f"the labels are those that such rows had on the test set, within chance or tolerance ({numbers}){missed}"


def shifts_before_labels(
    features: Sequence[FeatureReport], projected: ProjectedAccuracy, refused: str
) -> tuple[ShiftReport, ShiftReport]:
    """Return covariate shift and label shift, as a window without labels shows them.

    Parameters
    ----------
    refused
        Why the window as a whole is not judged; empty: it is.
    """
    drifted = [feature.name for feature in features if feature.verdict is Verdict.DRIFT]
    label = _suspected(projected, refused)
    if refused or all(feature.verdict is Verdict.NOT_JUDGED for feature in features):
        covariate = ShiftReport(shift=Shift.COVARIATE, reason=refused or "no feature could be judged")
    elif label.verdict is Verdict.DRIFT:
        covariate = ShiftReport(
            shift=Shift.COVARIATE,
            reason=f"{_moved(drifted)}, as a label shift would move them: only labels tell the two apart",
        )
    else:
        covariate = ShiftReport(
            shift=Shift.COVARIATE,
            verdict=Verdict.DRIFT if drifted else Verdict.NO_DRIFT,
            reason=_moved(drifted),
            effect=max((_distance(feature) for feature in features if feature.name in drifted), default=None),
        )
    return covariate, label


def _distance(feature: FeatureReport) -> float:
    return feature.jensen_shannon_distance or 0.0


def _moved(names: Sequence[str]) -> str:
    return f"the rows' mix moved in {', '.join(names)}" if names else "no feature drifted"


def _suspected(projected: ProjectedAccuracy, refused: str) -> ShiftReport:
    scenario = projected.label_shift
    if refused or scenario.status is not Status.ESTIMATED:
        return ShiftReport(shift=Shift.LABEL, reason=refused or scenario.reason or "there are no labels to see it by")
    share = (
        f"a share of {100 * (scenario.positive_fraction or 0):.1f} % positive labels, "
        f"{100 * (scenario.positive_fraction_reference or 0):.1f} % on the test set"
    )
    return ShiftReport(
        shift=Shift.LABEL,
        verdict=Verdict.DRIFT if scenario.selected else Verdict.NO_DRIFT,
        reason=f"without labels: {share} explains the window"
        if scenario.selected
        else f"without labels: {scenario.reason or 'a changed mix of labels does not explain the window'}",
    )
