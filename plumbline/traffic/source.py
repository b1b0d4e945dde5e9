"""What a replay sends: the rows of each hour; and the table of their labels, which `plumbline labels` uploads."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TextIO, TypeVar

from plumbline.data.rows import LabelledRows
from plumbline.data.scenarios import Scenario
from plumbline.traffic.replay import LabelsOfHour, ReplayAnswer, ReplayPlan, RowsOfHour

T = TypeVar("T")
HEADER = ("id", "row", "label")


@dataclass(frozen=True)
class TrafficSource:
    """Rows of an hour, and their true labels; None where those are not known."""

    rows: RowsOfHour
    labels: LabelsOfHour | None = None


def in_turn(items: Sequence[T]) -> Callable[[int, int], Sequence[T]]:
    """Return a function of hour and number that goes through the items in their order, again and again.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not items:
        raise ValueError("traffic must have at least one row to send, got none; give a CSV file with rows")

    def items_of_hour(hour: int, n: int) -> Sequence[T]:
        first = (hour - 1) * n
        return [items[position % len(items)] for position in range(first, first + n)]

    return items_of_hour


def drawn(scenario: Scenario, pool: LabelledRows, seed: int) -> TrafficSource:
    """Return the traffic of a scenario; the same seed draws the same rows."""

    # Two hours: the labels of one are read while the next one's rows are sent.
    @lru_cache(maxsize=2)
    def draw(hour: int, n: int) -> LabelledRows:
        return scenario.rows(pool, hour, n, seed)

    return TrafficSource(
        lambda hour, n: draw(hour, n).rows,
        (lambda hour, n: draw(hour, n).labels) if scenario.labels_are_true else None,
    )


class LabelsOut:
    """Writes one line for each row whose request was answered: the others were not captured with a prediction.

    An hour is written when it is over, in the order of its requests, so that the same answers make the same file.
    """

    def __init__(self, plan: ReplayPlan, labels_of_hour: LabelsOfHour, stream: TextIO) -> None:
        """Write the header row."""
        self._plan, self._labels_of_hour, self._stream = plan, labels_of_hour, stream
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(HEADER)
        self._hour: list[ReplayAnswer] = []

    def take(self, answer: ReplayAnswer) -> None:
        """Take one more answer into account; those of an hour come before those of the next."""
        if self._hour and answer.hour != self._hour[0].hour:
            self.finish_hour()
        if not answer.failure:
            self._hour.append(answer)

    def finish_hour(self) -> None:
        """Write the hour whose answers were taken last."""
        if not self._hour:
            return
        plan, hour = self._plan, self._hour[0].hour
        labels = self._labels_of_hour(hour, plan.rows_per_hour)
        for answer in sorted(self._hour, key=lambda answer: answer.first_row):
            name = plan.inference_id(hour, answer.first_row // plan.rows_per_request)
            self._writer.writerows((name, row, labels[answer.first_row + row]) for row in range(answer.n_rows))
        self._stream.flush()
        self._hour = []


@contextmanager
def labels_file(path: Path, plan: ReplayPlan, labels_of_hour: LabelsOfHour) -> Iterator[LabelsOut]:
    """Open the table; it has every row that was answered before an interruption."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = LabelsOut(plan, labels_of_hour, stream)
        try:
            yield out
        finally:
            out.finish_hour()
