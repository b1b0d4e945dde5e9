"""One record never stops a window: a step that fails on many records is tried on fewer, down to the one it fails on."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.read.kernel.records import Reject, Rejected

_LOG = logging.getLogger(__name__)
_Made = TypeVar("_Made")


class Records(Protocol):
    """Some records that a part can be taken of."""

    @property
    def positions(self) -> Sequence[int] | NDArray[np.int64]:
        """Where each record stands."""

    def where(self, chosen: NDArray[np.bool_], /) -> Self:
        """Return some of the records."""


_Given = TypeVar("_Given")
_Records = TypeVar("_Records", bound=Records)


def isolated(
    records: _Records, step: Callable[[_Records, Reject], _Made], reject: Reject
) -> Iterator[tuple[_Records, _Made]]:
    """Yield the records with what `step` makes of them, or, where it raises, those of each half, and so on.

    A single record that it raises for is rejected as `RejectionReason.INTERNAL_FAULT`. No record is
    rejected twice (`attempted`). A step must change nothing until its outcome is used.
    """
    try:
        made = attempted(step, records, reject)
    except Exception as error:
        n_records = len(records.positions)
        if n_records > 1:
            first = np.arange(n_records) < n_records // 2
            yield from isolated(records.where(first), step, reject)
            yield from isolated(records.where(~first), step, reject)
        elif n_records:
            reject(fault(error), int(records.positions[0]))
        return
    yield records, made


def attempted(step: Callable[[_Given, Reject], _Made], given: _Given, reject: Reject) -> _Made:
    """Return what a step makes; what it rejects counts once it has ended, and not where it raises."""
    rejections: list[tuple[Rejected, int]] = []
    made = step(given, lambda error, position: rejections.append((error, position)))
    for error, position in rejections:
        reject(error, position)
    return made


_logged: set[str] = set()
"""Faults whose traceback is in this process's log: a window may have one in each of a million records."""


def fault(error: Exception) -> Rejected:
    """Return the rejection of a record that an unforeseen error was raised for; the log has each such error once."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
    if where not in _logged:
        _logged.add(where)
        _LOG.error("a record was rejected because of our own fault, please report it: %s", where, exc_info=error)
    return Rejected(RejectionReason.INTERNAL_FAULT)
