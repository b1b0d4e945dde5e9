"""The task's own past, window by window: how much its rows moved, and how far projections of its accuracy missed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.accuracy import ProjectionEvidence
from plumbline.contract.decoding import decode, read_json
from plumbline.contract.statistics import EffectMeasure
from plumbline.drift.data.table import Table

WINDOW_SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Rows of the past windows that a baseline keeps figures of."""
MAX_WINDOWS = 200
"""Of one size; of a longer past they lie evenly spread over it."""
_GOLDEN = (5**0.5 - 1) / 2
ENOUGH_WINDOWS = 20
"""With fewer, the largest of them is no bound that a like window keeps 19 times of 20."""
MIN_ROWS = 2 * WINDOW_SIZES[0]
"""Of a past: two of the smallest windows, each of which has another to be compared with."""
_DIGITS = 6
"""Significant digits of a kept figure: more would be chance."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HistoryRows:
    """Labelled rows of the past in time order, with what the model-building procedure predicted out of sample.

    `times` are ISO 8601 texts in UTC; all have shape (n_rows,). `probabilities` and `predicted` are as in
    `plumbline.drift.reference.baseline.LabelledTest`.
    """

    table: Table
    times: Sequence[str]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    predicted: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class PastChange:
    """How one feature, or the prediction, of a past window differs from the rest of the past.

    `missing_fraction` is the change of it, and `out_of_range_fraction` that of numbers beyond all others.
    `null_q99_distance` is the Jensen-Shannon distance that chance reaches in one such window of a hundred.
    """

    effects: Mapping[EffectMeasure, float] = field(default_factory=dict)
    missing_fraction: float = 0.0
    out_of_range_fraction: float = 0.0
    null_q99_distance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PastWindow:
    """One window of the past: from its first row's time to its last one's.

    `miss` is the accuracy by its labels minus the one projected by a model's rows before it, and `half_width` that of
    the 95 % interval of the projection, for sampling alone; both are None where nothing could be projected. `changes`
    has one entry per feature, and one for the prediction under `plumbline.contract.training.PROBABILITY_COLUMN`.
    `separability` is the area under the ROC curve of a classifier of its whole rows against the rest of the past.
    """

    start: str
    end: str
    n_rows: int
    miss: float | None = None
    half_width: float | None = None
    changes: Mapping[str, PastChange] = field(default_factory=dict)
    separability: float | None = None


@dataclass(frozen=True, kw_only=True)
class History:
    """What a baseline keeps of the past: by window size in rows, ascending, the windows of that size in time order.

    `evidence` has the largest distances of a past window from the rows that it was projected by. `days` has how far the
    means of days lie from the reference's (`plumbline.drift.compare.past_days`).
    """

    time_column: str
    start: str
    end: str
    n_rows: int
    windows: Mapping[int, tuple[PastWindow, ...]] = field(default_factory=dict)
    evidence: ProjectionEvidence = ProjectionEvidence()
    days: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def window_bounds_of(n_rows: int, size: int) -> list[slice]:
    """Return consecutive windows of `size` rows, at most `MAX_WINDOWS`; what is left over at the front is in none.

    Examples
    --------
    >>> window_bounds_of(7, 3)
    [slice(1, 4, None), slice(4, 7, None)]
    """
    starts = range(n_rows % size, n_rows, size) if n_rows >= size else range(0)
    if len(starts) > MAX_WINDOWS:
        # One of each stretch, at places of which no two are alike: at one place they could all lie in the same hour.
        within = np.arange(MAX_WINDOWS) * _GOLDEN % 1
        chosen = ((np.arange(MAX_WINDOWS) + within) * len(starts) / MAX_WINDOWS).astype(int)
        return [slice(starts[index], starts[index] + size) for index in chosen.tolist()]
    return [slice(start, start + size) for start in starts]


def bounds_by_size(n_rows: int) -> dict[int, list[slice]]:
    """Return the windows of a past of so many rows by size, for each size of which there are two or more.

    Examples
    --------
    >>> {size: len(bounds) for size, bounds in bounds_by_size(1_500).items()}
    {200: 7, 500: 3}
    """
    found = {size: window_bounds_of(n_rows, size) for size in WINDOW_SIZES}
    return {size: bounds for size, bounds in found.items() if len(bounds) > 1}


def history_text(history: History) -> str:
    """Return history.json: a line per window, in which a figure that is not there, or is 0, is left out.

    Numbers have six significant digits; `parse_history` reads it.
    """
    lines = [
        json.dumps({"size": size, **_sparse(window)}, ensure_ascii=False, allow_nan=False)
        for size, windows in history.windows.items()
        for window in windows
    ]
    head = [
        f' "{key}": {json.dumps(getattr(history, key), ensure_ascii=False)},'
        for key in ("time_column", "start", "end", "n_rows")
    ]
    if history.evidence != ProjectionEvidence():
        known = {key: value for key, value in vars(history.evidence).items() if value}
        head.append(f' "evidence": {json.dumps(known, allow_nan=False)},')
    if history.days:
        head.append(f' "days": {json.dumps(history.days, ensure_ascii=False, allow_nan=False)},')
    return "\n".join(["{", *head, ' "windows": [', ",\n".join(f"  {line}" for line in lines), " ]", "}"]) + "\n"


def parse_history(text: str) -> History:
    """Read what `history_text` wrote.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If the text is no such history.
    """
    document = read_json(text)
    entries = document.pop("windows")
    head = decode(_Head, document, tolerant=True)
    if not all(0 <= variance < math.inf for of_days in head.days.values() for variance in of_days.values()):
        raise ValueError("variances of the days of the past must be finite and 0 or more, got others")
    windows: dict[int, tuple[PastWindow, ...]] = {}
    for entry in entries:
        size = entry.pop("size")
        window = decode(PastWindow, entry, tolerant=True)
        if isinstance(size, bool) or not isinstance(size, int) or size != window.n_rows or size < 1:
            raise ValueError(f"a window of the past must have its size in rows, got {size!r} for {window.n_rows}")
        windows[size] = (*windows.get(size, ()), replace(window, changes=_checked(window)))
    if [*windows] != sorted(windows):
        raise ValueError(f"windows of the past must be by size, ascending, got {[*windows]}")
    return History(**vars(head), windows=windows)


def _checked(window: PastWindow) -> dict[str, PastChange]:
    """Return the changes of a window that was read, with measures that are known; all numbers must be finite."""
    changes = {
        name: replace(change, effects={EffectMeasure(key): value for key, value in change.effects.items()})
        for name, change in window.changes.items()
    }
    shares = [number for one in changes.values() for number in (one.missing_fraction, one.out_of_range_fraction)]
    figures = [window.miss, window.half_width, window.separability, *shares]
    figures += [value for change in changes.values() for value in change.effects.values()]
    if not all(number is None or math.isfinite(number) for number in figures):
        raise ValueError(f"the window of the past from {window.start} must have finite numbers, got others")
    return changes


@dataclass(frozen=True)
class _Head:
    time_column: str
    start: str
    end: str
    n_rows: int
    evidence: ProjectionEvidence = ProjectionEvidence()
    days: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


_Kept = TypeVar("_Kept")


def rounded(window: _Kept) -> _Kept:
    """Return a window of the past, a change or distances, with its numbers as the file has them."""
    found: dict[str, Any] = {entry.name: _rounded(getattr(window, entry.name)) for entry in fields(window)}  # type: ignore[arg-type]
    return type(window)(**found)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") + 0.0
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    return rounded(value) if isinstance(value, PastChange) else value


def rounded_days(days: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return variances of the days of the past as the file has them."""
    return {name: _rounded(variances) for name, variances in days.items()}


def _sparse(kept: PastWindow | PastChange) -> dict[str, Any]:
    """Return the fields that are not at their default."""
    found: dict[str, Any] = {}
    for entry in fields(kept):
        value = getattr(kept, entry.name)
        default = entry.default_factory() if entry.default_factory is not MISSING else entry.default
        if value == default:
            continue
        is_nested = isinstance(value, Mapping) and any(isinstance(part, PastChange) for part in value.values())
        found[entry.name] = {name: _sparse(change) for name, change in value.items()} if is_nested else value
    return found
