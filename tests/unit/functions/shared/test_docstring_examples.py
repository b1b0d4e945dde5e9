import doctest
from types import ModuleType

import pytest

from plumbline.functions.promotion import facts
from plumbline.functions.promotion import history_store as records
from plumbline.functions.shared import events
from plumbline.functions.shared import notifications as telling


@pytest.mark.parametrize("module", [events, facts, records, telling], ids=lambda module: module.__name__)
def test_examples_of_docstrings_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
