import doctest
from types import ModuleType

import pytest
from promotion import facts, records
from shared import events, telling


@pytest.mark.parametrize("module", [events, facts, records, telling], ids=lambda module: module.__name__)
def test_examples_of_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
