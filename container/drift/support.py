"""Whether a window's rows lie where the training data were: outside it no estimate without labels holds."""

from collections.abc import Mapping

from drift.counts import ValueCounts, unknown
from drift.learned import Baseline

MAXIMUM_OUTSIDE_FRACTION = 0.2
"""From this share of rows on, an estimate is refused: measured on Census Income, windows with 20 % and more of their
rows outside the reference's support were 3.4 points off on average, the others 0.8 to 1.7."""
NAMES_SHOWN = 3


def support_refusal(
    baseline: Baseline,
    columns: Mapping[str, ValueCounts],
    n_outside: int,
    n_rows: int,
    most: float = MAXIMUM_OUTSIDE_FRACTION,
) -> str:
    """Return why the rows are too strange for an estimate, or an empty text.

    A row is outside when at least one of its cells is a label that training never had, a number beyond training's
    range, unreadable, or missing in a column that was never missing there.

    Parameters
    ----------
    columns
        The window's value counts.
    n_outside
        How many of the window's `n_rows` rows are outside.
    most
        Share of the rows from which on they are too strange.
    """
    share = n_outside / n_rows if n_rows else 0.0
    if share < most:
        return ""
    outside = {name: cells_outside(baseline.counts[name], column) for name, column in columns.items()}
    worst = sorted((name for name in outside if outside[name]), key=lambda name: -outside[name])
    names = ", ".join(worst[:NAMES_SHOWN]) + (" and others" if len(worst) > NAMES_SHOWN else "")
    return (
        f"{100 * share:.0f} % of the rows hold a value that the training data never had ({names}), "
        f"{100 * most:.0f} % or more: nothing is known of the model there"
    )


def cells_outside(reference: ValueCounts, window: ValueCounts) -> int:
    """Return how many cells of the window's column the reference gives no ground for."""
    if not reference.n_present:
        return 0
    strange = int(window.counts[unknown(reference, window.values)].sum()) + window.n_unreadable
    return strange if reference.n_missing else strange + window.n_missing
