"""Cells changed after the draw: traffic whose labels no longer belong to it."""

from dataclasses import dataclass

import numpy as np

from plumbline.contract.training import MISSING_TEXTS
from plumbline.data.resampling import progress
from plumbline.data.rows import LabelledRows


@dataclass(frozen=True)
class Overwrite:
    """One feature whose cells are replaced, from `first_hour` on and completely by `full_hour`.

    With `values`, a growing fraction of the rows (up to `fraction`) gets one of them. Without, every number is
    moved by `shift` and scattered by a normal error of standard deviation `spread`, within `bounds`.
    """

    feature: str
    first_hour: int
    full_hour: int
    values: tuple[str, ...] = ()
    fraction: float = 1.0
    shift: float = 0.0
    spread: float = 0.0
    bounds: tuple[int, int] = (0, 0)

    def apply(self, rows: LabelledRows, hour: int, rng: np.random.Generator) -> LabelledRows:
        """Return the rows with this feature's cells changed; missing numbers stay missing."""
        part = progress(hour, self.first_hour, self.full_hour)
        if part == 0:
            return rows
        cells = rows.column(self.feature)
        changed = self._replaced(cells, part, rng) if self.values else self._moved(cells, part, rng)
        return rows.with_column(self.feature, changed)

    def _replaced(self, cells: tuple[str, ...], part: float, rng: np.random.Generator) -> list[str]:
        hit = rng.random(len(cells)) < part * self.fraction
        new = rng.integers(len(self.values), size=len(cells))
        return [self.values[choice] if is_hit else cell for cell, is_hit, choice in zip(cells, hit, new, strict=True)]

    def _moved(self, cells: tuple[str, ...], part: float, rng: np.random.Generator) -> list[str]:
        errors = part * (self.shift + self.spread * rng.standard_normal(len(cells)))
        return [
            cell if cell in MISSING_TEXTS else str(int(np.clip(round(float(cell) + error), *self.bounds)))
            for cell, error in zip(cells, errors, strict=True)
        ]
