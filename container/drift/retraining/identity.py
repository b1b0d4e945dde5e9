"""Rows as the model sees them, for the question whether two rows are the same."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from contract.training import MISSING_TEXTS
from drift.table import FeatureSpec, Table
from drift.values import cell

RowKey: TypeAlias = tuple[float | str | None, ...]
"""The cells of a row, numbers as numbers; None where there is none."""

NATURAL_REPEATS = 0.05
"""From this share of the test set's rows that the training data have too, identical rows are ordinary in these data."""


def key_of(specs: Sequence[FeatureSpec], texts: Sequence[str]) -> RowKey:
    """Return a row's key: 40, 40.0 and 4e1 are the same number, and all missing cells are alike."""
    return tuple(
        None if text in MISSING_TEXTS else cell(spec.type, text) for spec, text in zip(specs, texts, strict=True)
    )


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
