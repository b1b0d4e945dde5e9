"""Windows as they would be without drift: the pooled rows dealt out anew."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from drift.statistics.cells import Cells

_MOST_ROWS = 1_000_000_000
"""numpy's own limit of the multivariate hypergeometric distribution."""
_FIRST_BATCH = 200
_NUMBERS_AT_ONCE = 500_000
"""Bound of memory: 4 MB for each array of a batch."""


def can_deal(cells: Cells) -> bool:
    """Return whether there are few enough rows for `deals`."""
    return cells.n_reference + cells.n_window < _MOST_ROWS


def deals(cells: Cells, n_deals: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield window counts of `n_deals` random divisions of the pooled rows, in batches of shape (n, n_cells).

    The batches grow, so that who has seen enough has not waited for many more.

    Null: reference and window are one population, dealt out at random; the pooled count of each cell stays.
    Equal arguments give equal batches.
    """
    random = np.random.default_rng(seed)
    most = max(1, _NUMBERS_AT_ONCE // len(cells.pooled))
    n_left, batch = n_deals, _FIRST_BATCH
    while n_left:
        size = min(batch, most, n_left)
        yield random.multivariate_hypergeometric(cells.pooled, cells.n_window, size=size, method="marginals")
        n_left, batch = n_left - size, 2 * batch
