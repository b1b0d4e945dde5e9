import json
from types import SimpleNamespace

import boto3
import pytest

from plumbline.functions.promotion import handler as entry
from tests.unit.functions.promotion.fakes import environment


def test_ignored_event_is_logged_and_answered_without_a_client(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delattr(boto3, "client")
    answer = entry.handler({"detail-type": "other", "detail": {}}, SimpleNamespace(aws_request_id="request-1"))
    assert (answer["accepted"], answer["text"]) == (False, "the event is 'other'")
    assert json.loads(capsys.readouterr().out) == {"step": "ignored", "reason": "the event is 'other'"}
