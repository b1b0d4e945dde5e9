import doctest

from shared import telling


def test_examples_of_docstrings_are_true() -> None:
    result = doctest.testmod(telling)
    assert result.attempted > 0
    assert result.failed == 0
