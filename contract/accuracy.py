"""How good the predictions are: projected without labels, or measured with them."""

from dataclasses import dataclass

from plumbline.contract.enums import StrEnum
from plumbline.contract.reasons import Reason
from plumbline.contract.verdicts import Status, Verdict

PROJECTED_ACCURACY_NOTE = (
    "Projected accuracy is an estimate made without labels. It assumes covariate shift: the mix of rows may change, "
    "the label that a given row deserves may not. It cannot see concept shift; only fresh labels can."
)
"""Shown beside every projected accuracy."""
NO_HISTORY_NOTE = (
    "The baseline has no history: but for what late labels show, the interval assumes a task whose accuracy does not "
    "wander from window to window."
)
"""Added to it where the baseline was learned without a history."""


class Measure(StrEnum):
    """Figures of merit of a classifier. All are 0 to 1, but the log loss, which is 0 upwards."""

    ACCURACY = "accuracy"
    AREA_UNDER_CURVE = "area_under_curve"
    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    LOG_LOSS = "log_loss"
    """Mean negative natural logarithm of the probability that the model gave to the true class."""
    CALIBRATION_ERROR = "calibration_error"
    """Expected calibration error: mean gap between probability and share of positives."""

    @property
    def words(self) -> str:
        """The measure as sentences name it."""
        return {"area_under_curve": "area under the ROC curve", "f1": "F1"}.get(
            self.value, self.value.replace("_", " ")
        )


class Shift(StrEnum):
    """What of the joint distribution of rows and labels moved."""

    COVARIATE = "covariate_shift"
    """The mix of rows; P(label | row) is the same."""
    LABEL = "label_shift"
    """The mix of labels; P(row | label) is the same."""
    CONCEPT = "concept_shift"
    """P(label | row)."""

    @property
    def words(self) -> str:
        """The shift as sentences name it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class MeasureReport:
    """One figure of a window with its 95 % interval; `reference` is that of the labelled test set."""

    measure: Measure
    status: Status = Status.NOT_JUDGED
    reason: Reason | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    reference: float | None = None


@dataclass(frozen=True, kw_only=True)
class LabelShiftScenario:
    """What the accuracy would be if the window's shift were one of labels alone; fractions are 0..1.

    `selected`: the window fits it. `positive_fraction` is the fraction of positive labels that best explains the
    predictions, `explained_fraction` the part of the difference between window and reference that it explains, and
    `residual_separability` the area under the ROC curve of a classifier of the two after correction for it; 0.5 is
    chance.
    """

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = None
    selected: bool = False
    positive_fraction: float | None = None
    positive_fraction_reference: float | None = None
    explained_fraction: float | None = None
    residual_separability: float | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class ProjectionEvidence:
    """The measurements behind a projection, made or not; fractions are 0..1, None where not measured.

    `separability` is the area under the ROC curve with which a classifier separates the window's rows from the labelled
    test set's: 0.5 is chance. `over_represented_fraction` is the fraction of the window's rows that are more than
    twenty times as frequent there as in the test set, `out_of_support_fraction` the fraction with a value that training
    never had. `gate_statistic` is the paired t of what the features add to the probability about the labels;
    `weighted`: it was large enough for the estimate to use them. `spread` is half the range of the estimators that were
    compared, and `test_area_under_curve` how well the probabilities rank the test set's labels.
    """

    separability: float | None = None
    over_represented_fraction: float | None = None
    out_of_support_fraction: float | None = None
    gate_statistic: float | None = None
    weighted: bool = False
    spread: float | None = None
    test_area_under_curve: float | None = None


@dataclass(frozen=True, kw_only=True)
class HalfWidths:
    """The parts of a 95 % interval's half-width, which add up to it; fractions.

    `sampling` is that of a task whose accuracy does not wander. `history` is what misses of the past add to it, and
    `feedback` what those of the last windows with labels add, or, below 0, take off.
    """

    sampling: float = 0.0
    history: float = 0.0
    feedback: float = 0.0

    @property
    def total(self) -> float:
        """The half-width."""
        return self.sampling + self.history + self.feedback


@dataclass(frozen=True, kw_only=True)
class ProjectedAccuracy:
    """Accuracy expected without labels; all fractions 0..1. `drop` is `reference` minus `estimate`.

    `half_widths` are the parts of the interval's half-width. `correction` is what the last misses have moved the
    estimate by, and `n_labelled_windows` how many of them are known; without any it is what the rows alone say.

    `verdict` is drift when the accuracy dropped by `drop_threshold` or more and the drop is more than chance;
    `verdict_reason` is what decided. `warnings` are what makes an estimate doubtful.
    `measures` has the other figures that can be projected.
    """

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    half_widths: HalfWidths | None = None
    correction: float = 0.0
    n_labelled_windows: int = 0
    reference: float | None = None
    drop: float | None = None
    method: str | None = None
    verdict: Verdict = Verdict.NOT_JUDGED
    verdict_reason: Reason | None = None
    drop_threshold: float | None = None
    assumed_shift: Shift = Shift.COVARIATE
    warnings: tuple[Reason, ...] = ()
    measures: tuple[MeasureReport, ...] = ()
    label_shift: LabelShiftScenario = LabelShiftScenario()
    evidence: ProjectionEvidence = ProjectionEvidence()
    note: str = PROJECTED_ACCURACY_NOTE

    @property
    def has_wandered(self) -> bool:
        """Whether the interval, or the estimate, holds more than sampling."""
        parts = self.half_widths or HalfWidths()
        return bool(parts.history or parts.feedback or self.correction)
