"""A function handles one message of a topic after the other; functions do not wait for each other."""

import threading

import pytest

from local.aws.deliveries import Deliveries
from local.aws.seams import Seam

PATIENCE_SECONDS = 10


class SlowFunctions:
    """Stands for MiniStack's delivery: every message is held until it is let go."""

    def __init__(self) -> None:
        self.begun = {message: threading.Event() for message in ("first", "second")}
        self.let_go = {message: threading.Event() for message in ("first", "second")}

    def deliver(self, endpoint: str, message: str) -> None:
        self.begun[message].set()
        assert self.let_go[message].wait(PATIENCE_SECONDS)

    def start(self, endpoint: str, message: str) -> threading.Thread:
        thread = threading.Thread(target=Seam.SNS_DELIVER.take(), args=(endpoint, message))
        thread.start()
        return thread


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> SlowFunctions:
    slow = SlowFunctions()
    monkeypatch.setattr(f"{Seam.SNS_DELIVER.module}.{Seam.SNS_DELIVER.attribute}", slow.deliver)
    Deliveries().install()
    return slow


def test_a_functions_second_message_waits_for_the_first(functions: SlowFunctions) -> None:
    threads = [functions.start("arn:one", "first")]
    assert functions.begun["first"].wait(PATIENCE_SECONDS)
    threads.append(functions.start("arn:one", "second"))

    assert not functions.begun["second"].wait(0.2)
    functions.let_go["first"].set()
    assert functions.begun["second"].wait(PATIENCE_SECONDS)
    functions.let_go["second"].set()
    for thread in threads:
        thread.join()


def test_another_functions_message_does_not_wait(functions: SlowFunctions) -> None:
    threads = [functions.start("arn:one", "first"), functions.start("arn:other", "second")]

    assert functions.begun["first"].wait(PATIENCE_SECONDS)
    assert functions.begun["second"].wait(PATIENCE_SECONDS)
    for message in ("first", "second"):
        functions.let_go[message].set()
    for thread in threads:
        thread.join()
