"""How the instances of a job learn that it is over: each holds one connection to the first, until one byte comes."""

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

PORT: Final = 7079
_DONE: Final = b"\x01"
_FAILED: Final = b"\x00"
_POLL_SECONDS: Final = 0.5


class Ending:
    """The first instance's side: tells every other instance how the run ended, when the block ends.

    Without exception that is good news. An instance that loses the connection without a word takes it as bad news.

    Parameters
    ----------
    n_others
        Instances to tell.
    patience_seconds
        How long to wait at the end for instances that are late.
    """

    def __init__(self, host: str, n_others: int, patience_seconds: float = 60, port: int = PORT) -> None:
        self._n_others = n_others
        self._patience_seconds = patience_seconds
        self._connections: list[socket.socket] = []
        self._all_there = threading.Event()
        self._server = socket.create_server((host, port), backlog=max(n_others, 1))
        self._thread = threading.Thread(target=self._accept, name="ending", daemon=True)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell everybody."""
        self._all_there.wait(self._patience_seconds if self._n_others else 0)
        self._server.close()
        for connection in self._connections:
            try:
                connection.sendall(_DONE if error is None else _FAILED)
            except OSError:
                continue  # it is gone, and the platform knows
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


def wait_for_end(
    host: str,
    *,
    is_alive: Callable[[], bool],
    patience_seconds: float = 600,
    port: int = PORT,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Wait until the first instance's run is over, and return whether it succeeded.

    Parameters
    ----------
    is_alive
        Whether it still makes sense to wait; asked about twice a second.
    patience_seconds
        How long the first instance may take to listen: names of instances resolve late, and images load at their pace.
    """
    deadline = clock() + patience_seconds
    while is_alive():
        try:
            connection = socket.create_connection((host, port), timeout=_POLL_SECONDS)
        except OSError:
            if clock() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
            continue
        with connection:
            return _heard(connection, is_alive)
    return False


def _heard(connection: socket.socket, is_alive: Callable[[], bool]) -> bool:
    connection.settimeout(_POLL_SECONDS)
    while is_alive():
        try:
            return connection.recv(1) == _DONE
        except TimeoutError:
            continue
        except OSError:
            return False
    return False
