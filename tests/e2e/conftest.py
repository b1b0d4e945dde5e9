"""One embedded AWS for the tests that only need its services."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.embedded import EmbeddedAws


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """A server whose clock starts half past an hour; tests share it, so each uses names of its own."""
    start = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    with EmbeddedAws.start(tmp_path_factory.mktemp("embedded-aws"), start=start) as running:
        yield running
