import sys

import numpy as np
import pytest

from plumbline.drift.preprocessing import CategoricalColumn, NumericColumn, Preprocessor, RowError, learn_column


def preprocessor() -> Preprocessor:
    columns = (NumericColumn("age", 38.5), CategoricalColumn("colour", "red", ("blue", "red")))
    return Preprocessor(columns, "income", "<=50K", ">50K")


def test_numeric_column_is_filled_with_the_mean_of_its_present_values() -> None:
    assert learn_column("age", ["20", "?", "40", ""]) == NumericColumn("age", 30.0)


def test_categorical_column_is_filled_with_its_most_frequent_value() -> None:
    learned = learn_column("colour", ["red", "blue", "?", "red"])

    assert learned == CategoricalColumn("colour", "red", ("blue", "red"))


def test_equally_frequent_categories_are_settled_by_name() -> None:
    assert learn_column("colour", ["red", "blue"]).fill == "blue"


@pytest.mark.parametrize("text", ["none of them", "inf", "-Infinity", "forty"])
def test_column_with_one_cell_that_is_no_finite_number_is_categorical(text: str) -> None:
    assert isinstance(learn_column("age", ["20", text]), CategoricalColumn)


def test_column_without_any_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'age' must have a value"):
        learn_column("age", ["?", ""])


def test_rows_are_encoded_column_by_column() -> None:
    encoded = preprocessor().transform([["20", "red"], ["30.5", "blue"]])

    np.testing.assert_array_equal(encoded, np.array([[20, 0, 1], [30.5, 1, 0]], np.float32))


def test_number_beyond_single_precision_stays_finite() -> None:
    assert preprocessor().transform([["1e300", "red"]])[0, 0] == np.finfo(np.float32).max


def test_missing_cells_are_imputed() -> None:
    np.testing.assert_array_equal(preprocessor().transform([["?", ""]]), np.array([[38.5, 0, 1]], np.float32))


def test_unknown_category_is_all_zeros() -> None:
    np.testing.assert_array_equal(preprocessor().transform([["20", "green"]]), np.array([[20, 0, 0]], np.float32))


def test_row_of_another_length_is_refused_with_the_names_of_the_fields() -> None:
    with pytest.raises(RowError, match=r"row 2 must have 2 fields \(age, colour\), got 3"):
        preprocessor().transform([["20", "red"], ["20", "red", "x"]])


def test_text_in_a_numeric_field_is_refused_with_its_place() -> None:
    with pytest.raises(RowError, match="row 2, field 'age' must be a finite number, got 'abc'"):
        preprocessor().transform([["20", "red"], ["abc", "red"]])


def test_no_rows_are_an_empty_matrix_of_the_right_width() -> None:
    assert preprocessor().transform([]).shape == (0, 3)


def test_json_brings_back_the_same_preprocessor() -> None:
    assert Preprocessor.from_json(preprocessor().to_json()) == preprocessor()


@pytest.mark.parametrize("text", ['{"version": 99}', "[]", "{}"])
def test_other_versions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="preprocessor version must be 1"):
        Preprocessor.from_json(text)


def test_the_mean_of_the_largest_numbers_is_finite() -> None:
    largest = repr(sys.float_info.max)
    assert learn_column("a", [largest] * 3) == NumericColumn("a", sys.float_info.max)
