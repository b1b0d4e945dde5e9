"""Misses that labels have shown: kept from run to run, and those that one window may be projected with."""

from collections.abc import Sequence

from plumbline.contract.quality import KnownMiss, QualityReport
from plumbline.contract.records import WindowBounds
from plumbline.drift.data.times import parse_time
from plumbline.drift.projection.wander import KEPT_MISSES


def kept_misses(before: Sequence[KnownMiss], quality: QualityReport) -> tuple[KnownMiss, ...]:
    """Return the last misses that are known after a run, in order of time; a window counts once, by its latest figure.

    Parameters
    ----------
    before
        Those that were known after the window before.
    quality
        What this run's labels showed.
    """
    latest = {_end(miss): miss for miss in before}
    latest |= {_end(one.miss): one.miss for one in quality.windows if one.miss is not None}
    return tuple(latest[end] for end in sorted(latest))[-KEPT_MISSES:]


def misses_before(known: Sequence[KnownMiss], bounds: WindowBounds) -> tuple[KnownMiss, ...]:
    """Return the misses that a window may be projected with: its own labels, or those of its rows, are not among them.

    All windows with times are before one without.
    """
    if bounds.start is None:
        return tuple(known)
    start = parse_time(bounds.start)
    return tuple(miss for miss in known if parse_time(_end(miss)) <= start)


def _end(miss: KnownMiss) -> str:
    if miss.window.end is None:
        raise ValueError("a known miss must have the time at which its window ends")
    return miss.window.end
