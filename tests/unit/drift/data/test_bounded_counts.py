import numpy as np
import pytest

from plumbline.contract.records import FeatureType
from plumbline.drift.data.counts import OTHER_LABELS, CategoricalCounts, NumericCounts, unknown
from plumbline.drift.data.table import FeatureSpec, Table
from plumbline.drift.read.kernel.partial_counts import LabelTally
from plumbline.drift.reference.learn import count_segments, count_table

SPECS = (FeatureSpec("x", FeatureType.NUMERIC), FeatureSpec("id", FeatureType.CATEGORICAL))


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plumbline.drift.reference.learn.MAX_DISTINCT", 10)


def table(n_distinct: int) -> Table:
    numbers = np.repeat(np.arange(1.0, n_distinct + 1), 2)
    labels = np.array([f"id {n:03}" for n in range(n_distinct) for _ in range(2)] + ["id 000"] * 3, dtype=object)
    return Table(SPECS, {"x": np.append(numbers, [np.nan] * 3), "id": labels})


def test_counts_are_exact_up_to_the_bound() -> None:
    counts = count_table(table(10))
    assert counts["x"].values.tolist() == [float(n) for n in range(1, 11)]
    assert isinstance(counts["x"], NumericCounts) and counts["x"].relative_error is None
    assert len(counts["id"].values) == 10


def test_numbers_beyond_the_bound_are_counted_in_buckets() -> None:
    counts = count_table(table(11))["x"]
    assert isinstance(counts, NumericCounts) and counts.relative_error == 0.001
    np.testing.assert_allclose(counts.values, np.arange(1.0, 12), rtol=0.001 + 1e-12)
    assert (counts.n_present, counts.n_missing) == (22, 3)


def test_of_labels_beyond_the_bound_the_most_frequent_are_told_apart() -> None:
    counts = count_table(table(12))["id"]
    assert isinstance(counts, CategoricalCounts)
    found = dict(zip(counts.values.tolist(), counts.counts.tolist(), strict=True))
    # "id 000" occurs 5 times; of the eleven that occur twice the first eight are kept, the last three are together.
    assert found == {"id 000": 5, **{f"id {n:03}": 2 for n in range(1, 9)}, OTHER_LABELS: 6}
    assert counts.values.tolist() == sorted(found)


def test_a_reference_with_more_labels_than_it_keeps_finds_none_unknown() -> None:
    counts = count_table(table(12))["id"]
    assert not unknown(counts, np.array(["never seen"], dtype=object)).any()


def test_segments_have_the_form_of_the_whole() -> None:
    rows = table(12)
    half = np.array(["a", "b"] * 13 + ["a"], dtype=object)
    specs = (*SPECS, FeatureSpec("half", FeatureType.CATEGORICAL))
    segments = count_segments(Table(specs, {**rows.columns, "half": half}), "half")
    assert list(segments) == ["a", "b"]
    assert [counts["x"].n_rows for counts in segments.values()] == [14, 13]
    for counts in segments.values():
        assert isinstance(counts["x"], NumericCounts) and counts["x"].relative_error == 0.001
        assert OTHER_LABELS in counts["id"].values
    assert sum(counts["id"].n_present for counts in segments.values()) == 27


def test_a_window_counts_what_such_a_reference_never_had_among_its_others() -> None:
    window = LabelTally(frozenset(count_table(table(12))["id"].values.tolist()))
    window.add({"id 000": 1, "id 011": 2, "never seen": 3})
    assert window.counts == {"id 000": 1, OTHER_LABELS: 5}
