"""The past as this training procedure would have predicted it: models of earlier rows alone, at rolling origins."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from dataset import LabelledTable, TrainingDataError
from numpy.typing import NDArray

from plumbline.contract.training import PROBABILITY_COLUMN
from plumbline.drift.data.times import format_time, parse_time

ORIGINS = (0.4, 0.55, 0.7, 0.85)
"""Fractions of the rows in time order: a model of the rows before each of them predicts those until the next."""

Predict = Callable[[Sequence[int], Sequence[int]], "NDArray[np.float32] | None"]
"""Rows to train on and rows to predict, by their numbers -> probabilities; None: there is nothing to learn in them."""


@dataclass(frozen=True)
class TimedRows:
    """Rows without their time column, and the time of each; no times where they do not have the column."""

    table: LabelledTable
    times: tuple[datetime, ...]


def split_times(table: LabelledTable, time_column: str | None, channel: str) -> TimedRows:
    """Take the time column off, which is no feature.

    Raises
    ------
    TrainingDataError
        If a row has no ISO 8601 time there.
    """
    if time_column is None or time_column not in table.names:
        return TimedRows(table, ())
    position = table.names.index(time_column)
    read: dict[str, datetime] = {}
    for number, row in enumerate(table.rows, 1):
        if row[position] not in read:
            try:
                read[row[position]] = parse_time(row[position])
            except ValueError as error:
                raise TrainingDataError(
                    f"row {number} of channel {channel!r} must have an ISO 8601 time in {time_column!r}, got "
                    f"{row[position]!r}; write 2026-01-31T13:00:00Z, or remove the row"
                ) from error
    return TimedRows(table.without(time_column), tuple(read[row[position]] for row in table.rows))


def rolled(times: Sequence[datetime], predict: Predict) -> list[tuple[int, float]]:
    """Return row and probability of the rows that a model of earlier ones predicted, in time order.

    Rows of one moment are all on one side of an origin.
    """
    order = sorted(range(len(times)), key=times.__getitem__)
    ends = [_moved([times[row] for row in order], int(fraction * len(order))) for fraction in ORIGINS]
    found: list[tuple[int, float]] = []
    for start, end in zip(ends, [*ends[1:], len(order)], strict=True):
        if 0 < start < end:
            probabilities = predict(order[:start], order[start:end])
            if probabilities is not None:
                found += zip(order[start:end], map(float, probabilities), strict=True)
    return found


def _moved(times: Sequence[datetime], start: int) -> int:
    """Return the first row from `start` on whose time is later than that of the row before it."""
    while 0 < start < len(times) and times[start] == times[start - 1]:
        start += 1
    return start


def write_history(
    path: Path,
    *,
    table: LabelledTable,
    times: Sequence[datetime],
    target: str,
    time_column: str,
    predicted: Sequence[tuple[int, float]],
) -> None:
    """Write the rows that were predicted, in their order: features, target, time and probability.

    Raises
    ------
    TrainingDataError
        If a feature has the name of the predictions' column.
    """
    if PROBABILITY_COLUMN in {*table.names, target, time_column}:
        raise TrainingDataError(
            f"no column may be named {PROBABILITY_COLUMN!r} where time_column is set, got {', '.join(table.names)}; "
            "rename it"
        )
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*table.names, target, time_column, PROBABILITY_COLUMN])
        for row, probability in predicted:
            # Nine digits bring back the very same float32.
            writer.writerow([*table.rows[row], table.labels[row], format_time(times[row]), f"{probability:.9g}"])
