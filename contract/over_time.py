"""What changed over time: day-long means of one window after another, and the evidence that they add up to."""

from dataclasses import dataclass

from plumbline.contract.reasons import Reason
from plumbline.contract.verdicts import SWITCHED_OFF, OptionalPart, Verdict


@dataclass(frozen=True, kw_only=True)
class OverTimeFeature:
    """One feature, or the captured probability, over the day that ends with the window.

    `evidence` is the natural logarithm of an e-value: how much the days since `start` speak against no change.
    `difference` is how far the mean that changed most lies from the reference's, in standard deviations of the
    reference: of the rank of a value, its distance from the middle, or a fraction of rows. `reason` has it in words.
    """

    name: str
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    evidence: float | None = None
    start: str | None = None
    difference: float | None = None


@dataclass(frozen=True, kw_only=True)
class OverTimeReport(OptionalPart):
    """Whether a feature, or the prediction, changed slowly or for good: over days, whatever each window shows.

    A feature drifts when its evidence reaches `evidence_threshold`, which without drift one of them all does in a
    month with a probability of at most `alpha`. The day that ends with the window has `n_rows` rows of `n_windows`
    windows. `start` is that of the change that began first.
    """

    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = SWITCHED_OFF
    start: str | None = None
    alpha: float | None = None
    evidence_threshold: float | None = None
    n_windows: int = 0
    n_rows: int = 0
    features: tuple[OverTimeFeature, ...] = ()
    prediction: OverTimeFeature | None = None
