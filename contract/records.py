"""drift_report.json, version 5: the shape that the container writes and people, plots and tests read.

A number that cannot be computed is None, with a reason beside it; NaN is refused.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from plumbline.contract.accuracy import PROJECTED_ACCURACY_NOTE, ProjectedAccuracy
from plumbline.contract.attribution import AttributionReport
from plumbline.contract.bias import BiasReport
from plumbline.contract.decoding import decode, read_json
from plumbline.contract.enums import StrEnum
from plumbline.contract.over_time import OverTimeFeature, OverTimeReport
from plumbline.contract.predictions import PredictionsReport
from plumbline.contract.quality import QualityReport, ShiftReport
from plumbline.contract.reasons import Reason
from plumbline.contract.statistics import EffectMeasure, FeatureType
from plumbline.contract.verdicts import (
    MODEL_CHANGED,
    SWITCHED_OFF,
    AnswerCounts,
    InternalFault,
    OptionalPart,
    RecordCounts,
    Status,
    VariantRole,
    Verdict,
    WindowBounds,
)

__all__ = [
    "DRIFT_REPORT_VERSION",
    "ISOLATION_FOREST_NOTE",
    "MODEL_CHANGED",
    "PROJECTED_ACCURACY_NOTE",
    "SWITCHED_OFF",
    "AcceptedReport",
    "AnswerCounts",
    "Contributor",
    "DriftReport",
    "EffectMeasure",
    "FeatureReport",
    "FeatureType",
    "InternalFault",
    "IsolationForestSimilarity",
    "ModelReport",
    "MultivariateReport",
    "OptionalPart",
    "OverTimeFeature",
    "OverTimeReport",
    "PredictionsReport",
    "ProjectedAccuracy",
    "RecordCounts",
    "SegmentReport",
    "Status",
    "VariantReport",
    "VariantRole",
    "Verdict",
    "Violation",
    "WindowBounds",
    "finite",
]

DRIFT_REPORT_VERSION = 5

ISOLATION_FOREST_NOTE = (
    "Isolation Forest similarity says how alike the window's rows and the test rows that the model predicted right "
    "look to a one-class model. It is not an accuracy and does not use the model's predictions for the window. Read "
    "as an accuracy it was 11.4 percentage points off on average, measured on Census Income under covariate shift; "
    "accuracy projected from calibrated confidence was 0.6 points off."
)
"""Shown beside every value of the reference task's proxy."""


class Violation(StrEnum):
    """A broken payload: a feature that does not have the baseline's schema. The names are SageMaker's."""

    MISSING_COLUMN = "missing_column_check"
    """No row names the feature."""
    DATA_TYPE = "data_type_check"
    """Most values are of another type than in training."""


@dataclass(frozen=True)
class Contributor:
    """One label or bin of a drifted feature; fractions are 0..1 of the present values."""

    label: str
    reference_fraction: float
    window_fraction: float


@dataclass(frozen=True, kw_only=True)
class FeatureReport:
    """One feature, or the captured probability, compared with the reference.

    Fractions are 0..1. `effects` has the effect of each measure that suits the type (`contract.statistics`), by its
    name; one that cannot be computed is absent. `null_q99_distance` is the Jensen-Shannon distance that samples of
    these sizes stay below without drift in 99 of 100 windows. `log_p_value` is the natural logarithm, for p-values
    below the smallest float. `min_sample_size` is the number of present values from which an effect of
    `effect_threshold` is found with a probability of 0.8. `unreadable` counts cells that hold no value of this type, by
    reason, `unreadable_examples` has the places of the first of them, as ``file:line``, and `unreadable_fraction` is
    their fraction of all cells. `top_contributors` are the labels or bins that moved most, the largest move first.
    `approximate`: values were counted in buckets of relative width `relative_error`. `past_threshold` is what the
    effect must exceed to be more than the feature's own past shows; None: nothing is known of it.
    """

    name: str
    type: FeatureType
    effects: Mapping[str, float] = field(default_factory=dict)
    test: str | None = None
    statistic: float | None = None
    p_value: float | None = None
    log_p_value: float | None = None
    p_value_adjusted: float | None = None
    null_q99_distance: float | None = None
    effect_measure: EffectMeasure = EffectMeasure.JENSEN_SHANNON_DISTANCE
    effect_threshold: float | None = None
    past_threshold: float | None = None
    min_sample_size: int | None = None
    critical: bool = False
    approximate: bool = False
    relative_error: float | None = None
    missing_fraction: float | None = None
    missing_fraction_reference: float | None = None
    missing_p_value_adjusted: float | None = None
    tail_p_value_adjusted: float | None = None
    unseen_fraction: float | None = None
    out_of_range_fraction: float | None = None
    unreadable: Mapping[str, int] = field(default_factory=dict)
    unreadable_examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable_fraction: float | None = None
    top_contributors: tuple[Contributor, ...] = ()
    violation: Violation | None = None
    verdict: Verdict = Verdict.NOT_JUDGED
    reason: Reason | None = None

    def effect(self, measure: EffectMeasure) -> float | None:
        """Return the effect by one measure, in its unit; None where it was not computed."""
        return self.effects.get(measure)


@dataclass(frozen=True, kw_only=True)
class IsolationForestSimilarity(OptionalPart):
    """The reference task's own proxy, under its own name. It is not an accuracy."""

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = None
    relative_difference_percent: float | None = None


@dataclass(frozen=True, kw_only=True)
class AcceptedReport:
    """Windows that a person made the reference, and what differs from the training data all the same.

    `is_used`: the window was judged against them; else `reason` says why not, and both are without a value where
    nothing was accepted. `accepted_features` are compared with them, as is the prediction with `accepted_prediction`.
    `features` and `prediction` have the comparison with the training data of those that drifted from it: it is
    accepted, and makes no verdict of the window.
    """

    is_used: bool = False
    reason: Reason | None = None
    windows: tuple[WindowBounds, ...] = ()
    n_windows: int = 0
    n_rows: int = 0
    accepted_at: str | None = None
    accepted_by: str | None = None
    stated_reason: str | None = None
    accepted_features: tuple[str, ...] = ()
    accepted_prediction: bool = False
    features: tuple[FeatureReport, ...] = ()
    prediction: FeatureReport | None = None

    @property
    def is_stated(self) -> bool:
        """Whether anything was accepted, in force or not."""
        return self.is_used or self.reason is not None


@dataclass(frozen=True, kw_only=True)
class SegmentReport:
    """One segment of the window against the same segment of the reference.

    `kind` is ``variant`` or ``column``; `value` names the variant, or the value of the segment column.
    """

    kind: str
    value: str
    n_rows: int
    verdict: Verdict
    reason: Reason | None
    features: tuple[FeatureReport, ...]


@dataclass(frozen=True, kw_only=True)
class VariantReport:
    """One of several variants of the endpoint that answered in the window, judged by its own records alone.

    The quality by labels is under ``quality.variants``.
    """

    variant: str
    role: VariantRole
    records: RecordCounts
    n_rows: int
    verdict: Verdict
    reason: Reason | None
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport
    projected_accuracy: ProjectedAccuracy


@dataclass(frozen=True, kw_only=True)
class MultivariateReport(OptionalPart):
    """How well a classifier separates the window's rows from the reference's: 0.5 is chance, 1 complete.

    The verdict is drift from `threshold` on, beyond chance, and above `past_threshold`, where the past of the task is
    known; `verdict_reason` says why.
    """

    status: Status = Status.NOT_JUDGED
    reason: Reason | None = None
    verdict: Verdict = Verdict.NOT_JUDGED
    verdict_reason: Reason | None = None
    threshold: float | None = None
    past_threshold: float | None = None
    area_under_curve: float | None = None
    p_value: float | None = None
    n_reference: int = 0
    n_window: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """The model that alone answered a window, and the baseline that the window is judged against.

    `artifact` and `baseline` are s3:// URIs; `model_package` is None for a model that was not retrained, and
    `champion_from` for the first one there is.
    """

    artifact: str
    baseline: str
    model_package: str | None = None
    champion_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """The result of one run: one window judged, and the windows before it judged by their labels.

    `rule` states when a window drifts. `shifts` has one entry for each kind of shift. `model` is None where no
    history of the endpoint's models is kept, and where the model changed within the window. A report with
    `internal_faults` is never `no_drift`. `answers` accounts for the answers of the records used, and
    `predictions` tells how they were read. `warnings` are what
    the verdict does not rest on: records that were rejected, where they are not why there is none, and answers that
    could not be read. Where several variants answered and none was chosen, `variants` has each of them, and the report
    itself is that of `variant`, the production variant with the most rows; only its verdict may be another's: drift of
    any production variant is drift. `past` says which windows of the task's past set thresholds besides the policy's;
    None: the baseline knows of none.
    """

    window: WindowBounds
    endpoint: str | None
    schedule: str | None
    records: RecordCounts
    n_rows: int
    verdict: Verdict
    reason: Reason | None
    features: tuple[FeatureReport, ...]
    prediction: FeatureReport
    projected_accuracy: ProjectedAccuracy
    isolation_forest_similarity: IsolationForestSimilarity
    rule: str = ""
    answers: AnswerCounts = AnswerCounts()
    predictions: PredictionsReport = PredictionsReport()
    hours_added: int = 0
    model: ModelReport | None = None
    accepted: AcceptedReport = AcceptedReport()
    segments: tuple[SegmentReport, ...] = ()
    variant: str | None = None
    variants: tuple[VariantReport, ...] = ()
    multivariate: MultivariateReport = MultivariateReport()
    over_time: OverTimeReport = OverTimeReport()
    shifts: tuple[ShiftReport, ...] = ()
    bias: BiasReport = BiasReport()
    attribution: AttributionReport = AttributionReport()
    quality: QualityReport = QualityReport()
    internal_faults: tuple[InternalFault, ...] = ()
    warnings: tuple[Reason, ...] = ()
    past: Reason | None = None
    version: int = DRIFT_REPORT_VERSION

    @property
    def own_window(self) -> WindowBounds:
        """The run's own window, without the hours that were added: those of all runs follow each other."""
        return self.window.without_first(self.hours_added)

    @property
    def drifted_features(self) -> tuple[str, ...]:
        """Names of the features whose verdict is drift, in the report's order."""
        return tuple(feature.name for feature in self.features if feature.verdict is Verdict.DRIFT)

    def to_json(self) -> str:
        """Return the file's text: sorted keys, so that equal reports are equal bytes.

        Raises
        ------
        ValueError
            If a number is NaN or infinite.
        """
        return json.dumps(asdict(self), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DriftReport":
        """Read a report of this version; keys that this code does not know are left out.

        Raises
        ------
        ValueError
            If the text is of another version, or a required key is missing or of another type.
        """
        data = read_json(text)
        if not isinstance(data, dict) or data.get("version") != DRIFT_REPORT_VERSION:
            found = data.get("version") if isinstance(data, dict) else type(data).__name__
            raise ValueError(
                f"drift report version must be {DRIFT_REPORT_VERSION}, got {found!r}; judge the window again with "
                "this version, or read the report with the version that wrote it (docs/upgrading.md has its keys)"
            )
        return decode(cls, data, tolerant=True)


def finite(value: float) -> float | None:
    """Return `value` as a plain float, or None when it is NaN or infinite: JSON has no word for those."""
    number = float(value)
    return number if math.isfinite(number) else None
