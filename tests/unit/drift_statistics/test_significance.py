import time

import numpy as np
import pytest
from drift.counts import CategoricalCounts, NumericCounts
from drift.statistics.cells import Cells
from drift.statistics.chi_square import chi_square, missing_chi_square
from drift.statistics.kolmogorov_smirnov import ASYMPTOTIC, EXACT, kolmogorov_smirnov


def numeric(values: np.ndarray) -> NumericCounts:
    return NumericCounts.of(np.asarray(values, dtype=np.float64))


def labels(*values: str | None) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def test_chi_square_of_a_two_by_two_table_by_hand() -> None:
    # Expected cells are all 15: 4 * 5**2 / 15 = 6.6667; P(chi2 with 1 degree > 6.6667) = .0098.
    evidence = chi_square(Cells(np.array([10, 20]), np.array([20, 10])))
    assert evidence.test == "chi2_homogeneity"
    assert evidence.statistic == pytest.approx(20 / 3)
    assert evidence.p_value == pytest.approx(0.009823, abs=1e-6)


def test_a_single_common_label_shows_nothing() -> None:
    evidence = chi_square(Cells(np.array([10]), np.array([3])))
    assert (evidence.statistic, evidence.p_value) == (0, 1)


def test_a_window_that_collapsed_to_one_label_is_significant() -> None:
    evidence = chi_square(Cells.between(labels(*"ab" * 200), labels(*"a" * 100)))
    assert evidence.p_value < 1e-15


def test_missing_cells_are_tested_apart_from_the_labels() -> None:
    reference, window = labels(*"ab" * 50), labels(*"ab" * 25, *([None] * 50))
    assert chi_square(Cells.between(reference, window)).p_value == 1
    assert missing_chi_square(reference, window).p_value < 1e-12


def test_nothing_missing_on_either_side_shows_nothing() -> None:
    assert missing_chi_square(labels("a"), labels("a")).p_value == 1


def test_everything_missing_on_both_sides_shows_nothing() -> None:
    assert missing_chi_square(labels(None, None), labels(None)).p_value == 1


def test_missing_fractions_need_rows() -> None:
    with pytest.raises(ValueError, match="rows"):
        missing_chi_square(labels("a"), labels())


def test_kolmogorov_smirnov_of_disjoint_samples_by_hand() -> None:
    # One of the C(8, 4) = 70 orders puts all of one side first, one all of the other.
    evidence = kolmogorov_smirnov(numeric(np.arange(4)), numeric(np.arange(4, 8)))
    assert evidence.test == EXACT
    assert evidence.statistic == 1
    assert evidence.p_value == pytest.approx(2 / 70)


def test_large_samples_are_tested_asymptotically_and_say_so() -> None:
    random = np.random.default_rng(1)
    evidence = kolmogorov_smirnov(numeric(random.normal(size=10_001)), numeric(random.normal(size=50)))
    assert evidence.test == ASYMPTOTIC
    assert 0 <= evidence.p_value <= 1


def test_the_largest_exact_test_neither_hangs_nor_warns() -> None:
    random = np.random.default_rng(2)
    started = time.perf_counter()
    evidence = kolmogorov_smirnov(numeric(random.normal(size=10_000)), numeric(random.normal(2, size=9_999)))
    assert evidence.p_value == 0
    assert time.perf_counter() - started < 10


def test_an_extreme_pair_of_sizes_gives_a_probability() -> None:
    for n_reference, n_window in ((1, 1), (1, 9_999), (9_973, 7), (3, 40_000)):
        evidence = kolmogorov_smirnov(numeric(np.arange(n_reference)), numeric(np.full(n_window, 0.5)))
        assert 0 <= evidence.p_value <= 1


def test_kolmogorov_smirnov_refuses_a_side_without_values() -> None:
    with pytest.raises(ValueError, match="present value"):
        kolmogorov_smirnov(numeric(np.array([1.0])), numeric(np.array([np.nan])))
