import numpy as np
import pytest

from plumbline.contract.records import Contributor
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.statistics.cells import Cells, top_contributors


def labels(*values: str) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def test_the_label_that_moved_most_comes_first_from_what_to_what() -> None:
    moved = top_contributors(Cells.between(labels(*"aaabbbbbcc"), labels(*"abbbbbcccc")))
    assert moved == (Contributor("a", 0.3, 0.1), Contributor("c", 0.2, 0.4))


def test_bins_are_named_in_words() -> None:
    hours = NumericCounts.of(np.array([40.0] * 70 + [60.0] * 30))
    moved = top_contributors(Cells.between(hours, NumericCounts.of(np.array([38.0] * 10 + [60.0] * 10))))
    assert [part.label for part in moved] == ["= 40", "< 40", "= 60"]


def test_at_most_five_are_named() -> None:
    assert len(top_contributors(Cells.between(labels(*"abcdefgh"), labels("z")))) == 5


def test_nothing_is_named_where_nothing_moved() -> None:
    assert top_contributors(Cells.between(labels("a", "b"), labels("a", "b", "a", "b"))) == ()


def test_cells_without_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="labels"):
        top_contributors(Cells(np.array([1, 2]), np.array([2, 1])))
