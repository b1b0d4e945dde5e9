"""Columns of text, as a CSV file holds them -> typed columns. `plumbline baseline` and the training job share this."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from contract.records import FeatureType
from contract.training import MISSING_TEXTS, finite_number
from drift.table import FeatureSpec, Table
from drift.values import cell

_LOG = logging.getLogger(__name__)
_ROWS_AT_ONCE = 4096


def transpose(rows: Iterable[Sequence[str]], n_columns: int) -> list[list[str]]:
    """Return rows, which have `n_columns` fields each, as columns.

    Only the columns stay in memory, and of equal texts one.

    Raises
    ------
    ValueError
        If a row has another number of fields.
    """
    columns: list[list[str]] = [[] for _ in range(n_columns)]
    known: dict[str, str] = {}
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_AT_ONCE)):
        for column, texts in zip(columns, zip(*some, strict=True), strict=True):
            column += [known.setdefault(text, text) for text in texts]
    return columns


def infer(name: str, texts: Sequence[str]) -> FeatureSpec:
    """Return the column's type: numeric when every present value reads as a finite number, categorical otherwise.

    A column without any present value is categorical. The log names a column that a few values make categorical.
    """
    present = {text: number for text, number in Counter(texts).items() if text not in MISSING_TEXTS}
    others = {text: number for text, number in present.items() if finite_number(text) is None}
    if present and not others:
        return FeatureSpec(name, FeatureType.NUMERIC)
    n_others, n_present = sum(others.values()), sum(present.values())
    if n_others * 2 < n_present:
        _LOG.warning(
            "column %r is categorical: %d of its %d values are no finite numbers, for example %r; "
            "if that means missing, leave the cell empty",
            name, n_others, n_present, next(iter(others)),
        )  # fmt: skip
    return FeatureSpec(name, FeatureType.CATEGORICAL)


def infer_table(names: Sequence[str], columns: Sequence[Sequence[str]]) -> Table:
    """Return columns of text, one per name, as a table of the types inferred from them."""
    specs = tuple(infer(name, texts) for name, texts in zip(names, columns, strict=True))
    return Table(specs, {spec.name: typed(spec, texts) for spec, texts in zip(specs, columns, strict=True)})


def typed(spec: FeatureSpec, texts: Sequence[str]) -> NDArray[np.float64] | NDArray[np.object_]:
    """Return the column's cells, shape (n_rows,).

    Raises
    ------
    NotANumberError
        If the column is numeric and a text is neither missing nor a finite number; the error says which.
    """
    # Columns repeat themselves: each text is read once.
    read = {text: cell(spec.type, text) for text in dict.fromkeys(texts)}
    cells = [read[text] for text in texts]
    if spec.type is FeatureType.NUMERIC:
        return np.array(cells, dtype=np.float64)
    return np.array(cells, dtype=np.object_)
