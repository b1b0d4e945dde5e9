"""Targets of more than two classes: the expected accuracy from the calibrated confidence in the predicted label."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import eq

import numpy as np
from numpy.typing import NDArray

from contract.accuracy import LabelShiftScenario, Measure, MeasureReport, ProjectedAccuracy, ProjectionEvidence
from contract.records import Status
from drift.calibration import ScoredLabels
from drift.counts import NumericCounts
from drift.learned import LabelledTest
from drift.projection.limits import Limits
from drift.projection.refusals import interval_refusal, reference_warning, window_refusal
from drift.projection.verdict import with_verdict
from drift.statistics.proportion import NORMAL_QUANTILE
from drift.window import WindowCounts

METHOD = "calibrated_top_label_confidence_isotonic"
_OWN_CALIBRATION_ROWS = 200
"""Rows predicted as one class from which on it is calibrated by itself; the others together."""
_N_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class ClassProjector:
    """The labelled test set of a target with more than two classes.

    Only the predicted label's probability is looked at: calibrated for each predicted label (C. Gupta, A. Ramdas,
    "Top-label calibration and multiclass-to-binary reductions", 2022), it is the chance that the prediction is right.
    """

    test: LabelledTest
    seed: int

    def calibrated(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probable a right prediction is by the confidence, whatever the label."""
        return self._pooled.calibrate(confidence, np.ones(len(self._right)))

    def project(self, window: WindowCounts, known: ProjectedAccuracy, limits: Limits) -> ProjectedAccuracy:
        """Return the window's expected accuracy and macro precision."""
        known = replace(
            known,
            reference=float(np.mean(self._right)),
            label_shift=LabelShiftScenario(reason="a scenario of label shift is made for two classes"),
            evidence=ProjectionEvidence(
                outside_fraction=window.n_outside / window.n_rows if window.n_rows else None,
                test_area_under_curve=self._area,
            ),
        )
        refused = window_refusal(window.probabilities)
        if (known.evidence.outside_fraction or 0.0) >= limits.outside_fraction:
            share = 100 * (known.evidence.outside_fraction or 0.0)
            refused = refused or f"{share:.0f} % of the rows hold a value that the training data never had"
        if refused:
            return replace(known, reason=refused)
        rights = [self._expected(window, weights) for weights in self._weights]
        sizes = {label: counts.n_present for label, counts in window.classes.items()}
        total = sum(sizes.values())
        values = [sum(share[label] * sizes[label] for label in sizes) / total for share in rights]
        noise = sum(rights[0][label] * (1 - rights[0][label]) * sizes[label] for label in sizes) / total**2
        variance = float(np.var(values[1:], ddof=1)) + noise * window.repetition
        half_width = NORMAL_QUANTILE * math.sqrt(variance)
        if half_width > limits.half_width:
            return replace(
                known,
                reason=interval_refusal(half_width, limits),
            )
        estimated = replace(
            known,
            status=Status.ESTIMATED,
            estimate=values[0],
            lower=max(values[0] - half_width, 0.0),
            upper=min(values[0] + half_width, 1.0),
            drop=(known.reference or 0.0) - values[0],
            method=METHOD,
            warning=reference_warning(len(self._right)),
            measures=self._measures(rights, sizes),
        )
        return with_verdict(estimated, math.sqrt(variance))

    def _measures(self, rights: Sequence[Mapping[str, float]], sizes: Mapping[str, int]) -> tuple[MeasureReport, ...]:
        predicted = np.array(self.test.predicted, dtype=object)
        before = float(np.mean([np.mean(self._right[predicted == label]) for label in sorted(set(predicted))]))
        means = [float(np.mean([share[label] for label in sizes])) for share in rights]
        noise = sum(rights[0][label] * (1 - rights[0][label]) / n for label, n in sizes.items()) / len(sizes) ** 2
        half_width = NORMAL_QUANTILE * math.sqrt(float(np.var(means[1:], ddof=1)) + noise)
        why = "it takes the probability of every class, of which only the predicted one's is kept"
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
        own = self._by_label.get(label)
        if own is not None and weights[own[0]].any():
            chance = own[1].calibrate(counts.values, weights[own[0]])
        else:
            chance = self._pooled.calibrate(counts.values, weights)
        return float(counts.counts @ chance) / counts.n_present

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
    def _area(self) -> float | None:
        return self._pooled.area_under_curve() if 0 < self._right.sum() < len(self._right) else None
