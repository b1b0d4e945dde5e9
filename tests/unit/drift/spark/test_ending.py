"""The instances hear of the end over sockets: of the file system here, of the network in a job."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plumbline.drift.spark.ending import Ending, wait_for_end


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name in the working directory: paths of sockets must be short."""
    monkeypatch.chdir(tmp_path)
    return "ending"


@pytest.fixture
def server(place: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen()
        yield listening


def connecting(place: str) -> Callable[[], socket.socket]:
    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(place)
        except OSError:
            connection.close()
            raise
        return connection

    return connect


class Others:
    """Instances that wait, each in a thread."""

    def __init__(self, place: str, count: int) -> None:
        self.heard: list[bool] = []
        self.threads = [threading.Thread(target=self._wait, args=(place,)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _wait(self, place: str) -> None:
        self.heard.append(wait_for_end(connecting(place), lambda: True, patience_seconds=10))

    def join(self) -> list[bool]:
        for thread in self.threads:
            thread.join()
        return self.heard


def test_all_hear_of_a_success(server: socket.socket, place: str) -> None:
    others = Others(place, 2)
    with Ending(server, 2):
        pass
    assert others.join() == [True, True]


def test_all_hear_of_a_failure(server: socket.socket, place: str) -> None:
    others = Others(place, 2)
    with pytest.raises(ValueError, match="broken"), Ending(server, 2):
        raise ValueError("broken")
    assert others.join() == [False, False]


def test_a_lost_connection_is_bad_news(server: socket.socket, place: str) -> None:
    others = Others(place, 1)
    connection, _ = server.accept()
    connection.close()
    assert others.join() == [False]


def test_an_instance_that_never_comes_does_not_hold_up_the_end(server: socket.socket) -> None:
    with Ending(server, 1, patience_seconds=0.01):
        pass
    assert server.fileno() == -1


def test_nobody_waits_for_an_instance_that_never_listens(place: str) -> None:
    assert not wait_for_end(connecting(place), lambda: True, patience_seconds=0)


def test_nobody_waits_without_a_worker(server: socket.socket, place: str) -> None:
    alive = iter([True, False])
    assert not wait_for_end(connecting(place), lambda: False)
    assert not wait_for_end(connecting(place), lambda: next(alive))
