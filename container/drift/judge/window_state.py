"""What a run leaves for the next one: a small file, so that a run reads that of the last window alone."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import SCHEMA_ERRORS, decode
from plumbline.contract.names import ReportFile
from plumbline.contract.quality import KnownMiss
from plumbline.contract.records import WindowBounds
from plumbline.drift.data.documents import read_signed, signed
from plumbline.drift.data.times import parse_time
from plumbline.drift.read.folder import oddity, printable
from plumbline.drift.statistics.day_test import Dispersion
from plumbline.drift.statistics.sequential import EvidenceSum
from plumbline.drift.statistics.series import SeriesMean

WINDOW_STATE_VERSION = 1
MAX_FILES = 1000
"""Files that are opened, the last in the order of their paths: reports lie below year, month, day and hour."""


@dataclass(frozen=True, kw_only=True)
class PartOfDay:
    """One window of the last day: the means of what is followed of each feature, in the order of its series."""

    start: str
    end: str
    n_rows: int
    means: Mapping[str, tuple[SeriesMean, ...]]


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is kept of one feature while `reference`, a digest of what it is compared with, stays the same.

    `dispersions` has one entry for each of its series, and `evidence` that of the days which end at one time, by that
    time of the day.
    """

    reference: str
    dispersions: tuple[Dispersion, ...] = ()
    evidence: Mapping[str, EvidenceSum] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WindowState:
    """What is known after a window: `bounds` are those of the run's own, `day` the windows of the last day in order.

    `misses` are what labels had shown of projections, in order of time (`drift.judge.feedback`).
    """

    bounds: WindowBounds
    day: tuple[PartOfDay, ...] = ()
    courses: Mapping[str, Course] = field(default_factory=dict)
    misses: tuple[KnownMiss, ...] = ()


@dataclass(frozen=True)
class EarlierFiles:
    """Where the reports of earlier runs are.

    `folder` is searched at any depth, and need not exist. `failure` is the error that kept files from being fetched to
    it; None: there was none.
    """

    folder: Path
    failure: str | None = None


@dataclass(frozen=True, kw_only=True)
class EarlierState:
    """The state after the last window before this one; None: there was none.

    `is_searched` is False where no place was named. `failure` is what kept files from being read, and `skipped` has
    each file that could not be used, with why.
    """

    is_searched: bool = False
    state: WindowState | None = None
    failure: str | None = None
    skipped: tuple[str, ...] = ()


def window_state_text(state: WindowState) -> str:
    """Return the file's text; equal states give equal bytes."""
    document: dict[str, Any] = {
        "version": WINDOW_STATE_VERSION,
        "start": state.bounds.start,
        "end": state.bounds.end,
        "day": [asdict(part) for part in state.day],
        "courses": {name: asdict(course) for name, course in state.courses.items()},
        "misses": [asdict(miss) for miss in state.misses],
    }
    return signed(document, before="day")


def read_window_state(text: str) -> WindowState:
    """Read what `window_state_text` made; keys that this code does not know are left out.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file.
    """
    document = read_signed(text, WINDOW_STATE_VERSION)
    try:
        found = decode(
            WindowState,
            {
                "bounds": {"start": document["start"], "end": document["end"]},
                **{key: value for key, value in document.items() if key not in {"start", "end", "version", "checksum"}},
            },
            tolerant=True,
        )
        times = [(found.bounds.start, found.bounds.end), *((part.start, part.end) for part in found.day)]
        for start, end in times:
            if parse_time(str(start)) >= parse_time(str(end)):
                raise ValueError(f"a window must end after it begins, got {start} to {end}")
        _require_numbers(found)
        for miss in found.misses:
            _check(miss)
    except SCHEMA_ERRORS as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error
    return found


def _require_numbers(state: WindowState) -> None:
    """Raise ValueError for a number that is none, which JSON's readers let pass, or a time that is none."""
    courses = state.courses.values()
    evidence = [one for course in courses for one in course.evidence.values()]
    numbers = [
        *(one.mean for part in state.day for means in part.means.values() for one in means),
        *(number for course in courses for one in course.dispersions for number in (one.total, one.n_steps)),
        *(one.log_e for one in evidence),
    ]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("numbers must be finite")
    for one in evidence:
        parse_time(one.start)


def _check(miss: KnownMiss) -> None:
    if not (math.isfinite(miss.miss) and math.isfinite(miss.half_width) and miss.half_width >= 0):
        raise ValueError(f"a miss must have finite numbers, got {miss.miss} with a half-width of {miss.half_width}")
    parse_time(miss.window.end or "")


def last_state(files: EarlierFiles, bounds: WindowBounds, besides: Path) -> EarlierState:
    """Return the state after the last window that ended before the one with `bounds` began.

    So a window that is judged again starts from where it started before, and a missing run is passed over. A file that
    cannot be read is skipped, and its name and error kept.

    Parameters
    ----------
    besides
        Folder of this run's own reports, which is left out.
    """
    folder = files.folder
    if files.failure is not None or bounds.start is None:
        return EarlierState(is_searched=True, failure=files.failure)
    own, root = (besides / ReportFile.WINDOW_STATE).resolve(), folder.resolve()
    # Not rglob of the name itself, which leaves out broken links.
    paths = sorted(path for path in folder.rglob("*") if path.name == ReportFile.WINDOW_STATE)
    last: WindowState | None = None
    skipped = []
    for path in paths[-MAX_FILES:]:
        name = path.relative_to(folder).as_posix()
        if odd := oddity(path, folder, root):
            skipped.append(f"{printable(name)}: {odd}")
            continue
        if path.resolve() == own:
            continue
        try:
            state = read_window_state(path.read_bytes().decode())
            if _ended_before(state.bounds, bounds) and (last is None or not _ended_before(state.bounds, last.bounds)):
                last = state
        except (OSError, ValueError, RecursionError) as error:
            skipped.append(f"{name}: {error}")
    return EarlierState(is_searched=True, state=last, skipped=tuple(skipped))


def _ended_before(earlier: WindowBounds, bounds: WindowBounds) -> bool:
    return bool(earlier.end and bounds.start) and parse_time(earlier.end or "") <= parse_time(bounds.start or "")
