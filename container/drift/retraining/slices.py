"""The parts of the holdout that the gate looks at apart, and how far identical rows repeat each other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from drift.errors import RetrainingError
from drift.retraining.gate import Slice
from drift.retraining.identity import RowKey
from drift.table import Table

MOST_VALUES = 50
"""Values of one column that are told apart, the most frequent ones; the others are one slice."""
MISSING, OTHERS = "(missing)", "(others)"
LabelledKey: TypeAlias = tuple[RowKey, str]


def slices_of(holdout: Table, columns: Sequence[str]) -> list[Slice]:
    """Return a slice for each value of each column, in the columns' order, the most frequent value first.

    Raises
    ------
    RetrainingError
        If a column is no feature.
    """
    unknown = [name for name in columns if name not in holdout.columns]
    if unknown:
        raise RetrainingError(
            f"slice columns must be features of the model, got {', '.join(unknown)}; correct retraining.slice_columns"
        )
    return [found for name in columns for found in _of_column(name, [*map(_text, holdout.columns[name].tolist())])]


def _of_column(name: str, texts: Sequence[str]) -> Iterator[Slice]:
    counts = sorted(Counter(texts).items(), key=lambda value: (-value[1], value[0]))
    told_apart = {text: text for text, _ in counts[:MOST_VALUES]}
    values = np.array([told_apart.get(text, OTHERS) for text in texts], dtype=object)
    for value in [*told_apart, *([OTHERS] if len(counts) > MOST_VALUES else [])]:
        yield Slice(f"{name}={value}", np.asarray(values == value, dtype=bool))


def _text(cell: float | str | None) -> str:
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN, which is no number
        return MISSING
    return f"{cell:.15g}" if isinstance(cell, float) else cell


def design_effect(holdout: Sequence[LabelledKey], test: Sequence[LabelledKey]) -> float:
    """Return how many of the holdout's rows say what one says, 1 or more.

    That is the mean multiplicity of a row among its equals, as the statistics of a window take it, divided by what
    chance makes of it: the share of equal pairs among the test set's rows, which are independent of each other, gives
    the multiplicity that so many independent rows have. In tables of a few categories that is a large number, and says
    nothing; requests that are sent again and again exceed it.
    """
    multiplicity = _multiplicity(holdout)
    equal_pairs = (_multiplicity(test) - 1) / (len(test) - 1) if len(test) > 1 else 0.0
    return max(multiplicity / (1 + (len(holdout) - 1) * equal_pairs), 1.0)


def _multiplicity(rows: Sequence[LabelledKey]) -> float:
    return sum(count**2 for count in Counter(rows).values()) / len(rows)
