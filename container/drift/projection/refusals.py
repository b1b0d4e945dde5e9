"""Why there is no estimate, and what makes one doubtful."""

from contract.accuracy import ProjectionEvidence
from contract.training import Task
from drift.counts import NumericCounts
from drift.learned import Baseline, LabelledTest
from drift.projection import limits as at
from drift.projection.limits import Limits


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


def interval_refusal(half_width: float, limits: Limits) -> str:
    """Return that the 95 % interval is too wide to be of use."""
    return (
        f"the 95 % interval reaches {100 * half_width:.1f} points either side of the estimate, "
        f"more than {100 * limits.half_width:g}"
    )


def window_warning(evidence: ProjectionEvidence) -> str:
    """Return how far a window that is not refused is from the test set, or an empty text."""
    separability, share = evidence.separability or 0.0, evidence.over_represented_fraction or 0.0
    if separability >= at.DOUBTFUL_SEPARABILITY:
        return (
            "a classifier tells the window's rows from the labelled test set's well (area under the curve "
            f"{separability:.2f}, {at.DOUBTFUL_SEPARABILITY:g} or more)"
        )
    if share >= at.DOUBTFUL_FRACTION:
        return (
            f"{100 * share:.0f} % of the rows are more than twenty times as frequent as in the labelled test set, "
            f"{100 * at.DOUBTFUL_FRACTION:.0f} % or more"
        )
    return ""


def reference_warning(n_reference: int) -> str:
    """Return that the labelled test set is small, or an empty text."""
    if n_reference >= at.DOUBTFUL_REFERENCE_ROWS:
        return ""
    return f"the labelled test set has {n_reference} rows, fewer than {at.DOUBTFUL_REFERENCE_ROWS}"
