import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "plumbline.drift.statistics.declaration",
        "plumbline.drift.data.counts",
        "plumbline.drift.statistics.chi_square",
        "plumbline.drift.statistics.drift_score",
        "plumbline.drift.statistics.jensen_shannon",
        "plumbline.drift.statistics.kolmogorov_smirnov",
        "plumbline.drift.statistics.power",
        "plumbline.drift.statistics.wasserstein",
    ],
)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
