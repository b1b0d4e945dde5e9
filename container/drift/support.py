"""Whether a window's rows lie where the training data were: outside it no estimate without labels holds."""

import numpy as np
from numpy.typing import NDArray

from drift.counts import ValueCounts, missing, unknown
from drift.learned import Baseline
from drift.table import Table

MAXIMUM_OUTSIDE_FRACTION = 0.2
"""From this share of rows on, an estimate is refused: measured on Census Income, windows with 20 % and more of their
rows outside the reference's support were 3.4 points off on average, the others 0.8 to 1.7."""
NAMES_SHOWN = 3


def support_refusal(baseline: Baseline, table: Table) -> str:
    """Return why the rows are too strange for an estimate, or an empty text.

    A row is outside when at least one of its cells is a label that training never had, a number beyond training's
    range, or missing in a column that was never missing there.
    """
    if not table.n_rows:
        return ""
    outside = {
        spec.name: outside_reference(baseline.counts[spec.name], table.columns[spec.name])
        for spec in baseline.specs
        if spec.name in table.columns
    }
    share = float(np.mean(np.any(list(outside.values()), axis=0)))
    if share < MAXIMUM_OUTSIDE_FRACTION:
        return ""
    worst = sorted((name for name in outside if outside[name].any()), key=lambda name: -float(outside[name].mean()))
    names = ", ".join(worst[:NAMES_SHOWN]) + (" and others" if len(worst) > NAMES_SHOWN else "")
    return (
        f"{100 * share:.0f} % of the rows hold a value that the training data never had ({names}), "
        f"{100 * MAXIMUM_OUTSIDE_FRACTION:.0f} % or more: nothing is known of the model there"
    )


def outside_reference(reference: ValueCounts, column: NDArray[np.float64] | NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which cells of `column`, shape (n_rows,), the reference gives no ground for; same shape."""
    if not reference.n_present:
        return np.zeros(len(column), dtype=bool)
    strange = unknown(reference, column)
    return strange if reference.n_missing else strange | missing(column)
