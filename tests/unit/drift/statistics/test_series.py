import numpy as np
import pytest

from plumbline.drift.data.counts import OTHER_LABELS, CategoricalCounts, NumericCounts
from plumbline.drift.data.sketch import bucketed
from plumbline.drift.statistics.series import MAX_LABELS, means_of, series_of


def labels(*texts: str | None) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(texts, dtype=object))


def test_ranks_of_the_reference_are_in_the_middle_whatever_its_values_are() -> None:
    random = np.random.default_rng(0)
    for values in (random.normal(size=101), random.integers(0, 3, 100).astype(float), np.array([1e300, -np.inf, 5.0])):
        location = series_of(NumericCounts.of(values))[0]
        assert location.mean == pytest.approx(0.5)


def test_the_deviation_of_continuous_ranks_is_that_of_a_uniform_variable() -> None:
    location, spread, _ = series_of(NumericCounts.of(np.arange(10_000.0)))
    assert location.deviation == pytest.approx(1 / np.sqrt(12), abs=1e-4)
    assert (spread.mean, spread.deviation) == pytest.approx((0.5, 1 / np.sqrt(12)), abs=1e-4)


def test_means_of_numbers() -> None:
    reference = NumericCounts.of(np.array([1.0, 2.0, 3.0, 4.0, np.nan]))
    found = means_of(reference, NumericCounts.of(np.array([4.0, 9.0, np.nan, np.nan])), series_of(reference))
    assert [one.n_rows for one in found] == [2, 2, 4]
    # 4 has 3.5 of 4 below it, 9 all; the distances from the middle are twice those less 1.
    assert [one.mean for one in found] == pytest.approx([(0.875 + 1) / 2, (0.75 + 1) / 2, 0.5])


def test_means_of_labels_with_those_that_the_reference_never_had() -> None:
    reference = labels("a", "a", "a", "b", None)
    series = series_of(reference)
    assert [one.name for one in series] == ["label a", "label b", "unseen", "missing"]
    assert [one.mean for one in series] == pytest.approx([0.75, 0.25, 0.0, 0.2])
    found = means_of(reference, labels("a", "c", "c", "b"), series)
    assert [one.mean for one in found] == pytest.approx([0.25, 0.25, 0.5, 0.0])


def test_only_the_most_frequent_labels_are_followed_and_the_rest_of_many_is_not_unseen() -> None:
    many = labels(*(str(n) for n in range(20) for _ in range(n + 1)))
    assert [one.label for one in series_of(many)[:MAX_LABELS]] == [str(n) for n in range(19, 19 - MAX_LABELS, -1)]
    assert [one.name for one in series_of(labels("a", OTHER_LABELS, OTHER_LABELS))] == ["label a", "missing"]


def test_a_window_without_a_value_rests_on_no_row() -> None:
    reference = NumericCounts.of(np.array([1.0, 2.0]))
    assert [one.n_rows for one in means_of(reference, NumericCounts.of(np.array([np.nan])), series_of(reference))] == [
        0,
        0,
        1,
    ]


def test_of_a_reference_without_values_nothing_is_followed() -> None:
    assert series_of(NumericCounts.of(np.array([np.nan]))) == ()
    assert series_of(labels(None)) == ()


def test_buckets_on_one_side_do_not_move_ranks() -> None:
    values = 1000 + np.arange(0.0, 50.0, 0.01)
    reference, window = bucketed(NumericCounts.of(values)), NumericCounts.of(values)
    for pair in ((reference, window), (window, reference)):
        assert means_of(*pair, series_of(pair[0]))[0].mean == pytest.approx(0.5)
