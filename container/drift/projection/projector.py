"""The projection of accuracy: learned once of a baseline, applied to windows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import (
    LabelShiftScenario,
    Measure,
    MeasureReport,
    ProjectedAccuracy,
    ProjectionEvidence,
)
from plumbline.contract.quality import KnownMiss
from plumbline.contract.reasons import Reason, ReasonCode
from plumbline.contract.records import Status
from plumbline.contract.training import DECISION_THRESHOLD, Task
from plumbline.drift.data.table import Table
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.projection.classes import ClassProjector
from plumbline.drift.projection.domain import Domain, compare
from plumbline.drift.projection.estimate import MEASURES, AccuracyEstimate, Estimator, Expected, undefined
from plumbline.drift.projection.label_shift import corrected, fit_label_shift, positive_fraction
from plumbline.drift.projection.measured import Measured
from plumbline.drift.projection.recalibration import Recalibration, ScoredLabels
from plumbline.drift.projection.refusals import (
    Limits,
    calibration_refusal,
    columns_of_time,
    distance_refusal,
    out_of_support_fraction,
    predictions_refusal,
    reference_refusal,
    sample_refusal,
    warnings,
)
from plumbline.drift.projection.wander import KEPT_MISSES, LAST_MISSES, past_wander
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE


@dataclass(frozen=True, eq=False)
class Projector:
    """What is learned of the labelled test set once, for all windows of a run.

    Confidence is calibrated by an isotonic fit on the test set. Where the features add to the probability about
    the labels, which the test set shows (the gate), the estimate is doubly robust: recalibrated with the
    features, and corrected by the test set's rows, weighted to resemble the window's. Valid under covariate shift only
    (`contract.accuracy.PROJECTED_ACCURACY_NOTE`). Where the estimate would mislead it is refused, with the reason and
    the measurement; no refusal depends on the `ignored` features.

    References
    ----------
    C. Guo et al., "On calibration of modern neural networks" (2017); NannyML, "Confidence-based performance
    estimation"; J. Bang, J. Robins, "Doubly robust estimation in missing data and causal inference models" (2005).
    """

    baseline: Baseline
    seed: int
    ignored: frozenset[str]
    limits: Limits

    @classmethod
    def of(
        cls, baseline: Baseline, *, seed: int, ignored: frozenset[str] = frozenset(), limits: Limits | None = None
    ) -> "Projector":
        """Return the projector of a baseline; everything is learned when it is first needed."""
        return cls(baseline, seed, ignored, limits or Limits())

    @property
    def uses_features(self) -> bool:
        """Whether the gate is open; False where nothing can be projected."""
        return not self._refusal and self._of_classes is None and self._recalibration.uses_features

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a positive label by the score, or of several classes of a right prediction."""
        if self._of_classes is not None:
            return self._of_classes.calibrated(probabilities)
        return self._labelled.calibrate(probabilities, np.ones(len(self._labelled.positive)))

    def chance_positive(self, table: Table, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of a positive label by the whole row, shape (n_rows,)."""
        if self.uses_features:
            return self._recalibration.probabilities(table, probabilities)
        return self.calibrated(probabilities)

    def project(
        self, window: WindowCounts, *, drop_threshold: float, misses: Sequence[KnownMiss] = ()
    ) -> ProjectedAccuracy:
        """Estimate the accuracy of the window's predictions, with a 95 % interval for what labels would show.

        Parameters
        ----------
        drop_threshold
            Drop from which on the verdict may be drift, 0 to 1.
        misses
            What labels have shown of the windows before, in order of time.
        """
        history = self.baseline.history
        past = past_wander(history, window.n_rows)
        seen = [history.evidence] if history is not None and past.is_known else []
        covered = self.limits.covering(seen, [one.evidence for one in misses[-LAST_MISSES:]])
        found = self.measure(window, drop_threshold=drop_threshold)
        return found.projected(covered, past, misses[-KEPT_MISSES:])

    def measure(self, window: WindowCounts, *, drop_threshold: float) -> Measured:
        """Return what the window's rows alone say, as of a task that does not wander."""
        known = ProjectedAccuracy(drop_threshold=drop_threshold, reason=self._refusal)
        if self._refusal:
            return Measured(known=known, window=window, limits=self.limits)
        if self._of_classes is not None:
            return self._of_classes.measure(window, known, self.limits)
        known = replace(known, reference=self._reference)
        refused = predictions_refusal(window, self._recalibration.scores)
        if refused:
            known = replace(known, reason=refused, evidence=self._evidence(window, None))
            return Measured(known=known, window=window, limits=self.limits)
        domain = compare(self._test_table, window.sample.table, self._left_out, self.seed)
        evidence = self._evidence(window, domain)
        known = replace(known, evidence=evidence)

        def distant(limits: Limits) -> Reason | None:
            return distance_refusal(self.baseline, window, self._left_out, evidence, limits) or self._uncalibrated(
                limits
            )

        too_few = sample_refusal(window) if evidence.weighted else None
        if too_few:
            why = distant(self.limits) or too_few
            return Measured(known=replace(known, reason=why), window=window, limits=self.limits)
        estimator = Estimator(self._labelled, self._recalibration, domain, self.seed)
        refits = estimator.resampled(window.probabilities)

        def complete(estimated: ProjectedAccuracy, found: AccuracyEstimate) -> ProjectedAccuracy:
            return replace(
                estimated,
                method=found.method,
                warnings=warnings(evidence, len(self._recalibration.positive)),
                measures=self._measures(estimator, window, refits),
                label_shift=self._label_shift(estimator, window, refits, domain),
            )

        return Measured(
            known=known,
            window=window,
            limits=self.limits,
            estimates=estimator.estimates(window, refits),
            refused=distant,
            complete=complete,
        )

    def _uncalibrated(self, limits: Limits) -> Reason | None:
        return calibration_refusal(
            self._labelled.area_under_curve(), self._recalibration.calibration_error, limits.calibration_error
        )

    def _measures(
        self, estimator: Estimator, window: WindowCounts, refits: Sequence[Expected]
    ) -> tuple[MeasureReport, ...]:
        """Return the other figures, by the score alone; intervals from refits with labels drawn."""
        rows, random = estimator.expected(window.probabilities), np.random.default_rng(self.seed)
        drawn = [refit.drawn(random, window.design_effect) for refit in refits]
        reports = []
        for measure, compute in MEASURES.items():
            before = self._reference_of(measure)
            why = undefined(measure, rows) or next((found for one in drawn if (found := undefined(measure, one))), None)
            if why:
                reports.append(MeasureReport(measure=measure, reason=why, reference=before))
                continue
            value = compute(rows)
            half_width = NORMAL_QUANTILE * float(np.std([compute(one) for one in drawn], ddof=1))
            reports.append(
                MeasureReport(
                    measure=measure,
                    status=Status.ESTIMATED,
                    value=value,
                    lower=max(value - half_width, 0.0),
                    upper=min(value + half_width, 1.0),
                    reference=before,
                )
            )
        return tuple(reports)

    def _reference_of(self, measure: Measure) -> float | None:
        rows = self._recalibration
        scores, index = np.unique(rows.scores, return_inverse=True)
        counts = np.bincount(index).astype(np.float64)
        known = Expected(scores, counts, np.bincount(index, rows.positive) / counts)
        return None if undefined(measure, known) else MEASURES[measure](known)

    def _label_shift(
        self, estimator: Estimator, window: WindowCounts, refits: Sequence[Expected], domain: Domain | None
    ) -> LabelShiftScenario:
        if domain is None:
            return LabelShiftScenario(reason=ReasonCode.EVERY_FEATURE_IGNORED.reason())
        before = float(np.mean(self._recalibration.positive))
        rows = estimator.expected(window.probabilities)
        share, accuracy = _shifted(rows, before)
        drawn = [_shifted(refit, before)[1] for refit in refits]
        variance = float(np.var(drawn, ddof=1)) + rows.label_variance * window.design_effect
        fit = fit_label_shift(domain, self._domain_probabilities(domain, window), self._positive(domain), share, before)
        half_width = NORMAL_QUANTILE * math.sqrt(variance)
        return LabelShiftScenario(
            status=Status.ESTIMATED,
            selected=fit.selected,
            positive_fraction=share,
            positive_fraction_reference=before,
            explained_fraction=fit.explained_fraction,
            residual_separability=fit.residual_separability,
            estimate=accuracy,
            lower=max(accuracy - half_width, 0.0),
            upper=min(accuracy + half_width, 1.0),
        )

    def _domain_probabilities(self, domain: Domain, window: WindowCounts) -> NDArray[np.float64]:
        scores = window.sample.probabilities
        # A row without a captured prediction carries no information on the labels: it gets the fraction before.
        share = float(np.mean(self._recalibration.positive))
        ours = np.where(np.isnan(scores), share, self.calibrated(np.nan_to_num(scores, nan=0.5)))
        return np.concatenate([self.calibrated(self._recalibration.scores[domain.chosen]), ours])

    def _positive(self, domain: Domain) -> NDArray[np.float64]:
        return self._recalibration.positive[domain.chosen]

    def _evidence(self, window: WindowCounts, domain: Domain | None) -> ProjectionEvidence:
        return ProjectionEvidence(
            separability=None if domain is None else domain.separability(),
            over_represented_fraction=None if domain is None else domain.over_represented_fraction,
            out_of_support_fraction=out_of_support_fraction(self.baseline, window, self.ignored, self._left_out),
            gate_statistic=self._recalibration.gate_statistic,
            weighted=self._recalibration.uses_features and domain is not None,
            test_area_under_curve=self._labelled.area_under_curve(),
        )

    @cached_property
    def _left_out(self) -> frozenset[str]:
        """Columns that no distance is measured by."""
        return self.ignored | columns_of_time(self.baseline.counts, self._test_table)

    @cached_property
    def _refusal(self) -> Reason | None:
        return reference_refusal(self.baseline)

    @cached_property
    def _of_classes(self) -> ClassProjector | None:
        if self.baseline.test is None or self.baseline.task is not Task.MULTICLASS:
            return None
        return ClassProjector(self.baseline, self.baseline.test, self.ignored, self.seed)

    @cached_property
    def _recalibration(self) -> Recalibration:
        test = self.baseline.test
        if test is None or test.probabilities is None:
            raise ValueError("the baseline must have predictions for a labelled test set")
        positive = np.array([label == self.baseline.positive_label for label in test.labels], dtype=np.float64)
        return Recalibration(test.table, test.probabilities, positive, self.ignored, self.seed)

    @property
    def _test_table(self) -> Table:
        return self._recalibration.table

    @cached_property
    def _labelled(self) -> ScoredLabels:
        return ScoredLabels.of(self._recalibration.scores, self._recalibration.positive == 1)

    @cached_property
    def _reference(self) -> float:
        rows = self._recalibration
        return float(np.mean((rows.scores >= DECISION_THRESHOLD) == (rows.positive == 1)))


def _shifted(rows: Expected, before: float) -> tuple[float, float]:
    """Return the share of positives that explains the rows best, and the accuracy in that case."""
    share = positive_fraction(rows.positive, rows.counts / rows.counts.sum(), before)
    return share, replace(rows, positive=corrected(rows.positive, share, before)).accuracy
