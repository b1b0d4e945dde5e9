import shutil
from collections.abc import Iterator

import pytest

from tests.unit.stacks import synthesis


@pytest.fixture(scope="session", autouse=True)
def _remove_assemblies() -> Iterator[None]:
    """Leave no cloud assembly behind."""
    yield
    for folder in synthesis.FOLDERS:
        shutil.rmtree(folder, ignore_errors=True)
