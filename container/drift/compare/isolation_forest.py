"""The reference task's own proxy: mean Isolation Forest scores of the window and of the rightly predicted test rows."""

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import IsolationForestSimilarity, Status
from plumbline.contract.training import DECISION_THRESHOLD
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.data.table import Table
from plumbline.drift.reference.baseline import Baseline, LabelledTest


def similarity(baseline: Baseline, window: Table, seed: int) -> IsolationForestSimilarity:
    """Compare the mean scores of a one-class model on the window and on the rows that it was fitted on.

    An Isolation Forest is fitted on the test rows that the model predicted right; the result is
    ``100 * (mean(window) - mean(fitted)) / |mean(fitted)|`` of its `score_samples` (-1 to 0, higher is more normal):
    0 means alike, negative that the window is less typical, positive that it is more typical. No null. It is not
    an accuracy (`plumbline.contract.records.ISOLATION_FOREST_NOTE`).

    Both sides get one encoding, learned from the baseline: a label's number in the training data's order, one number
    for all unseen labels, one for missing; the training median for a missing number.

    References
    ----------
    F. Liu, K. Ting, Z. Zhou, "Isolation Forest" (2008).
    """
    test = baseline.test
    if test is None or test.probabilities is None or baseline.positive_label is None:
        return IsolationForestSimilarity(reason=ReasonCode.NO_BINARY_TEST_SET.reason())
    right = _predicted_right(test, test.probabilities, baseline.positive_label)
    if not right.any():
        return IsolationForestSimilarity(reason=ReasonCode.NO_RIGHT_PREDICTION.reason())
    if not window.n_rows:
        return IsolationForestSimilarity(reason=ReasonCode.WINDOW_WITHOUT_ROWS.reason())
    # A heavy import, paid for only where the proxy is switched on.
    from sklearn.ensemble import IsolationForest

    fitted = _encode(baseline, test.table)[right]
    forest = IsolationForest(random_state=seed).fit(fitted)
    expected = float(forest.score_samples(fitted).mean())
    found = float(forest.score_samples(_encode(baseline, window)).mean())
    return IsolationForestSimilarity(
        status=Status.ESTIMATED, relative_difference_percent=100 * (found - expected) / abs(expected)
    )


def _predicted_right(test: LabelledTest, probabilities: NDArray[np.float64], positive_label: str) -> NDArray[np.bool_]:
    positive = np.array([label == positive_label for label in test.labels])
    return np.asarray((probabilities >= DECISION_THRESHOLD) == positive)


def _encode(baseline: Baseline, table: Table) -> NDArray[np.float64]:
    return np.column_stack([_numbers(baseline.counts[spec.name], table.columns[spec.name]) for spec in baseline.specs])


def _numbers(reference: ValueCounts, column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.float64]:
    if isinstance(reference, NumericCounts):
        median = float(np.median(reference.expanded())) if reference.n_present else 0.0
        numbers = np.asarray(column, dtype=np.float64)
        return np.where(np.isnan(numbers), median, numbers)
    code: dict[str | None, int] = {label: number for number, label in enumerate(reference.values.tolist())}
    unseen = len(code)
    code[None] = unseen + 1
    return np.array([code.get(label, unseen) for label in column.tolist()], dtype=np.float64)
