"""The counts that earlier runs left below a folder: which of them are the windows just before this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contract.names import ReportFile
from contract.records import WindowBounds
from drift.recent import EarlierWindows, StoredWindow
from drift.table import FeatureSpec
from drift.times import parse_time
from drift.window_counts_file import read_window_counts

MOST_FILES = 1000
"""Files that are opened, the last in the order of their paths: reports lie below year, month, day and hour."""


@dataclass(frozen=True)
class EarlierFiles:
    """Where the reports of earlier runs are, and how many of their windows are the second reference.

    `folder` is searched at any depth, and need not exist. `failure` says why nothing could be put there.
    """

    folder: Path
    n_windows: int
    failure: str = ""


def read_earlier(
    files: EarlierFiles,
    bounds: WindowBounds,
    specs: Sequence[FeatureSpec],
    besides: Path,
    same_model: Callable[[WindowBounds], bool] = lambda _: True,
) -> EarlierWindows:
    """Return the last windows that ended before this one began.

    Of a window without times every other one is earlier. A file that cannot be read, or has other features than
    `specs`, is skipped and told.

    Parameters
    ----------
    besides
        Folder of this run's own reports, which is left out.
    same_model
        Whether the model that answered this window alone answered another one too.
    """
    own = (besides / ReportFile.WINDOW_COUNTS).resolve()
    paths = sorted(path for path in files.folder.rglob(ReportFile.WINDOW_COUNTS.value) if path.resolve() != own)
    found: dict[tuple[str, str], StoredWindow] = {}
    skipped = [files.failure] if files.failure else []
    for path in paths[-MOST_FILES:]:
        name = path.relative_to(files.folder).as_posix()
        try:
            window = _fitting(read_window_counts(path.read_bytes().decode()), specs)
            if _ended_before(window.bounds, bounds):
                # A window that was run again counts once.
                found[window.bounds.start or name, window.bounds.end or ""] = replace(
                    window, same_model=same_model(window.bounds)
                )
                if len(found) > files.n_windows:
                    del found[min(found)]
        except (OSError, ValueError, RecursionError) as error:
            skipped.append(f"{name}: {error}")
    windows = tuple(found[key] for key in sorted(found))
    return EarlierWindows(n_wanted=files.n_windows, windows=windows, skipped=tuple(skipped))


def _fitting(window: StoredWindow, specs: Sequence[FeatureSpec]) -> StoredWindow:
    if tuple(window.specs) != tuple(specs):
        raise ValueError("its features are not the baseline's")
    return window


def _ended_before(earlier: WindowBounds, bounds: WindowBounds) -> bool:
    if bounds.start is None:
        return True
    return earlier.end is not None and parse_time(earlier.end) <= parse_time(bounds.start)
