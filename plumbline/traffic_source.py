"""What a replay sends: the rows of each hour, and their labels where they are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from plumbline.rows import LabelledRows
from plumbline.scenarios import Scenario
from plumbline.traffic import LabelsOfHour, RowsOfHour

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Rows of an hour, and the labels that they deserve; None where those are not known."""

    rows: RowsOfHour
    labels: LabelsOfHour | None = None


def in_turn(items: Sequence[T]) -> Callable[[int, int], Sequence[T]]:
    """Return what gives the items in their order, hour after hour, and begins again at the end.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not items:
        raise ValueError("traffic must have at least one row to send, got none; give a CSV file with rows")

    def items_of_hour(hour: int, n: int) -> Sequence[T]:
        first = (hour - 1) * n
        return [items[position % len(items)] for position in range(first, first + n)]

    return items_of_hour


def drawn(scenario: Scenario, pool: LabelledRows, seed: int) -> Source:
    """Return the traffic of a scenario; the same seed draws the same rows."""

    # Two hours: the labels of one are asked for when the next one's rows are on their way.
    @lru_cache(maxsize=2)
    def draw(hour: int, n: int) -> LabelledRows:
        return scenario.rows(pool, hour, n, seed)

    return Source(
        lambda hour, n: draw(hour, n).rows,
        (lambda hour, n: draw(hour, n).labels) if scenario.labels_are_true else None,
    )
