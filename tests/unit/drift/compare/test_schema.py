from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.records import Violation
from plumbline.drift.compare.features import schema_finding
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts, ValueCounts

NUMBERS = NumericCounts.of(np.arange(100.0))


def labels(*counted: tuple[str, int]) -> ValueCounts:
    return CategoricalCounts.of(np.array([label for label, number in counted for _ in range(number)], dtype=object))


WORDS = labels(("clerk", 60), ("nurse", 40))


def violation(reference: ValueCounts, window: ValueCounts | None) -> Violation | None:
    finding = schema_finding(reference, window)
    return finding.violation if finding else None


def test_a_column_as_in_training_is_sound() -> None:
    assert violation(NUMBERS, NUMBERS) is None
    assert violation(WORDS, WORDS) is None


def test_a_column_that_the_window_does_not_have_is_missing() -> None:
    assert violation(NUMBERS, None) is Violation.MISSING_COLUMN


def test_a_column_that_no_row_names_is_missing_and_one_that_is_null_is_not() -> None:
    empty = NumericCounts(np.array([]), np.array([], dtype=np.int64), n_missing=50)
    assert violation(NUMBERS, replace(empty, n_absent=50)) is Violation.MISSING_COLUMN
    assert violation(NUMBERS, replace(empty, n_absent=49)) is None
    assert violation(NUMBERS, empty) is None


def test_a_window_without_rows_violates_nothing() -> None:
    assert violation(NUMBERS, NumericCounts.of(np.array([]))) is None


@pytest.mark.parametrize(
    ("threshold", "n_unreadable", "found"),
    [
        (0.5, 99, None),
        (0.5, 100, Violation.DATA_TYPE),
        (0.2, 24, None),
        (0.2, 25, Violation.DATA_TYPE),
        (0.05, 9, None),
        (0.05, 10, Violation.DATA_TYPE),
    ],
)
def test_a_column_with_too_many_unreadable_cells_changed_its_type(
    threshold: float, n_unreadable: int, found: Violation | None
) -> None:
    finding = schema_finding(NUMBERS, replace(NUMBERS, unreadable={"not_a_number": n_unreadable}), threshold)
    assert (finding.violation if finding else None) is found
    assert finding is None or finding.is_drift


def test_missing_cells_do_not_hide_that_the_others_cannot_be_read() -> None:
    few = NumericCounts(np.array([1.0]), np.array([4]), n_missing=1000, unreadable={"not_a_number": 5})
    assert violation(NUMBERS, few) is Violation.DATA_TYPE


@pytest.mark.parametrize(
    ("reference", "window", "found"),
    [
        (WORDS, labels(("1", 15), ("2", 5)), Violation.DATA_TYPE),
        (WORDS, labels(("1", 15), ("2", 4)), None),
        (WORDS, labels(("1", 99), ("clerk", 1)), None),
        (labels(("1", 49), ("clerk", 51)), labels(("1", 20)), Violation.DATA_TYPE),
        (labels(("1", 50), ("clerk", 50)), labels(("1", 20)), None),
    ],
    ids=["all numbers", "too few", "not all", "few numbers before", "half numbers before"],
)
def test_labels_that_all_became_numbers_changed_their_type(
    reference: ValueCounts, window: ValueCounts, found: Violation | None
) -> None:
    assert violation(reference, window) is found
