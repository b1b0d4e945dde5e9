import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "drift.statistics.declaration",
        "drift.counts",
        "drift.statistics.chi_square",
        "drift.statistics.drift_score",
        "drift.statistics.jensen_shannon",
        "drift.statistics.kolmogorov_smirnov",
        "drift.statistics.power",
        "drift.statistics.wasserstein",
    ],
)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
