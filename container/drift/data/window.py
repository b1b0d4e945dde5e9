"""One window as the statistics need it: counts, and a bounded sample of its rows. Nothing grows with the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from plumbline.contract.reasons import Reason
from plumbline.contract.records import AnswerCounts, RecordCounts, VariantRole, WindowBounds
from plumbline.drift.data.counts import NumericCounts, ValueCounts
from plumbline.drift.data.table import Table


class SegmentKind(StrEnum):
    """What divides a window into segments."""

    VARIANT = "variant"
    """The production variant that answered."""
    COLUMN = "column"
    """The value of one categorical column."""


@dataclass(frozen=True, order=True)
class Segment:
    """One part of a window: the rows of one variant, or those with one value in the segment column."""

    kind: SegmentKind
    value: str


@dataclass(frozen=True)
class VariantRows:
    """One of several variants that answered in a window."""

    name: str
    n_rows: int
    role: VariantRole


@dataclass(frozen=True, eq=False)
class SegmentCounts:
    """Value counts of one segment's rows; `columns` has one entry per feature."""

    n_rows: int
    columns: Mapping[str, ValueCounts]
    probabilities: NumericCounts


@dataclass(frozen=True, eq=False)
class RowSample:
    """Whole rows for what counts cannot show: a bounded sample, the same for the same records in any order.

    `probabilities` has shape (n_rows,), NaN where no prediction was captured.
    """

    table: Table
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowCounts:
    """Everything that is known of one window.

    `columns` has one entry per feature of the baseline, and `probabilities` counts a row without a captured
    prediction as missing; `answers` counts the answers that could not be read, and `no_predictions` is why none counts
    (None: those that could be read do). `n_out_of_support` is the number of rows with at least one cell that the
    reference gives no ground for (`drift.projection.refusals`). `design_effect` (Kish) is the sum of the squared
    multiplicities of identical rows divided by `n_rows`: 1 when all rows differ, m when each occurs m times.
    `unreadable_examples` has the places of the first unreadable cells, by feature and reason.
    `facets` counts the probabilities apart by the values of the facet's column, where one is named; missing values are
    no group. Of a target with more than two classes `probabilities` are those of the predicted labels, and `classes`
    counts them apart by predicted label. `variants` has the variants that answered where there are several, the one
    that leads first.
    """

    bounds: WindowBounds
    records: RecordCounts
    n_rows: int
    columns: Mapping[str, ValueCounts]
    probabilities: NumericCounts
    n_out_of_support: int
    design_effect: float
    sample: RowSample
    answers: AnswerCounts = AnswerCounts()
    no_predictions: Reason | None = None
    segments: Mapping[Segment, SegmentCounts] = field(default_factory=dict)
    unreadable_examples: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    facets: Mapping[str, NumericCounts] = field(default_factory=dict)
    classes: Mapping[str, NumericCounts] = field(default_factory=dict)
    variants: tuple[VariantRows, ...] = ()

    def without_predictions(self, why: Reason) -> "WindowCounts":
        """Return the window as if no prediction had been captured."""
        return replace(
            self,
            no_predictions=why,
            probabilities=_not_predicted(self.probabilities),
            sample=replace(self.sample, probabilities=np.full(len(self.sample.probabilities), np.nan)),
            segments={
                segment: replace(part, probabilities=_not_predicted(part.probabilities))
                for segment, part in self.segments.items()
            },
            facets={value: _not_predicted(counts) for value, counts in self.facets.items()},
            classes={},
        )


def _not_predicted(counts: NumericCounts) -> NumericCounts:
    return NumericCounts(np.zeros(0), np.zeros(0, dtype=np.int64), counts.n_rows)
