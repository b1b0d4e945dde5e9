"""A window with too few rows looks back: hours before it are added, until there are enough (docs/adr/0018)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from plumbline.contract.records import WindowBounds
from plumbline.drift.aws import Connect
from plumbline.drift.data.times import HOUR, format_time, parse_time
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.read.capture import WindowReader, count_folder, log_rejections
from plumbline.drift.read.kernel.partial_counts import window_counts
from plumbline.drift.read.kernel.plan import WindowPlan
from plumbline.drift.read.s3 import fetch_captures

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LookBack:
    """How many hours a window may look back, and `read`, which returns what reads the captures of a longer window.

    It is called with longer and longer windows, each an hour more than the one before.
    """

    maximum_hours: int
    read: Callable[[WindowBounds], WindowReader]


def looked_back(
    look_back: LookBack,
    window: WindowCounts,
    plan: WindowPlan,
    *,
    has_too_few: Callable[[WindowCounts], bool],
    may_add: Callable[[WindowBounds], bool],
) -> WindowCounts:
    """Return the window, or where it has too few rows a longer one that ends with it: the shortest that has enough.

    Where none has, it is the longest that was allowed.

    Parameters
    ----------
    plan
        Plan of reading `window`, which has times.
    may_add
        Whether an hour may be added; the first one that may not ends the search.

    Raises
    ------
    ConfigError
        If the captures cannot be read.
    """
    if window.bounds.start is None or window.bounds.end is None:
        return window
    own = window
    for n_hours in range(1, look_back.maximum_hours + 1):
        if not has_too_few(window):
            break
        start = parse_time(window.bounds.start or "")
        bounds = WindowBounds(format_time(start - HOUR), own.bounds.end)
        if not may_add(WindowBounds(bounds.start, window.bounds.start)):
            _LOG.info("the window looks back no further than %s: another model answered before", window.bounds.start)
            break
        longer = plan.within(bounds)
        counts = look_back.read(bounds)(longer)
        window = window_counts(counts, longer)
        _LOG.info("%d rows with %d hours before the window", window.n_rows, n_hours)
    if window is not own:
        log_rejections(counts)
    return window


def hours_added(window: WindowBounds, own: WindowBounds) -> int:
    """Return how many hours before `own` a window that looked back has."""
    if window.start is None or own.start is None:
        return 0
    return round((parse_time(own.start) - parse_time(window.start)) / HOUR)


class CapturesInS3:
    """Fetches the captures of longer and longer windows below a folder, each hour once, and reads them there."""

    def __init__(self, uri: str, folder: Path, connect: Connect) -> None:
        self._uri, self._folder, self._connect = uri, folder, connect
        self._fetched_from: str | None = None

    def fetch(self, bounds: WindowBounds) -> Path:
        """Return the folder with the captures of a window with times; raise ConfigError if they cannot be fetched."""
        end = self._fetched_from or bounds.end
        fetch_captures(self._uri, parse_time(bounds.start or ""), parse_time(end or ""), self._folder, self._connect)
        self._fetched_from = bounds.start
        return self._folder

    def __call__(self, bounds: WindowBounds) -> WindowReader:
        """Return what reads the captures of a window with times; raise ConfigError if they cannot be fetched."""
        return partial(count_folder, self.fetch(bounds))
