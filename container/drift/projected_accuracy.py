"""Accuracy of a window without its labels: expected from calibrated confidence."""

import math

import numpy as np
from numpy.typing import NDArray

from contract.records import ProjectedAccuracy, Status
from contract.training import DECISION_THRESHOLD
from drift.calibration import ScoredLabels
from drift.counts import NumericCounts
from drift.learned import Baseline
from drift.support import support_refusal
from drift.window import WindowCounts

METHOD = "calibrated_confidence_isotonic"

MINIMUM_ROWS = 200
MINIMUM_REFERENCE_ROWS = 500
MINIMUM_CLASS_ROWS = 50
MAXIMUM_HALF_WIDTH = 0.05
N_RESAMPLES = 100
_NORMAL_QUANTILE = 1.959964
"""97.5 % quantile of the standard normal distribution: a two-sided 95 % interval."""


def project(
    baseline: Baseline, window: WindowCounts, seed: int, ignored: frozenset[str] = frozenset()
) -> ProjectedAccuracy:
    """Estimate the accuracy of the window's predictions, with a 95 % interval for the accuracy that labels would show.

    Each captured probability is calibrated on the labelled test set; a row predicted positive is right with that
    probability q, one predicted negative with 1 - q, and the estimate is the mean. The variance is that of the
    reference sample (`N_RESAMPLES` bootstrap refits of the calibration) plus that of the labels, q (1 - q) a row times
    the window's `repetition`, as identical rows share one label draw. Valid under covariate shift only
    (`contract.records.PROJECTED_ACCURACY_NOTE`).

    Refused, with the reason, where the estimate would mislead; `reference` is then still given if it is known. The
    refusal names none of the `ignored` features, whose strange values `window.n_outside` does not count.

    References
    ----------
    C. Guo et al., "On calibration of modern neural networks" (2017); NannyML, "Confidence-based performance
    estimation".
    """
    test = baseline.test
    if test is None:
        return ProjectedAccuracy(reason="the baseline has no labelled test set")
    if test.probabilities is None:
        return ProjectedAccuracy(reason="the baseline has no predictions for its test set")
    refused = _reference_refusal(test.labels, baseline.positive_label)
    if refused:
        return ProjectedAccuracy(reason=refused)
    positive = np.array([label == baseline.positive_label for label in test.labels])
    reference = float(np.mean((test.probabilities >= DECISION_THRESHOLD) == positive))
    labelled = ScoredLabels.of(test.probabilities, positive)
    judged = {name: column for name, column in window.columns.items() if name not in ignored}
    refused = (
        _window_refusal(window.probabilities)
        or support_refusal(baseline, judged, window.n_outside, window.n_rows)
        or _calibration_refusal(labelled)
    )
    if refused:
        return ProjectedAccuracy(reason=refused, reference=reference)
    estimate, half_width = _estimate(labelled, window, seed)
    if half_width > MAXIMUM_HALF_WIDTH:
        return ProjectedAccuracy(
            reason=f"the 95 % interval reaches {100 * half_width:.1f} points either side of the estimate, "
            f"more than {100 * MAXIMUM_HALF_WIDTH:.0f}",
            reference=reference,
        )
    n_captured = window.probabilities.n_present
    return ProjectedAccuracy(
        status=Status.ESTIMATED,
        reason=""
        if n_captured == window.n_rows
        else f"from the {n_captured} of {window.n_rows} rows with a prediction",
        estimate=estimate,
        lower=max(estimate - half_width, 0.0),
        upper=min(estimate + half_width, 1.0),
        reference=reference,
        drop=reference - estimate,
        method=METHOD,
    )


def _reference_refusal(labels: tuple[str, ...], positive_label: str | None) -> str:
    if positive_label is None:
        return f"the target must have two classes, got {len(set(labels))} in the test set"
    n_rows, n_positive = len(labels), labels.count(positive_label)
    if n_rows < MINIMUM_REFERENCE_ROWS:
        return f"the labelled test set has {n_rows} rows, fewer than {MINIMUM_REFERENCE_ROWS}"
    smaller = min(n_positive, n_rows - n_positive)
    if smaller < MINIMUM_CLASS_ROWS:
        return f"the smaller class of the test set has {smaller} rows, fewer than {MINIMUM_CLASS_ROWS}"
    return ""


def _window_refusal(probabilities: NumericCounts) -> str:
    if probabilities.n_rows and not probabilities.n_present:
        return "no predictions were captured"
    if ((probabilities.values < 0) | (probabilities.values > 1)).any():
        return "the captured predictions are not probabilities: some lie outside 0 to 1"
    if probabilities.n_present < MINIMUM_ROWS:
        return f"{probabilities.n_present} rows with a captured prediction, fewer than {MINIMUM_ROWS}"
    return ""


def _calibration_refusal(labelled: ScoredLabels) -> str:
    area = labelled.area_under_curve()
    if area < 0.5:
        return f"the test set's probabilities rank its labels worse than chance (area under the curve {area:.3f})"
    return ""


def _estimate(labelled: ScoredLabels, window: WindowCounts, seed: int) -> tuple[float, float]:
    scores = window.probabilities.values
    shares = window.probabilities.counts / window.probabilities.n_present
    predicted_positive = scores >= DECISION_THRESHOLD

    def chance_right(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        calibrated = labelled.calibrate(scores, weights)
        return np.where(predicted_positive, calibrated, 1 - calibrated)

    n_reference = len(labelled.positive)
    q = chance_right(np.ones(n_reference))
    random = np.random.default_rng(seed)
    equal = np.full(n_reference, 1 / n_reference)
    refits = [
        float(shares @ chance_right(random.multinomial(n_reference, equal).astype(np.float64)))
        for _ in range(N_RESAMPLES)
    ]
    # Identical rows deserve one label: each distinct row draws it once, for all its repetitions.
    label_noise = float(shares @ (q * (1 - q))) * window.repetition / window.probabilities.n_present
    variance = float(np.var(refits, ddof=1)) + label_noise
    # A rounding error must not carry a certain row's share past 1.
    return min(float(shares @ q), 1.0), _NORMAL_QUANTILE * math.sqrt(variance)
