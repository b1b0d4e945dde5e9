"""Why there is no estimate, and what makes one doubtful."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from contract.accuracy import ProjectionEvidence
from contract.training import Task
from drift.counts import NumericCounts, ValueCounts, unknown
from drift.learned import Baseline, LabelledTest
from drift.window import WindowCounts

MAX_OUT_OF_SUPPORT_FRACTION = 0.2
"""From this share of rows on, an estimate is refused: measured on Census Income, windows with 20 % and more of their
rows outside the reference's support were 3.4 points off on average, the others 0.8 to 1.7."""
NAMES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From which measurement on there is no estimate.

    `separability` is the area under the ROC curve of window against labelled test set, the fractions are shares of the
    window's rows (`contract.accuracy.ProjectionEvidence`) and `half_width` that of the 95 % interval.
    """

    separability: float = 0.95
    over_represented_fraction: float = 0.2
    out_of_support_fraction: float = MAX_OUT_OF_SUPPORT_FRACTION
    half_width: float = 0.05


CHANCE = 0.5
"""Area under the ROC curve of probabilities that know nothing of the labels."""
MIN_ROWS = 200
"""Rows of a window with a prediction: with fewer the interval covers too seldom."""
MIN_REFERENCE_ROWS = 500
"""Rows of the labelled test set: with fewer a calibrated probability is worse than the model's own."""
MIN_CLASS_ROWS = 50
"""Rows of each class of it."""
MAX_CALIBRATION_ERROR = 0.05
"""Root mean square gap of probability and share of positives, on rows that the calibration has not seen."""
DOUBTFUL_SEPARABILITY = 0.85
DOUBTFUL_FRACTION = 0.05
DOUBTFUL_REFERENCE_ROWS = 1_000


def reference_refusal(baseline: Baseline) -> str:
    """Return why nothing can be learned of the labelled test set, or an empty text."""
    test = baseline.test
    if test is None:
        return "the baseline has no labelled test set"
    if baseline.task is Task.REGRESSION:
        return "the model predicts a quantity, which is neither right nor wrong: only labels can judge it"
    if test.probabilities is None:
        return "the baseline has no predictions for its test set"
    if len(test.labels) < MIN_REFERENCE_ROWS:
        return f"the labelled test set has {len(test.labels)} rows, fewer than {MIN_REFERENCE_ROWS}"
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
    return f"{short}, fewer than {MIN_CLASS_ROWS}" if fewest < MIN_CLASS_ROWS else ""


def window_refusal(probabilities: NumericCounts) -> str:
    """Return why the window's predictions allow no estimate, or an empty text."""
    if probabilities.n_rows and not probabilities.n_present:
        return "no predictions were captured"
    if ((probabilities.values < 0) | (probabilities.values > 1)).any():
        return "the captured predictions are not probabilities: some lie outside 0 to 1"
    if probabilities.n_present < MIN_ROWS:
        return f"{probabilities.n_present} rows with a captured prediction, fewer than {MIN_ROWS}"
    return ""


def sample_refusal(window: WindowCounts) -> str:
    """Return that too few rows of the window's sample have a prediction for the features to be used, or an empty text.

    Predictions may be rare enough for that in a window that has many of them.
    """
    n_sampled = int(np.count_nonzero(~np.isnan(window.sample.probabilities)))
    if n_sampled >= MIN_ROWS:
        return ""
    return f"{n_sampled} rows of the window's sample have a prediction, fewer than {MIN_ROWS}"


def calibration_refusal(area: float, error: float) -> str:
    """Return why the test set's probabilities cannot be trusted, or an empty text.

    Parameters
    ----------
    area
        Area under the ROC curve.
    error
        Of the probabilities once calibrated, on rows that the calibration has not seen.
    """
    if area < CHANCE:
        return f"the test set's probabilities rank its labels worse than chance (area under the curve {area:.3f})"
    if error > MAX_CALIBRATION_ERROR:
        return (
            f"probabilities that are calibrated on one part of the test set are {100 * error:.1f} points off on the "
            f"rest, more than {100 * MAX_CALIBRATION_ERROR:g}: its labels do not follow them"
        )
    return ""


def distance_refusal(
    baseline: Baseline, window: WindowCounts, ignored: frozenset[str], evidence: ProjectionEvidence, limits: Limits
) -> str:
    """Return why the window is too far from training data and test set for an estimate, or an empty text."""
    separability, share = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    if (evidence.out_of_support_fraction or 0.0) >= limits.out_of_support_fraction:
        judged = {name: column for name, column in window.columns.items() if name not in ignored}
        return support_refusal(baseline, judged, window.n_out_of_support, window.n_rows, limits.out_of_support_fraction)
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
    if separability >= DOUBTFUL_SEPARABILITY:
        found.append(
            "a classifier tells the window's rows from the labelled test set's well (area under the curve "
            f"{separability:.2f}, {DOUBTFUL_SEPARABILITY:g} or more)"
        )
    if share >= DOUBTFUL_FRACTION:
        found.append(
            f"{100 * share:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
            f"{100 * DOUBTFUL_FRACTION:.0f} % or more"
        )
    if n_reference < DOUBTFUL_REFERENCE_ROWS:
        found.append(f"the labelled test set has {n_reference} rows, fewer than {DOUBTFUL_REFERENCE_ROWS}")
    return "; ".join(found)


def support_refusal(
    baseline: Baseline,
    columns: Mapping[str, ValueCounts],
    n_out_of_support: int,
    n_rows: int,
    most: float = MAX_OUT_OF_SUPPORT_FRACTION,
) -> str:
    """Return why the rows are too strange for an estimate, or an empty text.

    A row is outside when at least one of its cells is a label that training never had, a number beyond training's
    range, unreadable, or missing in a column that was never missing there.

    Parameters
    ----------
    columns
        The window's value counts.
    n_out_of_support
        How many of the window's `n_rows` rows are outside.
    most
        Share of the rows from which on they are too strange.
    """
    share = n_out_of_support / n_rows if n_rows else 0.0
    if share < most:
        return ""
    outside = {name: cells_outside(baseline.counts[name], column) for name, column in columns.items()}
    worst = sorted((name for name in outside if outside[name]), key=lambda name: -outside[name])
    names = ", ".join(worst[:NAMES_SHOWN]) + (" and others" if len(worst) > NAMES_SHOWN else "")
    return (
        f"{100 * share:.0f} % of the rows hold a value that the training data never had ({names}), "
        f"{100 * most:.0f} % or more: nothing is known of the model there"
    )


def cells_outside(reference: ValueCounts, window: ValueCounts) -> int:
    """Return how many cells of the window's column the reference gives no ground for."""
    if not reference.n_present:
        return 0
    strange = int(window.counts[unknown(reference, window.values)].sum()) + window.n_unreadable
    return strange if reference.n_missing else strange + window.n_missing
