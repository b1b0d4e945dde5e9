"""Which of the three shifts is seen: in the rows, in the mix of labels, or in what label a row deserves.

Without labels, covariate shift is seen in the features and label shift can only be suspected. With labels all three can
be told apart: concept shift is a moved P(label | row), label shift a moved P(label) with the same P(row | label).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from contract.accuracy import ProjectedAccuracy, Shift
from contract.quality import ShiftReport
from contract.records import FeatureReport, Status, Verdict
from drift.counts import NumericCounts
from drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from drift.statistics.proportion import NORMAL_QUANTILE, difference_p_value

LEVEL = 0.001
"""Of every test here: a window is looked at each hour, and nobody wants a false concept shift every other day."""
CLASS_DISTANCE = 0.03
"""Kolmogorov-Smirnov distance below which the rows of one label count as unmoved."""
_N_BINS = 10
_SMALLEST_VARIANCE = 5.0
"""Of the number of positives in a bin: below it a chi-square statistic does not follow its distribution (Cochran)."""


@dataclass(frozen=True, eq=False)
class Believed:
    """Labelled rows beside what the reference makes one expect of them; all have shape (n_distinct,).

    `expected` is the probability that `observed` is 1, `n_rows` how many rows an entry stands for as observed, and
    `weights` how many of the window: a sampled row stands for more than itself.
    """

    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    n_rows: NDArray[np.float64]
    weights: NDArray[np.float64]
    repetition: float = 1.0

    @property
    def share(self) -> float:
        """Share of rows where `observed` is 1."""
        return float(self.weights @ self.observed / self.weights.sum())

    @property
    def n_effective(self) -> float:
        """Rows that say as much as these."""
        return float(self.n_rows.sum()) / self.repetition

    def with_share(self, share: float, before: float) -> "Believed":
        """Return what one expects when the share of positives moves from `before` to `share` and nothing else does."""
        odds = share / (1 - share) * (1 - before) / before
        positive = self.expected * odds
        return replace(self, expected=positive / (positive + 1 - self.expected))


@dataclass(frozen=True)
class Moved:
    """The outcome of one test: how likely chance is, and how large the move."""

    p_value: float
    effect: float

    def beyond(self, threshold: float) -> bool:
        """Return whether it is more than chance, and large enough to matter."""
        return self.p_value < LEVEL and self.effect >= threshold


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelEvidence:
    """What labels are judged by: rows of window and labelled test set, and the scores of each label on both sides.

    `missed_by` is the realised accuracy minus the one projected for the same rows, and `allowed` the half-width of the
    projection's interval; None where nothing was projected.
    """

    window: Believed
    reference: Believed
    scores: Mapping[str, tuple[NumericCounts, NumericCounts]]
    missed_by: float | None = None
    allowed: float | None = None


def conditional_move(window: Believed, reference: Believed) -> Moved:
    """Test whether the labels are those that one expects of the rows.

    Null: P(label | row) is the reference's. In up to ten bins of the expected probability, the mean of observed minus
    expected is compared between window and reference; the sum of the squared standardised differences is chi-square
    with as many degrees of freedom as bins. The effect is the root mean square of the differences, less what chance
    adds to it: 0 to 1, the share of labels that are otherwise than expected.

    References
    ----------
    D. Hosmer, S. Lemeshow, "Goodness of fit tests for the multiple logistic regression model" (1980).
    """
    edges = np.unique(np.quantile(np.repeat(reference.expected, reference.n_rows.astype(int)), np.arange(1, 10) / 10))
    bins = _merged(np.searchsorted(edges, window.expected, side="right"), window)
    statistic = effect = 0.0
    groups = np.unique(bins)
    of_reference = _assigned(bins, window.expected, reference.expected)
    for number in groups:
        gap, variance = _gap(window, bins == number)
        gap_before, variance_before = _gap(reference, of_reference == number)
        difference, total = gap - gap_before, variance + variance_before
        share = float(window.weights[bins == number].sum() / window.weights.sum())
        statistic += difference**2 / total if total else 0.0
        effect += share * (difference**2 - total)
    return Moved(float(special.chdtrc(len(groups), statistic)), math.sqrt(max(effect, 0.0)))


def _merged(bins: NDArray[np.intp], rows: Believed) -> NDArray[np.intp]:
    """Return the bins, each with enough of the variance; neighbours are put together until it is."""
    variances = np.bincount(
        bins, rows.n_rows * rows.expected * (1 - rows.expected) / rows.repetition, minlength=_N_BINS
    )
    numbers, current, held = np.zeros(_N_BINS, dtype=np.intp), 0, 0.0
    for number in range(_N_BINS):
        if held >= _SMALLEST_VARIANCE:
            current, held = current + 1, 0.0
        numbers[number] = current
        held += variances[number]
    if held < _SMALLEST_VARIANCE and current:
        numbers[numbers == current] = current - 1
    return numbers[bins]


def _assigned(bins: NDArray[np.intp], expected: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins of other rows: those of the same range of expectations."""
    highest = [float(expected[bins == number].max()) for number in np.unique(bins)]
    return np.unique(bins)[np.minimum(np.searchsorted(highest, others), len(highest) - 1)]


def _gap(rows: Believed, chosen: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the mean of observed minus expected, and its variance."""
    weights, n_rows, expected = rows.weights[chosen], rows.n_rows[chosen], rows.expected[chosen]
    total = float(weights.sum())
    if not total:
        return 0.0, 0.0
    gap = float(weights @ (rows.observed[chosen] - expected)) / total
    # A calibration of 0 or 1 is never that sure.
    smoothed = (float(n_rows @ expected) + 0.5) / (float(n_rows.sum()) + 1)
    inner = np.maximum(expected * (1 - expected), smoothed * (1 - smoothed) / (1 + float(n_rows.sum())))
    return gap, float((weights**2 / n_rows) @ inner) * rows.repetition / total**2


def class_move(scores: Mapping[str, tuple[NumericCounts, NumericCounts]]) -> Moved:
    """Test whether the rows of each label look as before, by the scores that they get.

    Null: P(score | label) is the reference's for every label. Kolmogorov-Smirnov for each, the smallest p-value times
    their number (Bonferroni); the effect is the largest distance.

    Parameters
    ----------
    scores
        By label the reference's and the window's, both with a present value.
    """
    found = [kolmogorov_smirnov(*sides) for sides in scores.values() if all(side.n_present for side in sides)]
    if not found:
        return Moved(1.0, 0.0)
    return Moved(min(1.0, len(found) * min(one.p_value for one in found)), max(one.statistic for one in found))


def shifts_after_labels(evidence: LabelEvidence, tolerance: float) -> tuple[ShiftReport, ShiftReport]:
    """Return label shift and concept shift, as labels show them.

    Parameters
    ----------
    tolerance
        Share of labels, and move of the share of positives, from which on it counts; 0 to 1.
    """
    window, reference = evidence.window, evidence.reference
    conditional = conditional_move(window, reference)
    prior = Moved(
        difference_p_value(window.share, window.n_effective, reference.share, reference.n_effective),
        abs(window.share - reference.share),
    )
    of_classes = class_move(evidence.scores)
    is_label = (
        prior.beyond(tolerance)
        and (conditional.beyond(tolerance) or _missed(evidence, tolerance))
        and not of_classes.beyond(CLASS_DISTANCE)
        and _explained(evidence, tolerance)
    )
    is_concept = not is_label and (conditional.beyond(tolerance) or _missed(evidence, tolerance))
    moved = f"the share of positive labels went from {100 * reference.share:.1f} to {100 * window.share:.1f} %"
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
    share, before = evidence.window.share, evidence.reference.share
    if not (0 < share < 1 and 0 < before < 1):
        return False
    return not conditional_move(evidence.window.with_share(share, before), evidence.reference).beyond(tolerance)


def _missed(evidence: LabelEvidence, tolerance: float) -> bool:
    """Return whether the projection missed by more than its interval allows, at `LEVEL`, and enough to matter."""
    if evidence.missed_by is None or evidence.allowed is None:
        return False
    allowed = evidence.allowed * float(special.ndtri(1 - LEVEL / 2)) / NORMAL_QUANTILE
    return abs(evidence.missed_by) > max(allowed, tolerance)


def _label_reason(moved: str, is_label: bool, prior_moved: bool, is_concept: bool) -> str:
    if is_label:
        return f"{moved}, and the rows of each label get the scores that they got before"
    if prior_moved and not is_concept:
        return f"{moved}, as the mix of rows makes one expect"
    if prior_moved:
        return f"{moved}, but a changed mix of the same rows does not explain it"
    return f"{moved}, which is no more than chance or too little to matter"


def _concept_reason(evidence: LabelEvidence, conditional: Moved, is_label: bool, is_concept: bool) -> str:
    numbers = f"{100 * conditional.effect:.1f} % of the labels, p {conditional.p_value:.2g}"
    missed = (
        ""
        if evidence.missed_by is None
        else f"; the accuracy is {100 * evidence.missed_by:+.1f} points from what was projected for these rows"
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
        f"a share of {100 * (scenario.positive_share or 0):.1f} % positive labels, "
        f"{100 * (scenario.positive_share_reference or 0):.1f} % on the test set"
    )
    return ShiftReport(
        shift=Shift.LABEL,
        verdict=Verdict.DRIFT if scenario.selected else Verdict.NO_DRIFT,
        reason=f"without labels: {share} explains the window"
        if scenario.selected
        else f"without labels: {scenario.reason or 'a changed mix of labels does not explain the window'}",
    )
