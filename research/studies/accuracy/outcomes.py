"""One window's estimates, and the figures of its labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.verdicts import Verdict
from research.studies.accuracy.cases import Family


class Method(StrEnum):
    """Estimators of a window's accuracy."""

    PLUMBLINE = "Plumbline"
    CONFIDENCE = "calibrated confidence"
    UNCHANGED = "accuracy unchanged"
    FOREST = "Isolation Forest"


@dataclass(frozen=True)
class IntervalEstimate:
    """One figure with its 95 % interval, and the same by the labels; all 0..1, None where it was not estimated."""

    estimate: float | None
    lower: float | None
    upper: float | None
    realised: float | None

    @property
    def is_covered(self) -> bool | None:
        """Whether the figure by the labels lies in the interval; None without an interval."""
        if self.lower is None or self.upper is None or self.realised is None:
            return None
        return self.lower <= self.realised <= self.upper

    @property
    def error(self) -> float | None:
        """How far the estimate is off, without its sign."""
        return None if self.estimate is None or self.realised is None else abs(self.estimate - self.realised)


@dataclass(frozen=True, kw_only=True)
class WindowOutcome:
    """One window. Fractions are 0..1.

    `accuracy` is the product's projection with every limit lifted that refuses it for the window's rows.
    `refusal_reason` is why the product as it ships refuses this window, None where it does not. `verdict` is the
    product's, as it ships. `gate` is the paired t of what the features add to the probability, and `weighted` whether
    it was enough to use them. `scenario` is the accuracy if the shift were one of labels, and `selected` whether the
    product shows it. `before` and `after` have the verdict on each kind of shift, without labels and with them.
    """

    subject: str
    seed: int
    family: Family
    case: str
    severity: float
    n_rows: int
    reference: float
    accuracy: IntervalEstimate
    refusal_reason: str | None
    verdict: Verdict
    separability: float | None
    over_represented: float | None
    outside: float | None
    gate: float | None
    weighted: bool
    others: Mapping[Method, float]
    scenario: IntervalEstimate
    selected: bool
    measures: Mapping[Measure, IntervalEstimate] = field(default_factory=dict)
    before: Mapping[Shift, Verdict] = field(default_factory=dict)
    after: Mapping[Shift, Verdict] = field(default_factory=dict)

    @property
    def realised(self) -> float:
        """The accuracy by the labels."""
        if self.accuracy.realised is None:
            raise ValueError(f"outcome must have the labels' accuracy, got none for {self.case!r}")
        return self.accuracy.realised

    @property
    def drop(self) -> float:
        """By how much the accuracy fell below that on the test set."""
        return self.reference - self.realised

    def error(self, method: Method) -> float | None:
        """Return how far a method is off, without its sign; None without an estimate."""
        return self.accuracy.error if method is Method.PLUMBLINE else abs(self.others[method] - self.realised)

    def estimate(self, method: Method) -> float | None:
        """Return a method's estimate; None without an estimate."""
        return self.accuracy.estimate if method is Method.PLUMBLINE else self.others[method]
