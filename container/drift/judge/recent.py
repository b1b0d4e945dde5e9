"""Earlier windows as a second reference: their files, and the comparison of this window with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from plumbline.contract.decoding import SCHEMA_ERRORS, decode
from plumbline.contract.names import ReportFile
from plumbline.contract.reasons import Reason, ReasonCode, joined
from plumbline.contract.records import SWITCHED_OFF, FeatureType, RecentReport, WindowBounds
from plumbline.contract.rejection import loss
from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.counts import (
    NumericCounts,
    ValueCounts,
    columns_of,
    counts_entries,
    counts_entry,
    counts_of,
    spec_entries,
    specs_of,
    summed,
)
from plumbline.drift.data.documents import read_signed, signed
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.data.times import parse_time
from plumbline.drift.data.window import WindowCounts
from plumbline.drift.judge.comparison import RunContext, Sample, judge
from plumbline.drift.judge.past import PastThresholds
from plumbline.drift.judge.verdict import too_few
from plumbline.drift.read.folder import oddity, printable
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.settings.policy import Policy

_NO_PAST: Mapping[str, PastThresholds] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredWindow:
    """What a run leaves of its window for later ones: value counts, no rows.

    `same_model`: the model that answered it also answered the window that is judged; only then its probabilities are a
    reference. `rejected_fraction` is that of the window's records, 0 to 1.
    """

    bounds: WindowBounds
    n_rows: int
    specs: tuple[FeatureSpec, ...]
    columns: dict[str, ValueCounts]
    probabilities: ValueCounts
    same_model: bool = True
    rejected_fraction: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class EarlierWindows:
    """The windows before this one that were found, of the `n_wanted` that were searched for; 0: no search.

    `skipped` has each file that could not be used, with why.
    """

    n_wanted: int = 0
    windows: tuple[StoredWindow, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Rows of all windows."""
        return sum(window.n_rows for window in self.windows)

    @property
    def notes(self) -> tuple[Reason, ...]:
        """What was not found."""
        missing = ReasonCode.EARLIER_WINDOWS_MISSING.reason(n_found=len(self.windows), n_wanted=self.n_wanted)
        found_all = len(self.windows) >= self.n_wanted
        skipped = (ReasonCode.EARLIER_FILE_SKIPPED.reason(file=file) for file in self.skipped)
        return (*(() if found_all else (missing,)), *skipped)


def judge_recent(
    specs: Sequence[FeatureSpec],
    earlier: EarlierWindows,
    window: Sample,
    context: RunContext,
    past: Mapping[str, PastThresholds] = _NO_PAST,
) -> RecentReport:
    """Judge the window against the earlier windows' counts, added up. It is a family of tests of its own.

    Parameters
    ----------
    past
        What changes must exceed besides, by feature.
    """
    if not earlier.n_wanted:
        return RecentReport(reason=SWITCHED_OFF)
    earlier = _representative(earlier, context.policy)
    return context.faults.guarded(
        "the windows before",
        lambda: _judged(specs, earlier, window, context, past),
        lambda why: RecentReport(reason=why, n_windows=len(earlier.windows), n_rows=earlier.n_rows),
    )


def _representative(earlier: EarlierWindows, policy: Policy) -> EarlierWindows:
    """Return the windows of which enough records could be used: what is left of the others is no reference."""
    kept = tuple(one for one in earlier.windows if one.rejected_fraction <= policy.maximum_rejected_fraction)
    left_out = (
        f"window {one.bounds.start or 'without times'}: {100 * one.rejected_fraction:.1f} % of its records rejected"
        for one in earlier.windows
        if one not in kept
    )
    return replace(earlier, windows=kept, skipped=(*earlier.skipped, *left_out))


def _judged(
    specs: Sequence[FeatureSpec],
    earlier: EarlierWindows,
    window: Sample,
    context: RunContext,
    past: Mapping[str, PastThresholds],
) -> RecentReport:
    not_judged = context.not_judged or _refusal(earlier, context.policy)
    if not earlier.windows:
        return RecentReport(reason=joined(not_judged, *earlier.notes))
    of_model = [stored for stored in earlier.windows if stored.same_model]
    probabilities = merged([stored.probabilities for stored in of_model]) if of_model else None
    reference = Sample(
        columns={spec.name: merged([stored.columns[spec.name] for stored in earlier.windows]) for spec in specs},
        probabilities=probabilities if probabilities and probabilities.n_present else None,
        no_probabilities=(ReasonCode.NO_EARLIER_PREDICTIONS if of_model else ReasonCode.EARLIER_MODEL_DIFFERS).reason(),
        past=past,
    )
    own = replace(context, not_judged=not_judged)
    outcome = judge(specs, reference, window, own, where=" against the windows before")
    return RecentReport(
        verdict=outcome.verdict,
        reason=joined(outcome.reason, *earlier.notes),
        n_windows=len(earlier.windows),
        n_rows=earlier.n_rows,
        features=outcome.features,
        prediction=outcome.prediction,
    )


def _refusal(earlier: EarlierWindows, policy: Policy) -> Reason | None:
    if not earlier.windows:
        return ReasonCode.NO_EARLIER_WINDOW.reason()
    few = too_few(earlier.n_rows, policy)
    return ReasonCode.EARLIER_WINDOWS_TOO_SMALL.reason(rows=few) if few else None


def merged(parts: Sequence[ValueCounts]) -> ValueCounts:
    """Return the counts of all parts together, in whatever order they come.

    Where one part has its numbers in buckets, the others' go into the same buckets.

    Raises
    ------
    ValueError
        If there is no part.
    """
    if not parts:
        raise ValueError("counts to merge must be at least one, got none")
    if any(isinstance(part, NumericCounts) and part.relative_error is not None for part in parts):
        parts = [bucketed(part) if isinstance(part, NumericCounts) else part for part in parts]
    return reduce(_sum, parts)


def _sum(one: ValueCounts, other: ValueCounts) -> ValueCounts:
    values, counts = summed(np.concatenate([one.values, other.values]), np.concatenate([one.counts, other.counts]))
    unreadable = {
        reason: one.unreadable.get(reason, 0) + other.unreadable.get(reason, 0)
        for reason in sorted({*one.unreadable, *other.unreadable})
    }
    return replace(
        one,
        values=values,
        counts=counts,
        n_missing=one.n_missing + other.n_missing,
        unreadable=unreadable,
        n_absent=one.n_absent + other.n_absent,
    )


MAX_FILES = 1000
"""Files that are opened, the last in the order of their paths: reports lie below year, month, day and hour."""


@dataclass(frozen=True)
class EarlierFiles:
    """Where the reports of earlier runs are, and how many of their windows are the second reference; 0: none.

    `folder` is searched at any depth, and need not exist. `failure` is the error that kept files from being fetched to
    it; None: there was none.
    """

    folder: Path
    n_windows: int
    failure: str | None = None


def read_earlier(
    files: EarlierFiles,
    bounds: WindowBounds,
    specs: Sequence[FeatureSpec],
    besides: Path,
    same_model: Callable[[WindowBounds], bool] = lambda _: True,
) -> EarlierWindows:
    """Return the last windows that ended before this one began, and of those that overlap each other the later.

    So no row is in the second reference twice. Of a window without times every other one is earlier. A file that
    cannot be read, or has other features than `specs`, is skipped, and its name and error are kept.

    Parameters
    ----------
    besides
        Folder of this run's own reports, which is left out.
    same_model
        Whether the model that answered this window alone answered another one too.
    """
    own, root = (besides / ReportFile.WINDOW_COUNTS).resolve(), files.folder.resolve()
    # Not rglob of the name itself, which leaves out broken links.
    paths = sorted(path for path in files.folder.rglob("*") if path.name == ReportFile.WINDOW_COUNTS)
    found: dict[tuple[str, str], tuple[Path, WindowBounds]] = {}
    skipped = [files.failure] if files.failure else []
    for path in paths[-MAX_FILES:]:
        name = path.relative_to(files.folder).as_posix()
        if odd := oddity(path, files.folder, root):
            skipped.append(f"{printable(name)}: {odd}")
            continue
        if path.resolve() == own:
            continue
        try:
            window = _fitting(read_window_counts(path.read_bytes().decode()), specs)
            if _ended_before(window.bounds, bounds):
                # A window that was run again counts once.
                found[window.bounds.end or "", window.bounds.start or name] = (path, window.bounds)
        except (OSError, ValueError, RecursionError) as error:
            skipped.append(f"{name}: {error}")
    chosen = _apart([found[key] for key in sorted(found)], files.n_windows)
    windows = tuple(_stored(path, same_model) for path in chosen)
    return EarlierWindows(n_wanted=files.n_windows, windows=windows, skipped=tuple(skipped))


def _apart(found: Sequence[tuple[Path, WindowBounds]], n_windows: int) -> list[Path]:
    """Return the last windows of some, given and returned in order, without those that overlap a later one."""
    chosen: list[Path] = []
    later = WindowBounds()
    for path, bounds in reversed(found):
        if len(chosen) < n_windows and _ended_before(bounds, later):
            chosen.append(path)
            later = bounds
    return chosen[::-1]


def _stored(path: Path, same_model: Callable[[WindowBounds], bool]) -> StoredWindow:
    window = read_window_counts(path.read_bytes().decode())
    return replace(window, same_model=same_model(window.bounds))


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
    specs, lost = [spec for spec in baseline.specs if spec.name in window.columns], loss(window.records)
    document = {
        "version": WINDOW_COUNTS_VERSION,
        "start": window.bounds.start,
        "end": window.bounds.end,
        "n_rows": window.n_rows,
        "rejected_fraction": lost.fraction if lost else 0.0,
        "features": spec_entries(specs),
        "probabilities": counts_entry(window.probabilities),
        "counts": counts_entries(specs, window.columns),
    }
    return signed(document, before="features")


def _n_rows(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"n_rows must be a whole number of 0 or more, got {value}")
    return value


def read_window_counts(text: str) -> StoredWindow:
    """Read what `window_counts_text` made.

    Raises
    ------
    ValueError
        If the text is of another version, altered since it was written, or no such file.
    """
    document = read_signed(text, WINDOW_COUNTS_VERSION)
    try:
        specs = specs_of(document["features"])
        return StoredWindow(
            bounds=decode(WindowBounds, {"start": document["start"], "end": document["end"]}),
            n_rows=_n_rows(document["n_rows"]),
            specs=specs,
            columns=columns_of(specs, document["counts"]),
            probabilities=counts_of(_PROBABILITY, document["probabilities"]),
            # Files of versions before do not say.
            rejected_fraction=float(document.get("rejected_fraction", 0.0)),
        )
    except SCHEMA_ERRORS as error:
        raise ValueError(f"it must fit its schema, got {error!r}") from error
