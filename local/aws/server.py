"""``python -m plumbline.local.aws.server``: run the embedded AWS until a signal comes or standard input closes."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from typing import Final, NoReturn

from plumbline.local.aws import settings as server_settings
from plumbline.local.aws.settings import ROOT, ServerSettings

FUNCTION_CLOCK: Final = ROOT / "local" / "aws" / "function_clock"
"""On the path of every function's Python."""
_log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Serve, and leave no process behind."""
    settings = server_settings.parse(sys.argv[1:])
    _prepare(settings)
    code = 1
    try:
        # Not asyncio.run: it would wait for worker threads, and a function that calls back keeps one busy.
        asyncio.new_event_loop().run_until_complete(_serve(settings))
        code = 0
    except Exception:
        _log.exception("the server failed")
    _leave(code)


def _prepare(settings: ServerSettings) -> None:
    """Set the environment before MiniStack is imported: it reads it then."""
    inherited = dict(os.environ)
    # Lambda functions inherit our environment; they must not find our modules.
    inherited.pop("PYTHONPATH", None)
    os.environ.clear()
    os.environ.update(server_settings.environment(settings, inherited))
    # What functions do find is their clock.
    os.environ["PYTHONPATH"] = str(FUNCTION_CLOCK)
    (settings.state / "tmp").mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


async def _serve(settings: ServerSettings) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from plumbline.local.aws.gateway import build

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_watch_parent, args=(loop, stop), daemon=True, name="parent-watch").start()
    application, platform = build(settings)
    config = Config()
    config.bind = [f"127.0.0.1:{settings.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    try:
        await serve(application, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    finally:
        _log.info("stopping")
        platform.stop()


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when the process that started us closes our standard input, which its death does too."""
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(stop.set)


def _leave(code: int) -> NoReturn:
    """End what MiniStack started in our process group, Lambda workers, and exit without waiting for its threads."""
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTERM)
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    main()
