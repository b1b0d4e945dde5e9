"""Only end-to-end tests may open sockets; any other test that tries to fails."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker("enable_socket")
