import math

import numpy as np
import pytest

from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.drift_score import drift_score
from plumbline.drift.statistics.jensen_shannon import jensen_shannon_distance, null_quantile
from plumbline.drift.statistics.wasserstein import wasserstein


def cells(reference: list[int], window: list[int]) -> Cells:
    return Cells(np.array(reference), np.array(window))


def labels(*values: str) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(values, dtype=object))


def numeric(*values: float) -> NumericCounts:
    return NumericCounts.of(np.array(values))


def test_equal_frequencies_have_no_distance_whatever_the_sizes() -> None:
    same = cells([10, 30], [1, 3])
    assert drift_score(same) == 0
    assert jensen_shannon_distance(same) == 0


def test_nothing_in_common_is_the_worst_score() -> None:
    apart = cells([5, 0], [0, 7])
    assert drift_score(apart) == 200
    assert jensen_shannon_distance(apart) == 1


def test_a_wholly_replaced_category_scores_200() -> None:
    assert drift_score(Cells.between(labels("a", "a"), labels("b", "b", "b"))) == 200


def test_a_new_category_on_a_tenth_of_the_rows_counts_in_full() -> None:
    # |1 - .9| + |0 - .1| = .2
    assert drift_score(Cells.between(labels("a"), labels(*["a"] * 9, "b"))) == pytest.approx(20)


def test_numbers_beyond_the_reference_range_count_in_the_outer_bin() -> None:
    reference = NumericCounts.of(np.arange(1000.0))
    # Beyond the maximum only the last bin is hit, which holds a tenth of the reference: 90 + 90 percent.
    assert drift_score(Cells.between(reference, numeric(5000.0))) == pytest.approx(180)


def test_a_move_away_from_an_atom_at_zero_is_seen() -> None:
    # Capital gain: a share of 8 % above zero grows to 60 %, a difference of .52 on both cells.
    reference = numeric(*([0.0] * 92), *np.linspace(1000, 9000, 8))
    window = numeric(*([0.0] * 40), *np.linspace(1000, 9000, 60))
    assert drift_score(Cells.between(reference, window)) == pytest.approx(104)


def test_hours_that_move_off_forty_are_seen() -> None:
    hours = [*([40.0] * 470), *np.linspace(20, 39, 240), *np.linspace(41, 60, 290)]
    moved = [38.0 if value == 40 else value for value in hours]
    # 47 % leaves the cell {40} and lands in one to its left.
    assert drift_score(Cells.between(numeric(*hours), numeric(*moved))) == pytest.approx(94)


def test_jensen_shannon_has_its_closed_form_on_two_cells() -> None:
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): half of log2(4/3) and of log2(2/3)/2 + log2(2)/2.
    divergence = 0.5 * math.log2(4 / 3) + 0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
    assert jensen_shannon_distance(cells([4, 0], [3, 3])) == pytest.approx(math.sqrt(divergence), abs=1e-12)


COUNTRIES = [29170, 643, 583, 198, 137, 121, 114, 106, 100, 95, 90, 81, 80, 75, 73, 70, 67, 64, 62, 60, 59, 51, 44, 43]
COUNTRIES += [37, 34, 31, 29, 29, 28, 24, 20, 19, 19, 18, 18, 16, 14, 13, 13, 12, 1]
"""Rows of each native country in the census data, the rarest as often as they come."""


@pytest.mark.parametrize(("n_window", "expected"), [(500, 0.155), (2000, 0.086), (10_000, 0.043)])
def test_the_null_quantile_is_that_of_the_accuracy_study(n_window: int, expected: float) -> None:
    # Measured there on this column without drift, 150 windows against 20,000 reference rows.
    shares = np.array(COUNTRIES) / sum(COUNTRIES)
    random = np.random.default_rng(4)
    drawn = Cells(random.multinomial(20_000, shares) + 1, random.multinomial(n_window, shares))
    assert null_quantile(drawn) == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("n_window", [200, 2000])
def test_the_null_quantile_holds_where_labels_are_rare(n_window: int) -> None:
    # The chi-square approximation is exceeded in 0 and in 5 windows of a hundred here.
    shares = np.array(COUNTRIES) / sum(COUNTRIES)
    random = np.random.default_rng(5)
    above = 0
    for seed in range(120):
        p, q = random.multinomial(20_000, shares), random.multinomial(n_window, shares)
        drawn = Cells(p[p + q > 0], q[p + q > 0])
        above += jensen_shannon_distance(drawn) > null_quantile(drawn, seed)
    # Binomial(120, .01) exceeds 6 in 2 runs of 10,000; the seeds are fixed.
    assert above <= 6


def test_the_null_quantile_of_a_column_of_identifiers_is_not_below_what_chance_reaches() -> None:
    # Every value once: divisions of the pooled rows have a distance of 1, all of them.
    once = np.repeat([1, 0], 3000)
    assert null_quantile(Cells(once, 1 - once)) == pytest.approx(1)


def test_equal_seeds_give_equal_null_quantiles() -> None:
    rare = cells([50, 3, 1], [10, 0, 2])
    assert null_quantile(rare, 7) == null_quantile(rare, 7)


def test_the_null_quantile_holds_by_simulation() -> None:
    random = np.random.default_rng(5)
    shares = np.full(10, 0.1)
    reference, window = random.multinomial(4000, shares, 2000), random.multinomial(800, shares, 2000)
    above = sum(
        jensen_shannon_distance(Cells(p, q)) > null_quantile(Cells(p, q))
        for p, q in zip(reference, window, strict=True)
    )
    # Binomial(2000, .01) stays within 5 and 40 but for 1 run in 10,000.
    assert 5 <= above <= 40


def test_a_single_cell_has_no_chance_distance() -> None:
    assert null_quantile(cells([5], [2])) == 0


def test_wasserstein_of_a_shift_is_the_shift_in_standard_deviations() -> None:
    # Standard deviation of 0, 0, 2, 2 is 1.
    assert wasserstein(numeric(0, 0, 2, 2), numeric(3, 3, 5, 5)) == pytest.approx(3)


def test_wasserstein_leaves_missing_values_out() -> None:
    assert wasserstein(numeric(0, 2, np.nan), numeric(np.nan, 0, 2)) == 0


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1.0, 1e150, 1e308])
def test_wasserstein_does_not_depend_on_the_unit(size: float) -> None:
    reference, window = np.array([-1.0, 0.25, 1.0]), np.array([-0.5, 1.5])
    expected = wasserstein(numeric(*reference), numeric(*window))
    assert wasserstein(numeric(*(size * reference)), numeric(*(size * window))) == pytest.approx(expected, rel=1e-12)


def test_wasserstein_has_no_unit_when_the_reference_is_constant() -> None:
    assert wasserstein(numeric(7, 7), numeric(8)) is None
    assert wasserstein(numeric(7, 7), numeric(7)) == 0


def test_wasserstein_of_infinite_values_is_not_a_number_but_none() -> None:
    assert wasserstein(numeric(0, 1), numeric(0, np.inf)) is None


def test_wasserstein_refuses_a_side_without_values() -> None:
    with pytest.raises(ValueError, match="present value"):
        wasserstein(numeric(1, 2), numeric(np.nan))
