"""Rows of the past -> what a baseline keeps of them, and a baseline with it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from plumbline.drift.projection.backtest import past_misses
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.csv_inputs import ReferenceFiles
from plumbline.drift.reference.history import History, HistoryRows, PastWindow, bounds_by_size, rounded


def learn_reference(files: ReferenceFiles) -> Baseline:
    """Return the baseline of some files, with what their past shows where there is one.

    Raises
    ------
    BaselineError
        If a file cannot be read or does not fit the others.
    """
    baseline, rows = files.read()
    if rows is None or files.time_column is None:
        return baseline
    return replace(baseline, history=learn_history(baseline, rows, time_column=files.time_column))


def learn_history(baseline: Baseline, rows: HistoryRows, *, time_column: str) -> History:
    """Return what the past of the baseline's task shows, by size of its windows."""
    return History(
        time_column=time_column,
        start=rows.times[0],
        end=rows.times[-1],
        n_rows=len(rows.times),
        windows={
            size: tuple(_windows(baseline, rows, size, bounds))
            for size, bounds in bounds_by_size(len(rows.times)).items()
        },
    )


def _windows(baseline: Baseline, rows: HistoryRows, size: int, bounds: Sequence[slice]) -> Iterator[PastWindow]:
    misses = past_misses(baseline, rows, size)
    for one, (miss, half_width) in zip(bounds, misses, strict=True):
        yield rounded(
            PastWindow(
                start=rows.times[one.start], end=rows.times[one.stop - 1], n_rows=size, miss=miss, half_width=half_width
            )
        )
