"""Numbers and the positive class are read the same way by the training job and by the baseline."""

import doctest
import math

import pytest

from plumbline.contract import training
from plumbline.contract.training import finite_number, positive_label


def test_finite_number_reads_what_float_reads_but_nan_and_infinity() -> None:
    assert finite_number(" 1e3 ") == 1000
    assert finite_number("nan") is None
    assert finite_number(str(math.inf)) is None


def test_an_identifier_with_an_underscore_is_no_number() -> None:
    assert finite_number("12_34") is None


def test_the_examples_in_the_docstrings_are_true() -> None:
    result = doctest.testmod(training)
    assert (result.attempted, result.failed) == (4, 0)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["<=50K", ">50K", "<=50K"], ">50K"),
        (["0", "1"], "1"),
        (["9", "10"], "10"),
        (["yes", "no"], "yes"),
        (["False", "True"], "True"),
        (["1.0", "1"], "1.0"),
        (["nan", "1"], "nan"),
    ],
)
def test_positive_label_is_the_last_in_order(labels: list[str], positive: str) -> None:
    assert positive_label(labels) == positive


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "b", "c"]])
def test_fails_unless_there_are_two_classes(labels: list[str]) -> None:
    with pytest.raises(ValueError, match=f"got {len(labels)}"):
        positive_label(labels)
