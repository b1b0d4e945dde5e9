import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts, count, missing, unknown


def test_numeric_counts_keep_values_in_order_and_count_nan_as_missing() -> None:
    counts = NumericCounts.of(np.array([3.0, np.nan, 1.0, 3.0]))
    assert counts.values.tolist() == [1.0, 3.0]
    assert counts.counts.tolist() == [1, 2]
    assert (counts.n_missing, counts.n_present, counts.n_rows) == (1, 3, 4)
    assert counts.missing_fraction == 0.25


def test_categorical_counts_count_none_as_missing() -> None:
    counts = CategoricalCounts.of(np.array(["b", None, "a", "b"], dtype=object))
    assert counts.values.tolist() == ["a", "b"]
    assert counts.counts.tolist() == [1, 2]
    assert counts.n_missing == 1


def test_both_zeros_are_one_value() -> None:
    counts = NumericCounts.of(np.array([0.0, -0.0]))
    assert counts.counts.tolist() == [2]
    assert not np.signbit(counts.values[0])


def test_no_rows_have_no_missing_fraction() -> None:
    for kind, column in ((FeatureType.NUMERIC, np.array([])), (FeatureType.CATEGORICAL, np.array([], dtype=object))):
        counts = count(kind, column)
        assert counts.n_rows == 0
        assert counts.missing_fraction is None


def test_a_column_of_missing_cells_has_rows_but_no_value() -> None:
    counts = count(FeatureType.CATEGORICAL, np.array([None, None], dtype=object))
    assert (counts.n_rows, counts.n_present, counts.missing_fraction) == (2, 0, 1.0)


def test_expanding_repeats_every_value_as_counted() -> None:
    assert NumericCounts.of(np.array([2.0, 1.0, 2.0])).expanded().tolist() == [1.0, 2.0, 2.0]


def test_unknown_are_labels_never_seen_and_numbers_out_of_range_but_nothing_missing() -> None:
    labels = np.array(["a", "z", None], dtype=object)
    numbers = np.array([1.0, 3.5, 0.9, np.nan])

    assert unknown(CategoricalCounts.of(np.array(["a", "b"], dtype=object)), labels).tolist() == [False, True, False]
    assert unknown(NumericCounts.of(np.array([1.0, 3.0])), numbers).tolist() == [False, True, True, False]
    assert missing(labels).tolist() == [False, False, True]
    assert missing(numbers).tolist() == [False, False, False, True]


def test_without_a_reference_value_nothing_can_be_called_unknown() -> None:
    with pytest.raises(ValueError, match="reference must have a present value"):
        unknown(NumericCounts.of(np.array([np.nan])), np.array([1.0]))


def test_counting_leaves_its_input_alone() -> None:
    column = np.array([2.0, np.nan, -0.0])
    before = column.copy()
    NumericCounts.of(column)
    assert np.array_equal(column, before, equal_nan=True)
    assert np.signbit(column[2])
