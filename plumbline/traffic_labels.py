"""The labels of the rows that a replay sent, as a table that `plumbline labels` uploads."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from plumbline.traffic import Answer, LabelsOfHour, Plan

HEADER = ("id", "row", "label")


class LabelsOut:
    """Writes one line for each row whose request was answered: the others were not captured with a prediction.

    An hour is written when it is over, in the order of its requests, so that the same answers make the same file.
    """

    def __init__(self, plan: Plan, labels_of_hour: LabelsOfHour, stream: TextIO) -> None:
        """Write the header row."""
        self._plan, self._labels_of_hour, self._stream = plan, labels_of_hour, stream
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(HEADER)
        self._hour: list[Answer] = []

    def take(self, answer: Answer) -> None:
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
def labels_file(path: Path, plan: Plan, labels_of_hour: LabelsOfHour) -> Iterator[LabelsOut]:
    """Open the table; what was sent before an interruption stands in it."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = LabelsOut(plan, labels_of_hour, stream)
        try:
            yield out
        finally:
            out.finish_hour()
