"""Documents that others wrote or damaged: a ValueError, whatever is wrong with them."""

from dataclasses import dataclass

import pytest

from plumbline.contract import decoding
from plumbline.contract.decoding import MAX_DEPTH, decode, read_json


@dataclass(frozen=True)
class Document:
    number: float
    count: int = 0


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 300, 1000, 100_000])
@pytest.mark.parametrize("marks", ["[]", "{}"])
def test_a_document_that_is_nested_too_deeply_is_refused(depth: int, marks: str) -> None:
    text = "[" * depth + "]" * depth if marks == "[]" else '{"a":' * depth + "1" + "}" * depth
    with pytest.raises(ValueError, match="nested"):
        read_json(text)


def test_a_document_as_deep_as_allowed_is_read() -> None:
    assert str(read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)).count("[") == MAX_DEPTH


@pytest.mark.parametrize("text", ["", "{", "\ufeff{}", b"\xff", "9" * 5000])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own texts
        read_json(text)


@pytest.mark.parametrize("number", [10**310, -(10**310), True, "1", None, [1]])
def test_a_number_that_no_float_holds_is_none(number: object) -> None:
    with pytest.raises(ValueError, match=r"Document\.number must be float"):
        decode(Document, {"number": number, "count": 1})


@pytest.mark.parametrize("number", [1, 1.5, -(10**300)])
def test_whole_numbers_are_floats_too(number: float) -> None:
    assert decode(Document, {"number": number, "count": 1}).number == number


def test_the_examples_in_the_docstrings_are_true() -> None:
    import doctest

    assert doctest.testmod(decoding).failed == 0
