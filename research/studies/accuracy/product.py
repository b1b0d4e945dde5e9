"""The product's results for a window, by its own functions: projection, refusal, and which shift it sees."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import Measure, MeasureReport, ProjectedAccuracy, Shift
from plumbline.contract.quality import WindowQuality
from plumbline.contract.verdicts import Verdict
from plumbline.data.rows import LabelledRows
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.ground_truth.join import JoinedWindow
from plumbline.drift.ground_truth.quality import judge_quality
from plumbline.drift.judge.comparison import RunContext, Sample, judge
from plumbline.drift.judge.shifts import shifts_before_labels
from plumbline.drift.projection import Limits, Projector
from plumbline.drift.projection.measured import Measured
from plumbline.drift.read.capture import count_window, plan_of
from plumbline.drift.read.kernel.partial_counts import PartialCounts
from plumbline.drift.settings.policy import Policy
from research.studies.accuracy.subject import LabelledWindow, Subject

UNLIMITED = Limits(
    separability=math.inf,
    over_represented_fraction=math.inf,
    out_of_support_fraction=math.inf,
    half_width=math.inf,
)
"""Refuses no window for its rows: what the estimate would have been where the product gives none."""
ANY_LABELS = 1e-9
"""Fraction of labelled rows that any label reaches: the study judges every labelled window."""


@dataclass(eq=False)
class _CachedProjector:
    """A projector that computes the same window only once."""

    projector: Projector
    _found: list[tuple[WindowCounts, Measured]] = field(default_factory=list)

    @property
    def uses_features(self) -> bool:
        return self.projector.uses_features

    def measure(self, window: WindowCounts, *, drop_threshold: float) -> Measured:
        for known, found in self._found:
            if known is window:
                return found
        found = self.projector.measure(window, drop_threshold=drop_threshold)
        self._found = [(window, found)]
        return found

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.projector.calibrated(probabilities)

    def chance_positive(self, table: Table, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.projector.chance_positive(table, probabilities)


@dataclass(frozen=True, eq=False)
class ProductAnswer:
    """Results for a window: as the product ships, without its limits, and with labels."""

    projected: ProjectedAccuracy
    unlimited: ProjectedAccuracy
    before: Mapping[Shift, Verdict]
    quality: WindowQuality

    @property
    def after(self) -> Mapping[Shift, Verdict]:
        """The verdict on each shift that labels show."""
        return {found.shift: found.verdict for found in self.quality.shifts}

    def realised(self, measure: Measure) -> MeasureReport | None:
        """Return a measure by the labels."""
        return next((found for found in self.quality.measures if found.measure is measure), None)


@dataclass(frozen=True, eq=False)
class SubjectMonitor:
    """The product at work on one subject."""

    subject: Subject
    policy: Policy
    projection: _CachedProjector
    unlimited: Projector

    @classmethod
    def of(cls, subject: Subject) -> Self:
        """Prepare to judge the subject's windows with the policy that the product ships."""
        return cls(
            subject,
            Policy(),
            _CachedProjector(Projector.of(subject.baseline, seed=subject.seed)),
            Projector.of(subject.baseline, seed=subject.seed, limits=UNLIMITED),
        )

    def judge(self, window: LabelledWindow, rows: LabelledRows, seed: int) -> ProductAnswer:
        """Return the results for a window before and after its labels; `rows` are those of the window."""
        drop_threshold = self.policy.accuracy_drop_threshold
        projected = self.projection.measure(window.counts, drop_threshold=drop_threshold).by_rows()
        unlimited = projected
        if projected.estimate is None:
            unlimited = self.unlimited.project(window.counts, drop_threshold=drop_threshold)
        context = RunContext(policy=replace(self.policy, minimum_labelled_fraction=ANY_LABELS), seed=seed)
        joined = self._joined(window, rows)
        quality = judge_quality(joined, self.subject.baseline, self.projection, context, is_final=True)
        return ProductAnswer(projected, unlimited, self._before(window, projected, seed), quality)

    def _before(self, window: LabelledWindow, projected: ProjectedAccuracy, seed: int) -> dict[Shift, Verdict]:
        baseline = self.subject.baseline
        sample = Sample(columns=window.counts.columns, probabilities=window.counts.probabilities)
        reference = Sample(columns=baseline.counts, probabilities=self._test_probabilities())
        outcome = judge(baseline.specs, reference, sample, RunContext(policy=self.policy, seed=seed))
        found = shifts_before_labels(outcome.features, projected, None)
        return {shift.shift: shift.verdict for shift in found}

    def _test_probabilities(self) -> NumericCounts | None:
        test = self.subject.baseline.test
        return None if test is None or test.probabilities is None else NumericCounts.of(test.probabilities)

    def _joined(self, window: LabelledWindow, rows: LabelledRows) -> JoinedWindow:
        """Return the window as the join leaves it when every row got its label."""
        labels = np.array(rows.labels, dtype=object)
        nothing = count_window(lambda _: PartialCounts(), plan_of(self.subject.baseline))
        return JoinedWindow(
            bounds=window.counts.bounds,
            records=window.counts.records,
            labelled=window.counts,
            by_label={label: self._of_label(window, rows, labels == label) for label in sorted(set(rows.labels))},
            unlabelled=nothing,
            matches={},
        )

    def _of_label(self, window: LabelledWindow, rows: LabelledRows, chosen: NDArray[np.bool_]) -> WindowCounts:
        return self.subject.counts(rows.take(np.flatnonzero(chosen).tolist()), window.probabilities[chosen])
