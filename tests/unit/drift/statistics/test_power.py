import math

import numpy as np
import pytest
from scipy import stats

from plumbline.contract.records import EffectMeasure
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.chi_square import chi_square
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from plumbline.drift.statistics.power import Sought, min_sample_size

JENSEN_SHANNON = EffectMeasure.JENSEN_SHANNON_DISTANCE
REPETITIONS = 400


def reference(n: int, n_cells: int) -> Cells:
    return Cells(np.full(n_cells, n // n_cells), np.full(n_cells, 1))


def test_the_jensen_shannon_threshold_is_found_with_the_power_that_is_promised() -> None:
    # Shares that differ by a Jensen-Shannon distance of 0.1, in ten cells of a tenth.
    p = np.full(10, 0.1)
    q = p * np.tile([1 + 0.2336, 1 - 0.2336], 5)
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)) / 2
    assert math.sqrt(divergence) == pytest.approx(0.1, abs=5e-4)
    n = min_sample_size(reference(20_000, 10), Sought(JENSEN_SHANNON, 0.1, 0.01))
    assert n is not None
    random = np.random.default_rng(3)
    found = sum(
        chi_square(Cells(random.multinomial(20_000, p), random.multinomial(n, q))).p_value < 0.01
        for _ in range(REPETITIONS)
    )
    # Four standard errors are .08; the expansion to second order is off by less.
    assert found / REPETITIONS == pytest.approx(0.8, abs=0.08)


def test_a_shift_is_found_by_kolmogorov_smirnov_with_at_least_that_power() -> None:
    # The rows that a shift of a quarter of a standard deviation needs in decile bins.
    random = np.random.default_rng(4)
    rows = random.normal(size=5000)
    counts = NumericCounts.of(rows)
    n = min_sample_size(Cells.between(counts, counts), Sought(EffectMeasure.WASSERSTEIN_DISTANCE, 0.25, 0.01))
    assert n is not None
    found = sum(
        kolmogorov_smirnov(counts, NumericCounts.of(random.normal(0.25, size=n))).p_value < 0.01 for _ in range(100)
    )
    # Binomial(100, .8) falls below 64 in 1 run of 10,000.
    assert found >= 64


def test_more_is_needed_for_less() -> None:
    small, large = (min_sample_size(reference(50_000, 10), Sought(JENSEN_SHANNON, size, 0.05)) for size in (0.05, 0.1))
    assert small is not None and large is not None
    assert small > 4 * large


def test_more_cells_need_more_rows() -> None:
    few, many = (min_sample_size(reference(50_000, n), Sought(JENSEN_SHANNON, 0.1, 0.05)) for n in (2, 40))
    assert few is not None and many is not None
    assert few < many


def test_a_reference_that_is_too_small_is_told() -> None:
    assert min_sample_size(reference(300, 10), Sought(JENSEN_SHANNON, 0.1, 0.05)) is None


def test_a_single_cell_can_show_nothing() -> None:
    assert min_sample_size(reference(300, 1), Sought(JENSEN_SHANNON, 0.1, 0.05)) is None


def test_a_threshold_is_not_found_where_chance_reaches_it() -> None:
    # 99 % quantile of chi-square with one degree: 6.635; 6.635 / (8 ln 2 * .01) = 119.65 effective rows, or 120.37
    # against 20,000. At a level of .5 the test alone would do with fewer.
    assert min_sample_size(reference(20_000, 2), Sought(JENSEN_SHANNON, 0.1, 0.5)) == 121
