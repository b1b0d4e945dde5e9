"""The counts that earlier runs left below a folder: which of them are the windows just before this one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contract.names import ReportFile
from contract.records import FeatureType, WindowBounds
from contract.training import PROBABILITY_COLUMN
from drift.counts import columns_of, counts_entries, counts_entry, counts_of, spec_entries, specs_of
from drift.documents import read_signed, signed
from drift.learned import Baseline
from drift.recent import EarlierWindows, StoredWindow
from drift.table import FeatureSpec
from drift.times import parse_time
from drift.window import WindowCounts

MAX_FILES = 1000
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
    for path in paths[-MAX_FILES:]:
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


WINDOW_COUNTS_VERSION = 1
_PROBABILITY = FeatureSpec(PROBABILITY_COLUMN, FeatureType.NUMERIC)


def window_counts_text(baseline: Baseline, window: WindowCounts) -> str:
    """Return the file's text; equal windows give equal bytes. A feature that the window lacks is left out."""
    specs = [spec for spec in baseline.specs if spec.name in window.columns]
    document = {
        "version": WINDOW_COUNTS_VERSION,
        "start": window.bounds.start,
        "end": window.bounds.end,
        "n_rows": window.n_rows,
        "features": spec_entries(specs),
        "probabilities": counts_entry(window.probabilities),
        "counts": counts_entries(specs, window.columns),
    }
    return signed(document, before="features")


def read_window_counts(text: str) -> StoredWindow:
    """Read what `window_counts_text` made.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file; the error says which.
    """
    document = read_signed(text, WINDOW_COUNTS_VERSION)
    try:
        specs = specs_of(document["features"])
        return StoredWindow(
            bounds=WindowBounds(document["start"], document["end"]),
            n_rows=document["n_rows"],
            specs=specs,
            columns=columns_of(specs, document["counts"]),
            probabilities=counts_of(_PROBABILITY, document["probabilities"]),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error
