"""End of a job on several instances: each holds a connection to the first, which sends one byte when the run ends."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

PORT: Final = 7079
"""Of the first instance. Spark's own ports are others."""
_DONE: Final = b"\x01"
_FAILED: Final = b"\x00"
_POLL_SECONDS: Final = 0.5


class Ending:
    """The first instance's side: sends every other instance the run's outcome when the block ends.

    Without exception the run succeeded. A connection that is lost without a byte counts as failure.

    Parameters
    ----------
    server
        Listening socket that the others connect to.
    n_others
        Number of other instances.
    patience_seconds
        How long to wait at the end for instances that are late.
    """

    def __init__(self, server: socket.socket, n_others: int, patience_seconds: float = 60) -> None:
        self._server = server
        self._n_others = n_others
        self._patience_seconds = patience_seconds
        self._connections: list[socket.socket] = []
        self._all_there = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="ending", daemon=True)

    @classmethod
    def on(cls, host: str, n_others: int) -> Self:
        """Listen on an instance's address."""
        return cls(socket.create_server((host, PORT), backlog=n_others), n_others)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send the outcome to every connected instance."""
        self._all_there.wait(self._patience_seconds)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # ends a pending accept
        self._thread.join()
        self._server.close()
        for connection in self._connections:
            try:
                connection.sendall(_DONE if error is None else _FAILED)
            except OSError:
                continue  # it is gone, and the platform reports that
            finally:
                connection.close()

    def _accept(self) -> None:
        while len(self._connections) < self._n_others:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
        self._all_there.set()


def connection_to(host: str) -> socket.socket:
    """Return a connection to the first instance; OSError until it listens."""
    return socket.create_connection((host, PORT), timeout=_POLL_SECONDS)


def wait_for_end(
    connect: Callable[[], socket.socket], is_alive: Callable[[], bool], patience_seconds: float = 600
) -> bool:
    """Wait until the first instance's run is over, and return whether it succeeded.

    Parameters
    ----------
    connect
        Tried until it succeeds.
    is_alive
        Whether it still makes sense to wait; called about twice a second.
    patience_seconds
        How long the first instance may take to listen: names of instances resolve late, and images load at their pace.
    """
    deadline = time.monotonic() + patience_seconds
    while is_alive():
        try:
            connection = connect()
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
            continue
        with connection:
            return _received(connection, is_alive)
    return False


def _received(connection: socket.socket, is_alive: Callable[[], bool]) -> bool:
    connection.settimeout(_POLL_SECONDS)
    while is_alive():
        try:
            return connection.recv(1) == _DONE
        except TimeoutError:
            continue
        except OSError:
            return False
    return False
