"""Attribution: the labels or bins whose share of the present values moved most."""

import numpy as np

from contract.records import Part
from drift.statistics.cells import Cells

_MOST_PARTS = 5


def largest_moves(cells: Cells) -> tuple[Part, ...]:
    """Return up to five cells that moved most, the largest ``|q - p|`` first; equal moves in the cells' order.

    Raises
    ------
    ValueError
        If the cells have no labels.
    """
    if cells.labels is None:
        raise ValueError("the cells must have labels, got none")
    p, q = cells.shares
    # Whole numbers: equal moves are equal.
    moves = np.abs(cells.window * cells.n_reference - cells.reference * cells.n_window)
    order = np.argsort(-moves, kind="stable")[:_MOST_PARTS].tolist()
    return tuple(Part(str(cells.labels[i]), float(p[i]), float(q[i])) for i in order if moves[i])
