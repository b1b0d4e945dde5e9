"""Labels changed after the draw: concept shift, in which the rows stay as they were."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.training import MISSING_TEXTS
from plumbline.data.rows import LabelledRows


@dataclass(frozen=True)
class Swap:
    """The rows of one category with a number of `least` or more get the other label, from `first_hour` on."""

    first_hour: int
    feature: str
    category: str
    number: str
    least: float

    def apply(self, rows: LabelledRows, hour: int, classes: tuple[str, ...]) -> LabelledRows:
        """Return the same rows with their labels of this hour.

        Parameters
        ----------
        classes
            Both labels of the population: a draw may hold one of them only.

        Raises
        ------
        ValueError
            If there are not two classes, or a column is absent.
        """
        if hour < self.first_hour:
            return rows
        if len(classes) != 2:
            raise ValueError(
                f"labels must be of two classes to be swapped, got {len(classes)}; choose another scenario"
            )
        other = dict(zip(classes, reversed(classes), strict=True))
        swapped = (
            other[label] if is_hit else label for label, is_hit in zip(rows.labels, self.hits(rows), strict=True)
        )
        return LabelledRows(rows.header, rows.rows, tuple(swapped))

    def hits(self, rows: LabelledRows) -> NDArray[np.bool_]:
        """Return which rows are concerned, shape (n_rows,); a missing number is none."""
        numbers = [None if cell in MISSING_TEXTS else float(cell) for cell in rows.column(self.number)]
        return np.array(
            [
                cell == self.category and number is not None and number >= self.least
                for cell, number in zip(rows.column(self.feature), numbers, strict=True)
            ],
            dtype=bool,
        )
