"""One embedded AWS for the tests that only need its services."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plumbline.local import embedded, environments
from plumbline.local.embedded import EmbeddedAws

COVERAGE_SETTINGS = Path(__file__).parents[1] / "coverage-local.toml"


@pytest.fixture(scope="session", autouse=True)
def measured_server() -> Iterator[None]:
    """Run the servers of `make coverage-local` under coverage: with our interpreter, which has coverage as well."""
    with pytest.MonkeyPatch.context() as patch:
        if "PLUMBLINE_COVERAGE" in os.environ:
            ensure = environments.ensure

            def interpreter(*locks: Path, name: str) -> Path:
                return Path(sys.executable) if name == "emulator" else ensure(*locks, name=name)

            patch.setattr(environments, "ensure", interpreter)
            server = ("-m", "coverage", "run", f"--rcfile={COVERAGE_SETTINGS}", *embedded.SERVER)
            patch.setattr(embedded, "SERVER", server)
        yield


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """A server whose clock starts half past an hour; tests share it, so each uses names of its own."""
    start = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    with EmbeddedAws.start(tmp_path_factory.mktemp("embedded-aws"), start=start) as running:
        yield running
