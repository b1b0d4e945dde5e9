import pytest

from plumbline.functions.shared.environment import SettingsError, number, required, required_items, whole_number


def test_text_is_stripped() -> None:
    assert required({"A": " x "}, "A") == "x"


@pytest.mark.parametrize("environ", [{}, {"A": ""}, {"A": "  "}], ids=["missing", "empty", "blank"])
def test_missing_text_is_refused_with_what_to_do(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="A must be set, got ''; deploy the monitoring stack again"):
        required(environ, "A")


def test_numbers_are_read() -> None:
    assert (number({"A": "0.5"}, "A"), whole_number({"A": "3"}, "A")) == (0.5, 3)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "one"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=f"A must be a number of 0 or more, got '{text}'"):
        number({"A": text}, "A")


def test_broken_number_is_refused_where_a_whole_one_is_wanted() -> None:
    with pytest.raises(SettingsError, match=r"A must be a whole number, got '1\.5'"):
        whole_number({"A": "1.5"}, "A")


def test_items_are_separated_by_commas() -> None:
    assert required_items({"A": "a, b,,"}, "A") == ("a", "b")


def test_no_item_is_refused() -> None:
    with pytest.raises(SettingsError, match="A must name at least one, got ' , '"):
        required_items({"A": " , "}, "A")
