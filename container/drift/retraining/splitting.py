"""Labelled records -> fresh rows to train on and a holdout to judge on, with nothing in both. No file, no clock."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from plumbline.drift.data.table import CellReader, Table
from plumbline.drift.retraining.merged_rows import Account, Cells, LabelledRecord, RowReason

RowKey: TypeAlias = tuple[float | str | None, ...]
"""The cells of a row, numbers as numbers; None where there is none."""

NATURAL_REPEATS = 0.05
"""From this share of the test set's rows that the training data have too, identical rows are ordinary in these data."""


def key_of(readers: Sequence[CellReader], texts: Sequence[str]) -> RowKey:
    """Return a row's key: 40, 40.0 and 4e1 are the same number, and all missing cells are alike."""
    cells = (reader.read(text) for reader, text in zip(readers, texts, strict=True))
    return tuple(None if cell != cell else cell for cell in cells)  # noqa: PLR0124 - NaN, which is missing


def keys_of(table: Table) -> Iterable[RowKey]:
    """Yield the key of each row of a table."""
    columns = (table.columns[spec.name].tolist() for spec in table.specs)
    return zip(*([None if cell != cell else cell for cell in column] for column in columns), strict=True)  # noqa: PLR0124


def repeats_are_natural(train: set[RowKey], test: Sequence[RowKey]) -> bool:
    """Return whether independent rows of the same data are often identical, as in tables of a few categories.

    The training data and the test set are independent of each other, so that the share of the test set's rows
    that the training data have too is what chance makes. Where it is small, an identical row is the same observation.
    """
    return sum(key in train for key in test) >= NATURAL_REPEATS * len(test)


HOLDOUT_SHARE = 0.4
"""Share of the rows, the newest, that no model is trained on. The holdout serves two purposes that need many rows: the
gate's paired test, and the baseline that every later window is judged against. The fresh rows, which are given weight
in training (model/train.py), need fewer."""


@dataclass(frozen=True)
class Part:
    """Some rows with the moments of the first and the last record that they come from."""

    records: tuple[LabelledRecord, ...]

    @property
    def rows(self) -> list[tuple[Cells, str]]:
        """The rows with their labels, oldest first."""
        return [row for record in self.records for row in record.rows]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Rows that are known already: those of the original training data and of the test set."""

    train: Collection[RowKey]
    test: Collection[RowKey]


def split(records: Sequence[LabelledRecord]) -> tuple[Part, Part]:
    """Return the fresh records and the holdout, of records in order of time: the newest are the holdout.

    The holdout has `HOLDOUT_SHARE` of the rows or, because a record is never divided, a few more.
    """
    wanted = HOLDOUT_SHARE * sum(len(record.rows) for record in records)
    first, n_rows = len(records), 0
    while n_rows < wanted:
        first -= 1
        n_rows += len(records[first].rows)
    return Part(tuple(records[:first])), Part(tuple(records[first:]))


def without_leaks(
    fresh: Part, holdout: Part, seen: Seen, readers: Sequence[CellReader], account: Account
) -> tuple[Part, Part]:
    """Return both parts without the rows that a model has seen before.

    A holdout row is given up when the training data, which both models know, have its features. A fresh row is given up
    when the holdout or the test set has them: the challenger would be judged on what it was trained on. Labels are
    not compared: to take away only the rows whose label is the same would teach the opposite label.
    """
    holdout = _without(holdout, seen.train, readers, account, RowReason.HOLDOUT_ROW_IN_TRAINING_DATA)
    judged = {key_of(readers, cells) for cells, _ in holdout.rows}
    fresh = _without(fresh, judged, readers, account, RowReason.FRESH_ROW_IN_HOLDOUT)
    return _without(fresh, seen.test, readers, account, RowReason.FRESH_ROW_IN_TEST_SET), holdout


def _without(
    part: Part, known: Collection[RowKey], readers: Sequence[CellReader], account: Account, reason: RowReason
) -> Part:
    kept = []
    for record in part.records:
        rows = tuple(row for row in record.rows if key_of(readers, row[0]) not in known)
        account.reject(reason, len(record.rows) - len(rows))
        if rows:
            kept.append(LabelledRecord(record.time, record.key, rows))
    return Part(tuple(kept))
