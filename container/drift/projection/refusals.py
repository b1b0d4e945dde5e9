"""Why there is no estimate, and what makes one doubtful."""

import numpy as np

from contract.accuracy import ProjectionEvidence
from contract.training import Task
from drift.counts import NumericCounts
from drift.learned import Baseline, LabelledTest
from drift.projection import limits as at
from drift.projection.limits import Limits
from drift.support import support_refusal
from drift.window import WindowCounts


def reference_refusal(baseline: Baseline) -> str:
    """Return why nothing can be learned of the labelled test set, or an empty text."""
    test = baseline.test
    if test is None:
        return "the baseline has no labelled test set"
    if baseline.task is Task.REGRESSION:
        return "the model predicts a quantity, which is neither right nor wrong: only labels can judge it"
    if test.probabilities is None:
        return "the baseline has no predictions for its test set"
    if len(test.labels) < at.MINIMUM_REFERENCE_ROWS:
        return f"the labelled test set has {len(test.labels)} rows, fewer than {at.MINIMUM_REFERENCE_ROWS}"
    return _classes_refusal(baseline, test)


def _classes_refusal(baseline: Baseline, test: LabelledTest) -> str:
    if baseline.task is Task.MULTICLASS:
        if test.predicted is None:
            return "the baseline does not have the predicted labels of its test set"
        n_right = sum(label == called for label, called in zip(test.labels, test.predicted, strict=True))
        fewest = min(n_right, len(test.labels) - n_right)
        short = f"{fewest} predictions of the test set are {'right' if fewest == n_right else 'wrong'}"
    elif baseline.positive_label is None:
        return f"the target must have two classes, got {len(set(test.labels))} in the test set"
    else:
        n_positive = test.labels.count(baseline.positive_label)
        fewest = min(n_positive, len(test.labels) - n_positive)
        short = f"the smaller class of the test set has {fewest} rows"
    return f"{short}, fewer than {at.MINIMUM_CLASS_ROWS}" if fewest < at.MINIMUM_CLASS_ROWS else ""


def window_refusal(probabilities: NumericCounts) -> str:
    """Return why the window's predictions allow no estimate, or an empty text."""
    if probabilities.n_rows and not probabilities.n_present:
        return "no predictions were captured"
    if ((probabilities.values < 0) | (probabilities.values > 1)).any():
        return "the captured predictions are not probabilities: some lie outside 0 to 1"
    if probabilities.n_present < at.MINIMUM_ROWS:
        return f"{probabilities.n_present} rows with a captured prediction, fewer than {at.MINIMUM_ROWS}"
    return ""


def sample_refusal(window: WindowCounts) -> str:
    """Return that too few rows of the window's sample have a prediction for the features to be used, or an empty text.

    Predictions may be rare enough for that in a window that has many of them.
    """
    n_sampled = int(np.count_nonzero(~np.isnan(window.sample.probabilities)))
    if n_sampled >= at.MINIMUM_ROWS:
        return ""
    return f"{n_sampled} rows of the window's sample have a prediction, fewer than {at.MINIMUM_ROWS}"


def calibration_refusal(area: float, error: float) -> str:
    """Return why the test set's probabilities cannot be trusted, or an empty text.

    Parameters
    ----------
    area
        Area under the ROC curve.
    error
        Of the probabilities once calibrated, on rows that the calibration has not seen.
    """
    if area < at.CHANCE:
        return f"the test set's probabilities rank its labels worse than chance (area under the curve {area:.3f})"
    if error > at.MAXIMUM_CALIBRATION_ERROR:
        return (
            f"probabilities that are calibrated on one part of the test set are {100 * error:.1f} points off on the "
            f"rest, more than {100 * at.MAXIMUM_CALIBRATION_ERROR:g}: its labels do not follow them"
        )
    return ""


def distance_refusal(
    baseline: Baseline, window: WindowCounts, ignored: frozenset[str], evidence: ProjectionEvidence, limits: Limits
) -> str:
    """Return why the window is too far from training data and test set for an estimate, or an empty text."""
    separability, share = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    if (evidence.outside_fraction or 0.0) >= limits.outside_fraction:
        judged = {name: column for name, column in window.columns.items() if name not in ignored}
        return support_refusal(baseline, judged, window.n_outside, window.n_rows, limits.outside_fraction)
    if separability >= limits.separability:
        return (
            "a classifier tells the window's rows from the labelled test set's (area under the curve "
            f"{separability:.2f}, {limits.separability:g} or more): nothing is known of the model there"
        )
    if share >= limits.over_represented_fraction:
        return (
            f"{100 * share:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
            f"{100 * limits.over_represented_fraction:g} % or more: too little is known of the model there"
        )
    return ""


def interval_refusal(half_width: float, limits: Limits) -> str:
    """Return that the 95 % interval is too wide to be of use."""
    return (
        f"the 95 % interval reaches {100 * half_width:.1f} points either side of the estimate, "
        f"more than {100 * limits.half_width:g}"
    )


def partly_predicted(window: WindowCounts) -> str:
    """Return that not all rows have a prediction, or an empty text."""
    n_captured = window.probabilities.n_present
    return "" if n_captured == window.n_rows else f"from the {n_captured} of {window.n_rows} rows with a prediction"


def warning(evidence: ProjectionEvidence, n_reference: int) -> str:
    """Return what makes an estimate doubtful though it is not refused, or an empty text."""
    separability, share = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    found = []
    if separability >= at.DOUBTFUL_SEPARABILITY:
        found.append(
            "a classifier tells the window's rows from the labelled test set's well (area under the curve "
            f"{separability:.2f}, {at.DOUBTFUL_SEPARABILITY:g} or more)"
        )
    if share >= at.DOUBTFUL_FRACTION:
        found.append(
            f"{100 * share:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
            f"{100 * at.DOUBTFUL_FRACTION:.0f} % or more"
        )
    if n_reference < at.DOUBTFUL_REFERENCE_ROWS:
        found.append(f"the labelled test set has {n_reference} rows, fewer than {at.DOUBTFUL_REFERENCE_ROWS}")
    return "; ".join(found)
