"""A function handles one event after the other; functions do not wait for each other."""

import threading
from typing import Any

import pytest

from plumbline.local.aws.ministack.service_gaps import SerialInvocations, encryption_xml
from plumbline.local.aws.seams import Seam

PATIENCE_SECONDS = 10


class SlowFunctions:
    """Stands for MiniStack's functions: every event is held until it is let go."""

    def __init__(self) -> None:
        self.begun = {event: threading.Event() for event in ("first", "second")}
        self.let_go = {event: threading.Event() for event in ("first", "second")}

    def execute(self, function: dict[str, Any], event: str) -> None:
        self.begun[event].set()
        assert self.let_go[event].wait(PATIENCE_SECONDS)

    def start(self, name: str, event: str) -> threading.Thread:
        function = {"config": {"FunctionName": name}}
        thread = threading.Thread(target=Seam.LAMBDA_EXECUTE.take(), args=(function, event))
        thread.start()
        return thread


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> SlowFunctions:
    slow = SlowFunctions()
    monkeypatch.setattr(f"{Seam.LAMBDA_EXECUTE.module}.{Seam.LAMBDA_EXECUTE.attribute}", slow.execute)
    SerialInvocations().install()
    return slow


def test_a_functions_second_event_waits_for_the_first(functions: SlowFunctions) -> None:
    threads = [functions.start("one", "first")]
    assert functions.begun["first"].wait(PATIENCE_SECONDS)
    threads.append(functions.start("one", "second"))

    assert not functions.begun["second"].wait(0.2)
    functions.let_go["first"].set()
    assert functions.begun["second"].wait(PATIENCE_SECONDS)
    functions.let_go["second"].set()
    for thread in threads:
        thread.join()


def test_another_functions_event_does_not_wait(functions: SlowFunctions) -> None:
    threads = [functions.start("one", "first"), functions.start("other", "second")]

    assert functions.begun["first"].wait(PATIENCE_SECONDS)
    assert functions.begun["second"].wait(PATIENCE_SECONDS)
    for event in ("first", "second"):
        functions.let_go[event].set()
    for thread in threads:
        thread.join()


def test_bucket_encryption_keeps_its_key() -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/k"
    text = encryption_xml({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}})
    assert f"<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID>" in text


def test_bucket_encryption_without_a_key_is_aes256() -> None:
    text = encryption_xml({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True})
    assert "<SSEAlgorithm>AES256</SSEAlgorithm>" in text
    assert "KMSMasterKeyID" not in text
    assert "<BucketKeyEnabled>true</BucketKeyEnabled>" in text
