"""The end of a job that the platform stops: SIGTERM leaves an exit message within its grace.

StopProcessingJob, a stopped monitoring execution and a run past its time limit send SIGTERM, and SIGKILL later. Source:
SageMaker API Reference, StopProcessingJob. A handler of Python's runs between two of its instructions, which a long
computation in C puts off; so a thread that waits for the signal reports, and the handler ends the work.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

EXIT_TERMINATED: Final = 128 + signal.SIGTERM
"""As shells have it: 143."""
STOPPED = "stopped by the platform (SIGTERM) before its end; raise max_runtime_seconds if nobody stopped it"
_GRACE_SECONDS = 20.0
"""How long the work may take to end after the signal. The platform's own grace is longer."""
_LOG = logging.getLogger(__name__)


class Terminated(BaseException):
    """Raised in the main thread by SIGTERM; no guard of the work may take it for a fault."""


@contextmanager
def reporting_termination(report: Callable[[str], None]) -> Iterator[None]:
    """Report why the work within the block ended, as soon as SIGTERM arrives, and raise Terminated.

    Where the work does not end within a time, the process ends with EXIT_TERMINATED.

    Raises
    ------
    Terminated
        On SIGTERM; `report` has returned, or had that time.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may have handlers
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(reading, report, ended), daemon=True)
    # The interpreter writes the signal's number there at once, whatever the main thread is in.
    earlier_pipe = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    earlier = signal.signal(signal.SIGTERM, _end)
    watch.start()
    try:
        yield
    finally:
        # The work is over: a signal that comes now ends nothing, and must not end the report either.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ended.set()
        signal.set_wakeup_fd(earlier_pipe)
        os.close(writing)
        watch.join(_GRACE_SECONDS)
        signal.signal(signal.SIGTERM, earlier)


def _end(_number: int, _frame: FrameType | None) -> None:
    # Once: a second signal must not interrupt what the first one's report waits for.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


def _watch(pipe: int, report: Callable[[str], None], ended: threading.Event) -> None:
    """Wait for SIGTERM, or for the end of the work, which closes the pipe's other end."""
    with os.fdopen(pipe, "rb", buffering=0) as signals:
        while received := signals.read(1):
            if received[0] == signal.SIGTERM:
                _LOG.error("%s", STOPPED)
                report(STOPPED)
                if not ended.wait(_GRACE_SECONDS):
                    os._exit(EXIT_TERMINATED)
                return
