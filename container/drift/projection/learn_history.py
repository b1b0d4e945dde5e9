"""Rows of the past -> what a baseline keeps of them, and a baseline with it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from plumbline.drift.compare.past import past_changes
from plumbline.drift.compare.past_days import past_days
from plumbline.drift.projection.backtest import past_distances, past_misses
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.csv_inputs import ReferenceFiles, read_history
from plumbline.drift.reference.history import History, HistoryRows, PastWindow, bounds_by_size, rounded, rounded_days


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


def with_history(baseline: Baseline, file: Path, time_column: str) -> Baseline:
    """Return a baseline with what the past in a file shows (`plumbline.drift.reference.csv_inputs.read_history`).

    Raises
    ------
    BaselineError
        If the file cannot be read or does not fit the baseline.
    ShortPastError
        If it has too few rows.
    """
    rows = read_history(file, time_column, baseline, None)
    return replace(baseline, history=learn_history(baseline, rows, time_column=time_column))


def learn_history(baseline: Baseline, rows: HistoryRows, *, time_column: str, seed: int = 0) -> History:
    """Return what the past of the baseline's task shows, by size of its windows.

    Parameters
    ----------
    seed
        Of the samples that whole rows are compared by, 0 or more.
    """
    return History(
        time_column=time_column,
        start=rows.times[0],
        end=rows.times[-1],
        n_rows=len(rows.times),
        windows={
            size: tuple(_windows(baseline, rows, size, bounds, seed))
            for size, bounds in bounds_by_size(len(rows.times)).items()
        },
        evidence=rounded(past_distances(baseline, rows)),
        days=rounded_days(past_days(baseline, rows)),
    )


def _windows(
    baseline: Baseline, rows: HistoryRows, size: int, bounds: Sequence[slice], seed: int
) -> Iterator[PastWindow]:
    misses, changes = past_misses(baseline, rows, size), past_changes(baseline, rows, bounds, seed=seed)
    for one, (miss, half_width), (changed, separability) in zip(bounds, misses, changes, strict=True):
        yield rounded(
            PastWindow(
                start=rows.times[one.start],
                end=rows.times[one.stop - 1],
                n_rows=size,
                miss=miss,
                half_width=half_width,
                changes=changed,
                separability=separability,
            )
        )
