"""How differently the model treats the groups of one column: bias drift."""

from dataclasses import dataclass

from plumbline.contract.enums import StrEnum
from plumbline.contract.reasons import Reason
from plumbline.contract.verdicts import SWITCHED_OFF, OptionalPart, Status, Verdict


class BiasMetric(StrEnum):
    """One group against all other rows. Names are those of SageMaker Clarify where it has one."""

    DIFFERENCE_IN_POSITIVE_PROPORTIONS = "difference_in_positive_proportions"
    """Rate of positive predictions among the others minus that of the group, -1 to 1; 0 is equal (Clarify: DPPL)."""
    DISPARATE_IMPACT = "disparate_impact"
    """Rate of positive predictions in the group divided by that among the others; 1 is equal (Clarify: DI)."""
    TRUE_POSITIVE_RATE_DIFFERENCE = "true_positive_rate_difference"
    """True positive rate of the others minus that of the group, -1 to 1; needs labels (Clarify: RD)."""
    FALSE_POSITIVE_RATE_DIFFERENCE = "false_positive_rate_difference"
    """False positive rate of the others minus that of the group, -1 to 1; needs labels."""


@dataclass(frozen=True, kw_only=True)
class BiasMeasure:
    """One metric of one group with its 95 % interval, in the window and on the labelled test set.

    `verdict` is drift when it moved by `BiasReport.threshold` or more, and by more than chance.
    """

    metric: BiasMetric
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    reference: float | None = None
    reference_lower: float | None = None
    reference_upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class BiasGroup:
    """One value of the facet; `selection_rate` is its rate of positive predictions, 0 to 1."""

    value: str
    n_rows: int
    n_rows_reference: int
    selection_rate: float | None = None
    selection_rate_reference: float | None = None
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None
    measures: tuple[BiasMeasure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BiasReport(OptionalPart):
    """Bias by the values of one column, the facet; `threshold` is the move of a metric that counts."""

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = SWITCHED_OFF
    facet: str | None = None
    threshold: float | None = None
    verdict: Verdict = Verdict.NOT_JUDGED
    groups: tuple[BiasGroup, ...] = ()
