"""One clock for the whole embedded AWS, so that simulated hours pass in seconds."""

import threading
import time
from collections.abc import Callable
from typing import Any


class Clock:
    """Simulated seconds since the epoch: they run `speed` times as fast as real ones and can be advanced.

    Parameters
    ----------
    start
        First reading in seconds since the epoch; None takes the real time.
    speed
        Simulated seconds per real second.
    """

    def __init__(
        self, start: float | None = None, speed: float = 1.0, *, real: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0 < speed <= 100_000:
            raise ValueError(f"clock speed must be above 0 and at most 100000, got {speed!r}")
        self.speed = speed
        self._real = real
        self._origin = real()
        self._start = time.time() if start is None else start
        self._moved = threading.Condition()

    def __call__(self) -> float:
        """Return the simulated time in seconds since the epoch."""
        return self._start + (self._real() - self._origin) * self.speed

    def advance(self, seconds: float) -> float:
        """Jump forward, wake all waiting threads, and return the new time.

        Raises
        ------
        ValueError
            If `seconds` would turn time back.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"advance must be a number of seconds from 0, got {seconds!r}")
        with self._moved:
            self._start += seconds
            self._moved.notify_all()
        return self()

    def wait(self, real_seconds: float) -> None:
        """Sleep for real seconds, or until the clock is advanced."""
        with self._moved:
            self._moved.wait(real_seconds)


class TimeModule:
    """Stands for the `time` module inside one module of MiniStack: `time.time` and `time.sleep` are ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Return the simulated time in seconds since the epoch."""
        return self._clock()

    def sleep(self, seconds: float) -> None:
        """Sleep for real seconds, or until the clock is advanced."""
        self._clock.wait(seconds)

    def __getattr__(self, name: str) -> Any:
        """Pass everything else through."""
        return getattr(time, name)
