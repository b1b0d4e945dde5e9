"""Value counts of the reference: exact up to a bound of distinct values, and beyond it in a form that does not grow."""

import numpy as np

from contract.records import FeatureType
from drift.counts import MOST_DISTINCT, OTHER_LABELS, CategoricalCounts, NumericCounts, ValueCounts, count
from drift.errors import BaselineError
from drift.sketch import bucketed
from drift.table import Table

MOST_SEGMENTS = 50
"""A bound for the artifact and the report; segments beyond it would seldom have the rows to be judged."""


def count_table(table: Table) -> dict[str, ValueCounts]:
    """Count the values of every column.

    Of a numeric column with more than `drift.counts.MOST_DISTINCT` distinct values the buckets of `drift.sketch` are
    counted; of a categorical one the most frequent labels, and all others together as `drift.counts.OTHER_LABELS`.
    """
    return {name: _bounded(counts, counts) for name, counts in _exact(table).items()}


def count_segments(table: Table, name: str) -> dict[str, dict[str, ValueCounts]]:
    """Count the values of every column for each value of the column `name`; a row without a value there is in none.

    Raises
    ------
    BaselineError
        If the column is not categorical, or has no value or too many.
    """
    _require_categorical(table, name)
    whole = _exact(table)
    labels = whole[name].values.tolist()
    if not 1 <= len(labels) <= MOST_SEGMENTS:
        raise BaselineError(
            f"segment_column must have 1 to {MOST_SEGMENTS} values, got {len(labels)} in {name!r}; choose a column "
            "whose values have enough rows each to be judged by themselves"
        )
    segments = {}
    for label in labels:
        chosen = table.columns[name] == label
        part = _exact(Table(table.specs, {key: column[chosen] for key, column in table.columns.items()}))
        segments[label] = {key: _bounded(counts, whole[key]) for key, counts in part.items()}
    return segments


def _require_categorical(table: Table, name: str) -> None:
    kinds = {spec.name: spec.type for spec in table.specs}
    if kinds.get(name) is not FeatureType.CATEGORICAL:
        found = f"the numeric column {name!r}" if name in kinds else f"{name!r}"
        categorical = ", ".join(key for key, kind in kinds.items() if kind is FeatureType.CATEGORICAL) or "none"
        raise BaselineError(
            f"segment_column must be a categorical feature, got {found}; choose one of those in the training data: "
            f"{categorical}"
        )


def _exact(table: Table) -> dict[str, ValueCounts]:
    return {spec.name: count(spec.type, table.columns[spec.name]) for spec in table.specs}


def _bounded(counts: ValueCounts, whole: ValueCounts) -> ValueCounts:
    """Return counts of some rows in the form that the counts of all rows, `whole`, have to take."""
    if len(whole.values) <= MOST_DISTINCT:
        return counts
    if isinstance(counts, NumericCounts):
        return bucketed(counts)
    # The most frequent labels; of equally frequent ones the first in order.
    kept = set(whole.values[np.argsort(-whole.counts, kind="stable")[: MOST_DISTINCT - 1]].tolist())
    known = np.array([label in kept for label in counts.values], dtype=bool)
    numbers = dict(zip(counts.values[known].tolist(), counts.counts[known].tolist(), strict=True))
    numbers[OTHER_LABELS] = int(counts.counts[~known].sum())
    labels = sorted(label for label, number in numbers.items() if number)
    return CategoricalCounts(
        np.array(labels, dtype=object), np.array([numbers[label] for label in labels], dtype=np.int64), counts.n_missing
    )
