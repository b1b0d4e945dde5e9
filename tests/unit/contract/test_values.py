import math

import pytest

from plumbline.contract.values import (
    DEFAULT_MISSING_VALUES,
    LabelCells,
    NumberCells,
    canonical,
    missing_values_of,
    read_missing_values,
    reads_as_numbers,
    spellings,
)


@pytest.mark.parametrize(
    ("texts", "one"),
    [
        (("1", "1.0", "1.", "1e0", "+1", " 1 ", "0.1e1", "10E-1"), "1"),
        (("1000", "1e3", "1E+3", "1000.00"), "1000"),
        (("0", "-0", "0.0", ".0", "0e5"), "0"),
        (("-2.5", "-2.50", "-25e-1"), "-2.5"),
        (("0.05", ".05", "5e-2"), "0.05"),
        (("12345678901234567890", "12345678901234567890.0"), "12345678901234567890"),
        (("true", "True", "TRUE", " true"), "true"),
        (("Zürich", "Zu\u0308rich", "\u00a0Zürich"), "Zürich"),
        (("1e300", "10e299"), "1e300"),
    ],
)
def test_equal_values_have_one_spelling(texts: tuple[str, ...], one: str) -> None:
    assert {canonical(text) for text in texts} == {one}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("02", "2"),
        ("007", "07"),
        ("1", "10"),
        ("12345678901234567890", "12345678901234567891"),
        ("0.1", "0.10000000000000001"),
        ("a", "A"),
        ("1e3x", "1000x"),
        ("1_000", "1000"),
        ("1e99999", "1e99998"),
        ("true", "t"),
        ("nan", "NaN"),
    ],
)
def test_other_values_stay_apart(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_the_most_frequent_spelling_of_training_is_kept() -> None:
    assert spellings({"1": 2, "1.0": 5, "b": 1}) == {"1.0": "1.0", "1": "1.0", "b": "b"}
    assert set(spellings({"x": 1, "True": 1, "TRUE": 1}).values()) == {"x", "TRUE"}


@pytest.mark.parametrize(
    ("labels", "text", "label"),
    [
        (["02134", "10001"], "2134", "02134"),
        (["02134", "10001"], "2134.0", "02134"),
        (["2", "7"], "02", "2"),
        (["02", "2"], "02", "02"),
        (["02", "2"], "2.0", "2"),
        (["02", "002"], "2", "2"),
        (["True", "False"], "1", "True"),
        (["True", "False"], "0.0", "False"),
        (["1", "0"], "TRUE", "1"),
        (["1", "0", "2"], "TRUE", "true"),
        (["red", "None"], "None", None),
        (["red"], "1e3", "1000"),
        (["000"], "0", "000"),
    ],
)
def test_a_label_is_found_however_it_is_spelled(labels: list[str], text: str, label: str | None) -> None:
    assert LabelCells(labels).read(text) == label


def test_a_word_for_missing_can_be_a_label() -> None:
    cells = LabelCells(["None", "-"], missing_values_of([]))
    assert [cells.read(text) for text in ("None", "-", "", "?")] == ["None", "-", None, "?"]


@pytest.mark.parametrize("text", sorted(DEFAULT_MISSING_VALUES))
def test_every_default_means_missing_in_either_type_of_column(text: str) -> None:
    assert LabelCells(["a"]).read(f" {text} ") is None
    number = NumberCells().read(text)
    assert number is not None
    assert math.isnan(number)


def test_case_of_a_missing_value_matters_among_labels_only() -> None:
    assert LabelCells(["a"]).read("none") == "none"
    assert math.isnan(NumberCells().read("none") or 0.0)


@pytest.mark.parametrize("text", ["-999", "-999.0", "-9.99e2"])
def test_a_number_may_mean_missing(text: str) -> None:
    missing = missing_values_of(["-999"])
    assert math.isnan(NumberCells(missing).read(text) or 0.0)
    assert LabelCells(["a"], missing).read(text) is None


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "NA", "-", "2.5"], True),
        (["1", "none"], True),
        (["NA", ""], False),
        (["1", "0", "True", "false"], True),
        (["1", "0", "2", "True"], False),
        (["True", "False"], False),
        (["1", "many"], False),
    ],
)
def test_a_column_of_numbers_may_have_missing_values_and_booleans(texts: list[str], numbers: bool) -> None:
    assert reads_as_numbers(texts, NumberCells(is_binary=True)) is numbers


@pytest.mark.parametrize("text", ["", "NA", "{}", "[1]", "[" * 100_000])
def test_an_argument_that_is_no_list_of_texts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a JSON list of texts"):
        read_missing_values(text)
