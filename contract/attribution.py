"""What the model's predictions rest on: feature-attribution drift."""

from dataclasses import dataclass

from plumbline.contract.reasons import Reason
from plumbline.contract.verdicts import SWITCHED_OFF, OptionalPart, Status, Verdict


@dataclass(frozen=True, kw_only=True)
class AttributionFeature:
    """One feature's share in the predictions: mean absolute SHAP value in log-odds; rank 1 is the largest."""

    name: str
    importance: float
    importance_reference: float
    rank: int
    rank_reference: int


@dataclass(frozen=True, kw_only=True)
class AttributionReport(OptionalPart):
    """Whether the predictions rest on other features than on the labelled test set.

    `ndcg` is the normalised discounted cumulative gain of the window's order of features, 0 to 1; 1 is the same order.
    `features` are in the window's order.
    """

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = SWITCHED_OFF
    verdict: Verdict = Verdict.NOT_JUDGED
    ndcg: float | None = None
    threshold: float | None = None
    n_rows: int = 0
    n_rows_reference: int = 0
    features: tuple[AttributionFeature, ...] = ()
