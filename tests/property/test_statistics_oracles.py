"""Every statistic against an independent way to compute it, on raw samples of every kind."""

import numpy as np
import pytest
from drift.adjustment import benjamini_hochberg
from drift.calibration import ScoredLabels
from drift.counts import CategoricalCounts, NumericCounts
from drift.statistics.cells import Cells, decile_edges
from drift.statistics.chi_square import chi_square, missing_chi_square
from drift.statistics.drift_score import drift_score
from drift.statistics.jensen_shannon import jensen_shannon_distance
from drift.statistics.kolmogorov_smirnov import ASYMPTOTIC, EXACT, kolmogorov_smirnov
from drift.statistics.wasserstein import wasserstein
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

ABSOLUTE = 1e-9

Floats = NDArray[np.float64]


def samples(elements: st.SearchStrategy[float], largest: int = 60) -> st.SearchStrategy[Floats]:
    return st.integers(1, largest).flatmap(lambda n: arrays(np.float64, n, elements=elements))


ordinary = samples(st.floats(-1e3, 1e3, width=32))
tied = samples(st.sampled_from([0.0, 1.0, 1.0, 40.0]))
constant = samples(st.just(7.0))
huge = samples(st.sampled_from([-1e308, 1e308, 0.0, 5e307]))
tiny = samples(st.sampled_from([0.0, 1e-300, 3e-300, -2e-300]))
numbers = st.one_of(ordinary, tied, constant, huge, tiny)
words = st.lists(st.sampled_from(["a", "b", "c", "d", "é", " "]), min_size=1, max_size=60)


def numeric(sample: Floats) -> NumericCounts:
    return NumericCounts.of(sample)


def labels(sample: list[str]) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(sample, dtype=object))


@given(numbers, numbers)
def test_kolmogorov_smirnov_is_the_largest_gap_of_the_distribution_functions(u: Floats, v: Floats) -> None:
    gaps = [abs(float(np.mean(u <= x)) - float(np.mean(v <= x))) for x in (*u, *v)]
    evidence = kolmogorov_smirnov(numeric(u), numeric(v))
    assert evidence.statistic == pytest.approx(max(gaps), abs=ABSOLUTE)


@given(numbers, numbers)
def test_kolmogorov_smirnov_has_the_p_value_of_scipy(u: Floats, v: Floats) -> None:
    evidence = kolmogorov_smirnov(numeric(u), numeric(v))
    # Once in a thousand samples rounding carries scipy's exact sum past 1: it falls back, and the name must say so.
    method = {EXACT: "exact", ASYMPTOTIC: "asymp"}[evidence.test]
    assert evidence.p_value == pytest.approx(stats.ks_2samp(u, v, method=method).pvalue, abs=ABSOLUTE)


def test_a_failed_exact_sum_is_named_as_the_asymptotic_value_it_is() -> None:
    # Found by the property above: two samples of 52 that differ in one value.
    ones = np.ones(52)
    nearly = np.concatenate([[0.0], ones[1:]])
    evidence = kolmogorov_smirnov(numeric(ones), numeric(nearly))
    assert evidence.test == ASYMPTOTIC
    assert evidence.p_value == pytest.approx(1)


@given(words, words)
def test_chi_square_is_the_sum_over_observed_and_expected(u: list[str], v: list[str]) -> None:
    union = sorted({*u, *v})
    observed = np.array([[side.count(label) for label in union] for side in (u, v)], dtype=np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / observed.sum()
    statistic = float(((observed - expected) ** 2 / expected).sum())
    evidence = chi_square(Cells.between(labels(u), labels(v)))
    assert evidence.statistic == pytest.approx(statistic, abs=ABSOLUTE)
    p_value = stats.chi2.sf(statistic, len(union) - 1) if len(union) > 1 else 1.0
    assert evidence.p_value == pytest.approx(p_value, abs=ABSOLUTE)


@given(st.lists(st.booleans(), min_size=1), st.lists(st.booleans(), min_size=1))
def test_missing_cells_are_a_two_by_two_table(u: list[bool], v: list[bool]) -> None:
    assume(any(u) or any(v))
    assume(not (all(u) and all(v)))
    table = [[len(side) - sum(side), sum(side)] for side in (u, v)]
    sides = [CategoricalCounts.of(np.array([None if gone else "x" for gone in side], dtype=object)) for side in (u, v)]
    expected = stats.chi2_contingency(table, correction=False)
    assert missing_chi_square(*sides).p_value == pytest.approx(expected.pvalue, abs=ABSOLUTE)


@given(words, words)
def test_distances_of_labels_agree_with_raw_frequencies(u: list[str], v: list[str]) -> None:
    union = sorted({*u, *v})
    p, q = (np.array([side.count(label) / len(side) for label in union]) for side in (u, v))
    cells = Cells.between(labels(u), labels(v))
    assert drift_score(cells) == pytest.approx(100 * float(np.abs(p - q).sum()), abs=ABSOLUTE)
    # scipy's root of a rounding error around zero is no oracle (or NaN), hence the squares and the clip.
    with np.errstate(invalid="ignore"):
        divergence = np.nan_to_num(jensenshannon(p, q, base=2)) ** 2
    assert jensen_shannon_distance(cells) ** 2 == pytest.approx(divergence, abs=ABSOLUTE)


@given(st.one_of(ordinary, tied, constant, tiny), st.one_of(ordinary, tied, constant, tiny))
def test_bins_agree_with_counting_by_definition(u: Floats, v: Floats) -> None:
    deciles = np.quantile(u + 0.0, np.arange(1, 10) / 10).tolist()
    edges = sorted(set(deciles))
    atoms = {edge for edge in edges if deciles.count(edge) > 1}

    def cell(value: float) -> tuple[float, bool]:
        above = [edge for edge in edges if edge >= value]
        edge = above[0] if above else np.inf
        return edge, edge in atoms and value == edge

    places = sorted({cell(value) for value in (*u, *v)})
    expected = [[sum(cell(value) == place for value in side) for place in places] for side in (u, v)]
    cells = Cells.between(numeric(u), numeric(v))
    assert [cells.reference.tolist(), cells.window.tolist()] == expected


@given(huge)
def test_deciles_of_huge_numbers_do_not_overflow(u: Floats) -> None:
    edges, _ = decile_edges(numeric(u))
    assert np.isfinite(edges).all()
    assert u.min() <= edges[0] <= edges[-1] <= u.max()


@given(st.one_of(ordinary, tied), st.one_of(ordinary, tied))
def test_wasserstein_is_the_area_between_the_distribution_functions(u: Floats, v: Floats) -> None:
    assume(len(set(u.tolist())) > 1 and np.std(u) > 1e-6)
    found = wasserstein(numeric(u), numeric(v))
    expected = stats.wasserstein_distance(u, v) / np.std(u)
    assert found == pytest.approx(expected, rel=ABSOLUTE, abs=ABSOLUTE)


@given(numbers, numbers)
def test_no_statistic_of_any_sample_is_nan(u: Floats, v: Floats) -> None:
    cells = Cells.between(numeric(u), numeric(v))
    assert 0 <= drift_score(cells) <= 200
    assert 0 <= jensen_shannon_distance(cells) <= 1
    distance = wasserstein(numeric(u), numeric(v))
    assert distance is None or 0 <= distance < np.inf


@given(st.lists(st.floats(0, 1), max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p: list[float]) -> None:
    expected = stats.false_discovery_control(p, method="bh").tolist() if p else []
    assert benjamini_hochberg(p) == pytest.approx(expected, abs=ABSOLUTE)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.35, 0.8, 1.0]), st.booleans()), min_size=2, max_size=60))
def test_calibration_agrees_with_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs])
    positive = np.array([label for _, label in pairs])
    new = np.linspace(0, 1, 21)
    found = ScoredLabels.of(scores, positive).calibrate(new, np.ones(len(pairs)))
    oracle = IsotonicRegression(out_of_bounds="clip").fit(scores, positive.astype(np.float64))
    assert found == pytest.approx(oracle.predict(new), abs=ABSOLUTE)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.2, 0.7]), st.booleans()), min_size=2, max_size=60))
def test_area_under_the_curve_agrees_with_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs])
    positive = np.array([label for _, label in pairs])
    assume(positive.any() and not positive.all())
    found = ScoredLabels.of(scores, positive).area_under_curve()
    assert found == pytest.approx(roc_auc_score(positive, scores), abs=ABSOLUTE)
