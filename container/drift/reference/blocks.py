"""Rows that come in blocks, such as those of one client or one day: how alike they are, and how much less they tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.statistics import FeatureType
from plumbline.drift.data.counts import OTHER_LABELS, ValueCounts, missing

MIN_BLOCKS = 10
"""With fewer, how alike rows of one block are is hardly known."""
_QUARTILES = (0.25, 0.5, 0.75)
LABELS = "label"
"""Name of the correlation of labels within blocks, given what is expected of their rows."""


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """What is known of the blocks that the column `column` names.

    `size` is the number of rows that the block of a row has, in the mean over rows (the sum of the squared sizes by
    their sum), and `correlations` the correlation of two rows of one block, 0 to 1, by feature; the prediction is under
    `plumbline.contract.training.PROBABILITY_COLUMN`, and labels are under `LABELS`. One that is not known is absent.
    """

    column: str
    size: float
    correlations: Mapping[str, float] = field(default_factory=dict)

    def design_effect(self, name: str, n_rows: int, size: float | None = None) -> float:
        """Return how many rows tell as much as one independent row would: ``1 + (size - 1) * correlation``.

        Parameters
        ----------
        n_rows
            Rows of the sample; no block has more.
        size
            Size of its blocks; None: as they were when the baseline was learned.

        References
        ----------
        L. Kish, "Survey Sampling" (1965), section 5.4.

        Examples
        --------
        >>> Blocks(column="day", size=101, correlations={"age": 0.2}).design_effect("age", 2_000)
        21.0
        """
        own = min(self.size if size is None else size, float(n_rows))
        return 1 + max(own - 1, 0.0) * self.correlations.get(name, 0.0)


def size_of(counts: ValueCounts | None) -> float | None:
    """Return the mean size of the blocks whose names were counted; None where the names were not kept."""
    if counts is None or not counts.n_present or OTHER_LABELS in counts.values:
        return None
    return float((counts.counts.astype(np.float64) ** 2).sum() + counts.n_missing) / (
        counts.n_present + counts.n_missing
    )


def block_numbers(names: Sequence[str]) -> NDArray[np.intp]:
    """Return a number per row, equal for rows of one block; a row without a name is a block by itself."""
    known: dict[object, int] = {}
    keys = (name.strip() or row for row, name in enumerate(names))
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.intp)


def mean_size(numbers: NDArray[np.intp]) -> float:
    """Return the size of a row's block in the mean over rows, from the numbers of their blocks."""
    sizes = np.bincount(numbers).astype(np.float64)
    return float((sizes**2).sum() / sizes.sum())


def column_correlation(kind: FeatureType, column: NDArray[Any], numbers: NDArray[np.intp]) -> float:
    """Return how alike the cells of one block are, 0 (not at all) to 1 (equal).

    Of a numeric column it is the largest correlation of being at most a quartile; of a categorical one the mean over
    its labels, each weighted with what it adds to a chi-square statistic (Rao and Scott). Being missing is one more.

    References
    ----------
    J. Rao, A. Scott, "The analysis of categorical data from complex sample surveys" (1981).
    """
    absent = missing(column)
    found = [correlation(absent.astype(np.float64), numbers)] if absent.any() else [0.0]
    cells, own = column[~absent], numbers[~absent]
    if not len(cells):
        return found[0]
    if kind is FeatureType.NUMERIC:
        edges = np.unique(np.quantile(cells.astype(np.float64), _QUARTILES))
        found += [correlation((cells.astype(np.float64) <= edge).astype(np.float64), own) for edge in edges]
        return max(found)
    labels, counts = np.unique(cells, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:_MAX_LABELS]
    by_label = [correlation((cells == labels[place]).astype(np.float64), own) for place in frequent]
    weights = 1 - counts[frequent] / len(cells)
    mean = float(np.average(by_label, weights=weights)) if weights.sum() else 0.0
    return max(*found, mean)


_MAX_LABELS = 30


def correlation(values: NDArray[np.float64], numbers: NDArray[np.intp]) -> float:
    """Return the intraclass correlation of numbers in blocks, by analysis of variance; 0 where chance makes it less.

    References
    ----------
    A. Donner, "A review of inference procedures for the intraclass correlation coefficient in the one-way random
    effects model" (1986), section 2.

    Examples
    --------
    >>> correlation(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    _, places = np.unique(numbers, return_inverse=True)
    sizes = np.bincount(places).astype(np.float64)
    n_rows, n_blocks = float(sizes.sum()), len(sizes)
    if n_blocks < 2 or n_rows <= n_blocks:
        return 0.0
    means = np.bincount(places, values) / sizes
    between = float(sizes @ (means - values.mean()) ** 2) / (n_blocks - 1)
    within = float(((values - means[places]) ** 2).sum()) / (n_rows - n_blocks)
    typical = (n_rows - float((sizes**2).sum()) / n_rows) / (n_blocks - 1)
    total = between + (typical - 1) * within
    return min(max((between - within) / total, 0.0), 1.0) if total > 0 else 0.0
