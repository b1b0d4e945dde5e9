"""Columns of more labels than are counted apart: ids, mostly."""

import numpy as np

from plumbline.drift.compare.features import compare
from plumbline.drift.data.counts import MAX_DISTINCT, OTHER_LABELS, CategoricalCounts
from plumbline.drift.statistics.cells import RARE, Cells


def counts(numbers: dict[str, int]) -> CategoricalCounts:
    labels = sorted(numbers)
    frequencies = np.array([numbers[label] for label in labels], dtype=np.int64)
    return CategoricalCounts(np.array(labels, dtype=object), frequencies, n_missing=0)


def found(cells: Cells) -> dict[str, tuple[int, int]]:
    assert cells.labels is not None
    pairs = zip(cells.reference.tolist(), cells.window.tolist(), strict=True)
    return dict(zip(cells.labels.tolist(), pairs, strict=True))


def test_ids_are_no_drift_because_the_reference_kept_some_of_its_own() -> None:
    ids = {f"id {number}": 1 for number in range(MAX_DISTINCT - 1)}
    reference, window = counts({**ids, OTHER_LABELS: 90_000}), counts({OTHER_LABELS: 150_000})
    assert found(Cells.between(reference, window)) == {OTHER_LABELS: (MAX_DISTINCT - 1 + 90_000, 150_000)}


def test_ids_are_no_drift_where_only_the_window_has_too_many() -> None:
    reference = counts({f"id {number}": 1 for number in range(1000)})
    assert found(Cells.between(reference, counts({"id 7": 1, OTHER_LABELS: 70_000}))) == {OTHER_LABELS: (1000, 70_001)}


def test_new_labels_beside_frequent_ones_stay_visible() -> None:
    reference = counts({"clerk": RARE, "cook": RARE - 1})
    window = counts({"clerk": 3, "cook": 5, OTHER_LABELS: 70_000})
    assert found(Cells.between(reference, window)) == {"clerk": (RARE, 3), OTHER_LABELS: (RARE - 1, 70_005)}


def test_which_labels_are_new_is_not_said_where_the_reference_kept_only_some() -> None:
    bounded = compare("id", counts({"clerk": 50, OTHER_LABELS: 50}), counts({"clerk": 20, "new": 80}))
    assert bounded.unseen_fraction is None
    assert str(*bounded.notes).startswith("the reference has more labels than are told apart")
    whole = compare("id", counts({"clerk": 100}), counts({"clerk": 20, OTHER_LABELS: 80}))
    assert (whole.unseen_fraction, whole.notes) == (0.8, ())


def test_rare_labels_stay_apart_where_all_are_counted() -> None:
    assert found(Cells.between(counts({"a": 1, "b": 2}), counts({"a": 4}))) == {"a": (1, 4), "b": (2, 0)}
