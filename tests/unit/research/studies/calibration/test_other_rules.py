import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon

from plumbline.contract.records import FeatureType
from plumbline.drift.data.table import FeatureSpec
from research.studies.calibration.other_rules import ColumnPair, evidently_rule, reference_rule, textbook_p_value


def categories(reference: list[int], window: list[int]) -> ColumnPair:
    """Return a column of labels a, b, ...; the last number counts the missing cells."""
    labels = np.array([chr(ord("a") + code) for code in range(len(reference) - 1)], dtype=object)
    return ColumnPair(FeatureSpec("job", FeatureType.CATEGORICAL), labels, np.array(reference), np.array(window))


def numbers(reference: NDArray[np.int64], window: NDArray[np.int64]) -> ColumnPair:
    """Return a column of whole numbers without missing cells."""
    levels = np.arange(max(reference.max(), window.max()) + 1)
    sides = [np.append(np.bincount(side, minlength=len(levels)), 0) for side in (reference, window)]
    return ColumnPair(FeatureSpec("age", FeatureType.NUMERIC), levels.astype(np.float64), sides[0], sides[1])


def drawn(n: int, seed: int, mean: float = 40) -> NDArray[np.int64]:
    return np.random.default_rng(seed).normal(mean, 12, n).round().clip(0, 99).astype(np.int64)


def test_textbook_numbers_are_scipys_on_raw_values() -> None:
    reference, window = drawn(700, 1), drawn(300, 2)
    assert textbook_p_value(numbers(reference, window)) == stats.ks_2samp(reference, window).pvalue


def test_textbook_categories_are_scipys_without_missing_cells() -> None:
    expected = stats.chi2_contingency([[30, 50], [20, 10]], correction=False).pvalue
    assert textbook_p_value(categories([30, 50, 0, 9], [20, 10, 0, 1])) == expected


@pytest.mark.parametrize(("mean", "drifts"), [(40, False), (44, True)])
def test_reference_rule_tests_numbers_at_five_percent(mean: float, drifts: bool) -> None:
    reference, window = drawn(5_000, 1), drawn(1_000, 2, mean)
    assert bool(stats.ks_2samp(reference, window).pvalue < 0.05) is drifts
    assert reference_rule(numbers(reference, window)) is drifts


def test_reference_rule_takes_the_reference_as_free_of_noise() -> None:
    # Observed 500 of 1,000 in the reference's shares; expected 541: 41^2 / 541 + 41^2 / 459 = 6.77, p = 0.009.
    # With both sides as samples of 1,000 the same table has p = 0.066.
    column = categories([500, 500, 0], [541, 459, 0])
    assert textbook_p_value(column) > 0.05
    assert reference_rule(column)


def test_reference_rule_leaves_out_a_new_label() -> None:
    # Ten labels fall from 500 to 475, a new one has 250 of 5,000: 10 * 25^2 / 475 = 13.2, p = 0.16 with 9 degrees.
    column = categories([1_000] * 10 + [0, 0], [475] * 10 + [250, 0])
    assert textbook_p_value(column) < 1e-50
    assert not reference_rule(column)


def test_reference_rule_takes_missing_for_a_label() -> None:
    assert reference_rule(categories([600, 300, 100], [600, 150, 250]))


def test_reference_rule_sees_nothing_in_a_single_label() -> None:
    assert not reference_rule(categories([600, 400, 0], [1_000, 0, 0]))


def test_reference_rule_compares_few_numbers_as_categories() -> None:
    few = [np.random.default_rng(seed).integers(0, 4, 2_000) for seed in (1, 2)]
    as_labels = categories(*(np.bincount(side).tolist() + [0] for side in few))
    as_numbers = numbers(*few)
    assert len(as_numbers.levels) < 50
    assert reference_rule(as_numbers) is reference_rule(as_labels)


def test_evidently_measures_numbers_in_standard_deviations() -> None:
    reference, window = drawn(5_000, 1), drawn(1_000, 2, 44)
    score = evidently_rule(numbers(reference, window))
    expected = stats.wasserstein_distance(reference, window) / np.std(reference)
    assert (score.method, score.drifts) == ("Wasserstein distance (normed)", True)
    assert score.value == pytest.approx(expected, rel=1e-12)


def test_evidently_measures_categories_in_natural_logarithms() -> None:
    score = evidently_rule(categories([1_200, 800, 0, 50], [0, 0, 300, 50]))
    # Nothing in common: the square root of ln 2.
    assert (score.method, score.drifts) == ("Jensen-Shannon distance", True)
    assert score.value == pytest.approx(math.sqrt(math.log(2)), rel=1e-12)
    near = evidently_rule(categories([1_200, 800, 50], [620, 380, 50]))
    assert near.value == pytest.approx(float(jensenshannon([0.6, 0.4], [0.62, 0.38])), rel=1e-9)
    assert not near.drifts


def test_evidently_tests_numbers_of_a_small_reference() -> None:
    reference, window = drawn(1_000, 1), drawn(400, 2, 44)
    score = evidently_rule(numbers(reference, window))
    assert score.method == "K-S p_value"
    assert score.value == stats.ks_2samp(reference, window).pvalue


def test_evidently_tests_categories_of_a_small_reference_for_fit() -> None:
    score = evidently_rule(categories([500, 300, 200, 7], [110, 55, 35, 9]))
    assert (score.method, score.drifts) == ("chi-square p_value", False)
    assert score.value == pytest.approx(stats.chisquare([110, 55, 35], [100, 60, 40]).pvalue, rel=1e-12)
    assert evidently_rule(categories([500, 500, 0, 0], [90, 90, 5, 0])).value == 0.0


def test_evidently_compares_two_shares_by_their_difference() -> None:
    # Shares of 0.5 of 400 and 0.6 of 200, pooled 0.5333: z = 0.1 / sqrt(0.5333 * 0.4667 * (1/400 + 1/200)) = 2.3146.
    score = evidently_rule(categories([200, 200, 0], [80, 120, 0]))
    assert (score.method, score.drifts) == ("Z-test p_value", True)
    assert score.value == pytest.approx(0.02064, abs=5e-6)
    assert evidently_rule(categories([400, 0, 0], [200, 0, 0])).value == 1.0


def test_evidently_compares_few_numbers_as_categories() -> None:
    reference, window = np.repeat(np.arange(4), 500), np.repeat(np.arange(4), 100)
    assert evidently_rule(numbers(reference, window)).method == "Jensen-Shannon distance"
