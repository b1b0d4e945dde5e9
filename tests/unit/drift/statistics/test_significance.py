import itertools
import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.chi_square import chi_square, missing_chi_square
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from plumbline.drift.statistics.log_tails import log_kolmogorov_tail


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


def test_missing_fractions_need_readable_cells() -> None:
    with pytest.raises(ValueError, match="readable cells"):
        missing_chi_square(labels("a"), labels())


def test_small_expected_counts_are_dealt_out_instead() -> None:
    # Expected in the window: 100 * 6 / 300 = 2. One label of six rows, all in the window: C(294, 94) / C(300, 100).
    table = Cells(np.array([200, 0]), np.array([94, 6]))
    probability = math.comb(294, 94) / math.comb(300, 100)
    evidence = chi_square(table, seed=1)
    assert evidence.test == HypothesisTest.CHI_SQUARE_MONTE_CARLO
    # Of 9,999 deals 13 are expected to be as extreme.
    assert evidence.p_value == pytest.approx(probability, abs=0.001)
    assert evidence.p_value > 0


def test_a_dealt_p_value_stops_early_where_nothing_is_to_be_seen() -> None:
    # Two rows of a rare label, one on each side: every second deal is as extreme or more.
    evidence = chi_square(Cells(np.array([99, 1]), np.array([99, 1])), seed=1)
    assert (evidence.test, evidence.p_value) == (HypothesisTest.CHI_SQUARE_MONTE_CARLO, 1)


def test_equal_seeds_give_equal_p_values() -> None:
    table = Cells(np.array([300, 7, 2]), np.array([90, 4, 3]))
    assert chi_square(table, 5) == chi_square(table, 5)
    assert chi_square(table, 5) != chi_square(table, 6)


def test_a_new_category_on_a_twentieth_of_a_small_window_is_seen_among_forty_rare_ones() -> None:
    rare = [18_000, *([50] * 40)]
    reference = np.array([*rare, 0])
    window = np.array([170, *([1, 0] * 20), 10])
    evidence = chi_square(Cells(reference, window))
    # 18,170 rows are common, and 2,030 (window: 30) rare; no deal is as extreme, but pooled they show little.
    assert evidence.test == HypothesisTest.CHI_SQUARE_MONTE_CARLO
    assert evidence.p_value == pytest.approx(0.0001)


def test_where_no_deal_is_as_extreme_the_pooled_table_says_how_far_beyond_doubt() -> None:
    # The two rare labels together are expected 100 * 30 / 600 = 5 times in the window.
    table = Cells(np.array([410, 65, 15, 10]), np.array([10, 85, 2, 3]))
    pooled = np.array([[410, 65, 25], [10, 85, 5]])
    evidence = chi_square(table)
    assert evidence.test == HypothesisTest.CHI_SQUARE_POOLED
    assert evidence.p_value == pytest.approx(stats.chi2_contingency(pooled, correction=False).pvalue)
    unpooled = np.stack([table.reference, table.window])
    assert evidence.statistic == pytest.approx(stats.chi2_contingency(unpooled).statistic)


def test_the_rarest_of_many_labels_count_as_one() -> None:
    n = 5000
    evidence = chi_square(Cells(np.full(n, 20), np.full(n, 20)))
    assert evidence.test == HypothesisTest.CHI_SQUARE
    assert evidence.statistic == pytest.approx(0)
    # All the labels beyond 999 appear on one side only.
    shifted = Cells(np.array([30] * 999 + [20] * 4001), np.array([30] * 999 + [0] * 4001))
    assert chi_square(shifted).p_value < 1e-300


def test_a_chi_square_p_value_below_the_smallest_float_goes_on_in_logarithms() -> None:
    # Two degrees of freedom have the tail exp(-x / 2) exactly.
    evidence = chi_square(Cells(np.array([9000, 9000, 0]), np.array([0, 0, 9000])))
    assert evidence.p_value == 0
    assert evidence.log_p_value == pytest.approx(-evidence.statistic / 2)
    assert evidence.statistic == pytest.approx(27_000)


def divisions(pooled: np.ndarray, n_window: int) -> float:
    """Return the share of all divisions whose distance is at least that of the last `n_window` values."""

    def distance(chosen: tuple[int, ...]) -> float:
        inside = np.isin(np.arange(len(pooled)), chosen)
        return max(abs(float(np.mean(pooled[inside] <= x) - np.mean(pooled[~inside] <= x))) for x in pooled)

    n = len(pooled)
    observed = distance(tuple(range(n - n_window, n)))
    found = [distance(chosen) >= observed - 1e-12 for chosen in itertools.combinations(range(n), n_window)]
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_p_value_counts_all_divisions_of_tied_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    n_reference, n_window = int(random.integers(1, 8)), int(random.integers(1, 6))
    pooled = random.integers(0, 4, n_reference + n_window).astype(np.float64)
    evidence = kolmogorov_smirnov(numeric(pooled[:n_reference]), numeric(pooled[n_reference:]))
    assert evidence.test == HypothesisTest.KS_EXACT
    assert evidence.p_value == pytest.approx(divisions(pooled, n_window), abs=1e-12)


def test_ties_make_the_asymptotic_p_value_too_large() -> None:
    random = np.random.default_rng(3)
    reference, window = random.integers(0, 4, 5000), random.integers(0, 4, 500)
    evidence = kolmogorov_smirnov(numeric(reference), numeric(window))
    assert evidence.p_value < 0.7 * stats.ks_2samp(reference, window, method="asymp").pvalue


def test_kolmogorov_smirnov_of_disjoint_samples_by_hand() -> None:
    # One of the C(8, 4) = 70 orders puts all of one side first, one all of the other.
    evidence = kolmogorov_smirnov(numeric(np.arange(4)), numeric(np.arange(4, 8)))
    assert evidence.test == HypothesisTest.KS_EXACT
    assert evidence.statistic == 1
    assert evidence.p_value == pytest.approx(2 / 70)


def test_a_disjoint_pair_of_large_samples_has_a_p_value_in_logarithms() -> None:
    evidence = kolmogorov_smirnov(numeric(np.arange(2000)), numeric(np.arange(2000, 3000)))
    assert (evidence.statistic, evidence.p_value) == (1, 0)
    assert evidence.log_p_value == pytest.approx(math.log(2) - math.log(math.comb(3000, 1000)), rel=1e-9)


def test_the_largest_exact_test_of_scipy_has_its_p_value() -> None:
    random = np.random.default_rng(2)
    reference, window = random.normal(size=10_000), random.normal(0.02, size=9_999)
    evidence = kolmogorov_smirnov(numeric(reference), numeric(window))
    assert evidence.test == HypothesisTest.KS_EXACT
    assert evidence.p_value == pytest.approx(stats.ks_2samp(reference, window, method="exact").pvalue, abs=1e-9)


def test_many_distinct_values_are_tested_asymptotically_and_say_so() -> None:
    random = np.random.default_rng(1)
    reference, window = random.normal(size=60_000), random.normal(size=60_000)
    evidence = kolmogorov_smirnov(numeric(reference), numeric(window))
    assert evidence.test == HypothesisTest.KS_ASYMPTOTIC
    assert evidence.p_value == pytest.approx(stats.ks_2samp(reference, window, method="asymp").pvalue, abs=1e-9)


def test_a_small_window_is_tested_exactly_against_any_reference() -> None:
    random = np.random.default_rng(1)
    reference, window = random.normal(size=200_000), random.normal(size=200)
    evidence = kolmogorov_smirnov(numeric(reference), numeric(window))
    assert evidence.test == HypothesisTest.KS_EXACT
    # The reference is nearly the whole distribution: the limit of one sample is right to a thousandth.
    assert evidence.p_value == pytest.approx(stats.ks_2samp(reference, window, method="asymp").pvalue, abs=2e-3)


@pytest.mark.parametrize(
    ("n", "nearest", "error"),
    [(7, 2.01, 1e-9), (140, 2.01, 1e-9), (141, 0.01, 1e-5), (5000, 0.01, 1e-9), (3_000_000, 0.01, 1e-9)],
)
def test_the_asymptotic_tail_is_that_of_scipy(n: int, nearest: float, error: float) -> None:
    distances = np.linspace(nearest, min(5.0, 0.999 * math.sqrt(n)), 60) / math.sqrt(n)
    ours = [math.exp(log_kolmogorov_tail(n, distance)) for distance in distances]
    assert ours == pytest.approx(stats.kstwo.sf(distances, n), abs=error)


def test_a_strong_shift_keeps_its_rank_below_the_smallest_float() -> None:
    reference = np.arange(20_000.0)
    less, more = (kolmogorov_smirnov(numeric(reference), numeric(reference + shift)) for shift in (10_000, 11_000))
    assert (less.p_value, more.p_value) == (0, 0)
    assert more.log_p_value < less.log_p_value < -700


def test_a_window_of_ten_million_rows_takes_the_memory_of_its_distinct_values() -> None:
    values = np.arange(50.0)
    reference = NumericCounts(values, np.full(50, 600, dtype=np.int64), 0)
    window = NumericCounts(values, np.full(50, 200_000, dtype=np.int64), 0)
    tracemalloc.start()
    evidence = kolmogorov_smirnov(reference, window)
    Cells.between(reference, window)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (evidence.statistic, evidence.p_value) == (0, 1)
    assert peak < 10_000_000


def test_an_extreme_pair_of_sizes_gives_a_probability() -> None:
    for n_reference, n_window in ((1, 1), (1, 9_999), (9_973, 7), (3, 40_000)):
        evidence = kolmogorov_smirnov(numeric(np.arange(n_reference)), numeric(np.full(n_window, 0.5)))
        assert 0 < evidence.p_value <= 1


def test_kolmogorov_smirnov_refuses_a_side_without_values() -> None:
    with pytest.raises(ValueError, match="present value"):
        kolmogorov_smirnov(numeric(np.array([1.0])), numeric(np.array([np.nan])))
