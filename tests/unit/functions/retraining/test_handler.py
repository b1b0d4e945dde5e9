import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from plumbline.contract.retraining import LoopVariable
from plumbline.functions.retraining import handler as entry
from plumbline.functions.shared.environment import SettingsError
from tests.unit.functions.retraining.builders import environment, sns_event

CONTEXT = SimpleNamespace(aws_request_id="request-1")


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """Every test has a function that was never warm."""
    entry._controller.cache_clear()
    yield
    entry._controller.cache_clear()


def test_ignored_message_is_logged_and_returned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    result = entry.handler(sns_event("You have chosen to subscribe"), CONTEXT)
    (decision,) = json.loads(json.dumps(result))["decisions"]
    assert (decision["action"], decision["reason"]) == ("ignored", "the SNS message is not JSON")
    assert json.loads(capsys.readouterr().out) == decision


def test_handler_without_its_environment_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LoopVariable:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="PLUMBLINE_ENDPOINT_NAME must be set"):
        entry.handler({}, CONTEXT)
