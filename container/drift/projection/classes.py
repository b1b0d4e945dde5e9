"""Targets of more than two classes: the expected accuracy from the calibrated confidence in the predicted label."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import eq

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import (
    LabelShiftScenario,
    Measure,
    MeasureReport,
    ProjectedAccuracy,
    ProjectionEvidence,
)
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import Status
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.projection.domain import Domain, compare
from plumbline.drift.projection.estimate import AccuracyEstimate
from plumbline.drift.projection.measured import Measured
from plumbline.drift.projection.recalibration import Recalibration, ScoredLabels
from plumbline.drift.projection.refusals import (
    Limits,
    calibration_refusal,
    columns_of_time,
    distance_refusal,
    out_of_support_fraction,
    predictions_refusal,
    warnings,
)
from plumbline.drift.reference.baseline import Baseline, LabelledTest
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE

METHOD = "calibrated_top_label_confidence_isotonic"
_OWN_CALIBRATION_ROWS = 200
"""Rows predicted as one class from which on it is calibrated by itself; the others together."""
_N_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class ClassProjector:
    """The labelled test set of a target with more than two classes.

    Only the predicted label's probability is used: calibrated for each predicted label (C. Gupta, A. Ramdas,
    "Top-label calibration and multiclass-to-binary reductions", 2022), it is the chance that the prediction is right.
    """

    baseline: Baseline
    test: LabelledTest
    ignored: frozenset[str]
    seed: int

    def calibrated(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probable a right prediction is by the confidence, whatever the label."""
        return self._pooled.calibrate(confidence, np.ones(len(self._right)))

    def measure(self, window: WindowCounts, known: ProjectedAccuracy, limits: Limits) -> Measured:
        """Return what the rows say of the window's accuracy and macro precision."""
        domain = compare(self.test.table, window.sample.table, self._left_out, self.seed)
        evidence = self._evidence(window, domain)
        scenario = LabelShiftScenario(reason=ReasonCode.SCENARIO_TARGET_NOT_BINARY.reason())
        known = replace(known, reference=float(np.mean(self._right)), label_shift=scenario, evidence=evidence)
        refused = predictions_refusal(window, self._confidence)
        if refused:
            return Measured(known=replace(known, reason=refused), window=window, limits=limits)

        def distant(limits: Limits) -> Reason | None:
            return distance_refusal(self.baseline, window, self._left_out, evidence, limits) or calibration_refusal(
                self._pooled.area_under_curve(), self._calibration_error, limits.calibration_error
            )

        rights = [self._expected(window, weights) for weights in self._weights]
        sizes = {label: counts.n_present for label, counts in window.classes.items() if counts.n_present}

        def complete(estimated: ProjectedAccuracy, found: AccuracyEstimate) -> ProjectedAccuracy:
            return replace(
                estimated,
                method=found.method,
                warnings=warnings(evidence, len(self._right)),
                measures=self._measures(rights, sizes, window.design_effect),
            )

        return Measured(
            known=known,
            window=window,
            limits=limits,
            estimates=(self._estimate(window, domain, rights, sizes),),
            refused=distant,
            complete=complete,
        )

    def _estimate(
        self,
        window: WindowCounts,
        domain: Domain | None,
        rights: Sequence[Mapping[str, float]],
        sizes: Mapping[str, int],
    ) -> AccuracyEstimate:
        total = sum(sizes.values())
        values = [sum(share[label] * sizes[label] for label in sizes) / total for share in rights]
        noise = self._label_variance(window) / total * window.design_effect
        sampling = float(np.var(values[1:], ddof=1)) + noise
        # A rounding error must not carry a certain row's share past 1.
        return AccuracyEstimate(min(values[0], 1.0), sampling, self._spread(domain), METHOD)

    def _evidence(self, window: WindowCounts, domain: Domain | None) -> ProjectionEvidence:
        return ProjectionEvidence(
            separability=None if domain is None else domain.separability(),
            over_represented_fraction=None if domain is None else domain.over_represented_fraction,
            out_of_support_fraction=out_of_support_fraction(self.baseline, window, self.ignored, self._left_out),
            test_area_under_curve=self._pooled.area_under_curve(),
        )

    def _spread(self, domain: Domain | None) -> float:
        """Return half the range of what the test set's rows, weighted to resemble the window's, show as its bias."""
        if domain is None:
            return 0.0
        residuals = (self._right - self._out_of_fold.calibrated)[domain.chosen]
        off = [0.0, *(float(np.average(residuals, weights=domain.weights(one))) for one in domain.each)]
        return (max(off) - min(off)) / 2

    def _label_variance(self, window: WindowCounts) -> float:
        """Return the mean variance of whether a row of the window is predicted right."""
        equal, total = self._weights[0], 0.0
        for label, counts in window.classes.items():
            chance = self._chance(label, counts, equal)
            total += float(counts.counts @ (chance * (1 - chance)))
        return total / sum(counts.n_present for counts in window.classes.values())

    def _measures(
        self, rights: Sequence[Mapping[str, float]], sizes: Mapping[str, int], design_effect: float
    ) -> tuple[MeasureReport, ...]:
        predicted = np.array(self.test.predicted, dtype=object)
        before = float(np.mean([np.mean(self._right[predicted == label]) for label in sorted(set(predicted))]))
        means = [float(np.mean([share[label] for label in sizes])) for share in rights]
        noise = sum(rights[0][label] * (1 - rights[0][label]) / n for label, n in sizes.items()) / len(sizes) ** 2
        half_width = NORMAL_QUANTILE * math.sqrt(float(np.var(means[1:], ddof=1)) + noise * design_effect)
        why = ReasonCode.EVERY_PROBABILITY_NEEDED.reason()
        return (
            MeasureReport(measure=Measure.AREA_UNDER_CURVE, reason=why),
            MeasureReport(
                measure=Measure.PRECISION,
                status=Status.ESTIMATED,
                value=means[0],
                lower=max(means[0] - half_width, 0.0),
                upper=min(means[0] + half_width, 1.0),
                reference=before,
            ),
            MeasureReport(measure=Measure.RECALL, reason=why),
            MeasureReport(measure=Measure.F1, reason=why),
        )

    def _expected(self, window: WindowCounts, weights: NDArray[np.float64]) -> dict[str, float]:
        """Return the expected share of right predictions of each predicted label."""
        return {
            label: self._share(label, counts, weights) for label, counts in window.classes.items() if counts.n_present
        }

    def _share(self, label: str, counts: NumericCounts, weights: NDArray[np.float64]) -> float:
        return float(counts.counts @ self._chance(label, counts, weights)) / counts.n_present

    def _chance(self, label: str, counts: NumericCounts, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        own = self._by_label.get(label)
        if own is not None and weights[own[0]].any():
            return own[1].calibrate(counts.values, weights[own[0]])
        return self._pooled.calibrate(counts.values, weights)

    @cached_property
    def _left_out(self) -> frozenset[str]:
        """Columns that no distance is measured by."""
        return self.ignored | columns_of_time(self.baseline.counts, self.test.table)

    @cached_property
    def _weights(self) -> list[NDArray[np.float64]]:
        random, n = np.random.default_rng(self.seed), len(self._right)
        drawn = [random.multinomial(n, np.full(n, 1 / n)).astype(np.float64) for _ in range(_N_RESAMPLES)]
        return [np.ones(n), *drawn]

    @cached_property
    def _right(self) -> NDArray[np.bool_]:
        return np.array([*map(eq, self.test.labels, self.test.predicted or ())], dtype=bool)

    @cached_property
    def _confidence(self) -> NDArray[np.float64]:
        return np.asarray(self.test.probabilities, dtype=np.float64)

    @cached_property
    def _pooled(self) -> ScoredLabels:
        return ScoredLabels.of(self._confidence, self._right)

    @cached_property
    def _by_label(self) -> dict[str, tuple[NDArray[np.bool_], ScoredLabels]]:
        predicted = np.array(self.test.predicted, dtype=object)
        found = {}
        for label in sorted(set(predicted)):
            rows = predicted == label
            if rows.sum() >= _OWN_CALIBRATION_ROWS:
                found[label] = rows, ScoredLabels.of(self._confidence[rows], self._right[rows])
        return found

    @cached_property
    def _out_of_fold(self) -> Recalibration:
        return Recalibration(self.test.table, self._confidence, self._right.astype(np.float64), self.ignored, self.seed)

    @cached_property
    def _calibration_error(self) -> float:
        return self._out_of_fold.calibration_error
