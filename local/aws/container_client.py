"""Keep-alive connections from the platform to one serving container."""

import http.client
import queue
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SECONDS: Final = 60.0
"""A model has 60 seconds to answer an invocation."""


@dataclass(frozen=True)
class ContainerResponse:
    """Status, content type (None when absent) and body of a container's answer."""

    status: int
    content_type: str | None
    body: bytes


class ContainerClient:
    """Talks HTTP to a container on a loopback port; connections are kept and shared between threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()

    def is_healthy(self) -> bool:
        """Return whether GET /ping answers 200."""
        try:
            return self._send("GET", "/ping", b"", {}).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        """Send one request to /invocations.

        Raises
        ------
        OSError, http.client.HTTPException
            If the container does not answer.
        """
        return self._send("POST", "/invocations", body, headers)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            response = ContainerResponse(answer.status, answer.getheader("Content-Type"), answer.read())
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return response
