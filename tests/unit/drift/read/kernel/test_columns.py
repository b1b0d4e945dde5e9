"""Which cells the reference gives no ground for, as the kernel sees them."""

import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import OTHER_LABELS, CategoricalCounts, NumericCounts, ValueCounts
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.data.table import FeatureSpec
from plumbline.drift.read.kernel.columns import ColumnReader


def numbers(*values: float, n_missing: int = 0) -> NumericCounts:
    return NumericCounts(np.array(values), np.ones(len(values), dtype=np.int64), n_missing)


def labels(*values: str, n_missing: int = 0) -> CategoricalCounts:
    return CategoricalCounts(np.array(values, dtype=object), np.ones(len(values), dtype=np.int64), n_missing)


@pytest.mark.parametrize(
    ("reference", "texts", "outside"),
    [
        (numbers(17.0, 90.0), ["17", "90.0", "16.99", "90.01", "?", "old"], [0, 0, 1, 1, 1, 1]),
        (numbers(17.0, 90.0, n_missing=1), ["?", "old", "nan", "inf"], [0, 1, 0, 1]),
        (bucketed(numbers(17.0, 90.0)), ["17", "90", "16.9", "90.2", "?"], [0, 0, 1, 1, 1]),
        (numbers(n_missing=3), ["17", "?", "old"], [0, 0, 0]),
        (labels("a", "b"), ["a", "c", "?"], [0, 1, 1]),
        (labels("a", "b", n_missing=1), ["a", "c", "?"], [0, 1, 0]),
        (labels("a", OTHER_LABELS), ["a", "c", "?"], [0, 0, 1]),
        (labels(n_missing=3), ["a", "?"], [0, 0]),
    ],
)
def test_a_cell_is_outside_where_the_reference_has_no_ground_for_it(
    reference: ValueCounts, texts: list[str], outside: list[int]
) -> None:
    kind = FeatureType.NUMERIC if isinstance(reference, NumericCounts) else FeatureType.CATEGORICAL
    assert ColumnReader(FeatureSpec("x", kind), reference).read(texts).outside.tolist() == [*map(bool, outside)]
