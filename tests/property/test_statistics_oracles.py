"""Every statistic against an independent way to compute it, on raw samples of every kind."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import special, stats
from scipy.spatial.distance import jensenshannon
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import CategoricalCounts, NumericCounts
from plumbline.drift.projection.recalibration import ScoredLabels
from plumbline.drift.statistics.cells import Bins, Cells
from plumbline.drift.statistics.chi_square import chi_square, missing_chi_square
from plumbline.drift.statistics.declaration import benjamini_hochberg_log
from plumbline.drift.statistics.drift_score import drift_score
from plumbline.drift.statistics.jensen_shannon import jensen_shannon_distance
from plumbline.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from plumbline.drift.statistics.log_tails import log_chi_square_tail, log_smirnov_tail
from plumbline.drift.statistics.wasserstein import wasserstein

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
distinct = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=60, unique=True).map(np.array)
words = st.lists(st.sampled_from(["a", "b", "c", "d", "é", " "]), min_size=1, max_size=60)


def numeric(sample: Floats) -> NumericCounts:
    return NumericCounts.of(sample)


def labels(sample: list[str]) -> CategoricalCounts:
    return CategoricalCounts.of(np.array(sample, dtype=object))


def partly_missing(n_missing: int, n_present: int) -> CategoricalCounts:
    return CategoricalCounts.of(np.array([None] * n_missing + ["x"] * n_present, dtype=object))


@given(numbers, numbers)
def test_kolmogorov_smirnov_is_the_largest_gap_of_the_distribution_functions(u: Floats, v: Floats) -> None:
    gaps = [abs(float(np.mean(u <= x)) - float(np.mean(v <= x))) for x in (*u, *v)]
    evidence = kolmogorov_smirnov(numeric(u), numeric(v))
    assert evidence.statistic == pytest.approx(max(gaps), abs=ABSOLUTE)


def exact_p_value(u: Floats, v: Floats) -> float:
    """Return scipy's exact p-value; 1 where rounding carries its sum past 1, once in a thousand samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return float(stats.ks_2samp(u, v, method="exact").pvalue)
        except RuntimeWarning:
            return 1.0


@given(distinct, distinct)
def test_kolmogorov_smirnov_without_ties_has_the_exact_p_value_of_scipy(u: Floats, v: Floats) -> None:
    assume(not set(u.tolist()) & set(v.tolist()))
    evidence = kolmogorov_smirnov(numeric(u), numeric(v))
    assert evidence.test == HypothesisTest.KS_EXACT
    assert evidence.p_value == pytest.approx(exact_p_value(u, v), abs=ABSOLUTE)


@given(numbers, numbers)
def test_kolmogorov_smirnov_with_ties_is_never_above_the_p_value_without(u: Floats, v: Floats) -> None:
    evidence = kolmogorov_smirnov(numeric(u), numeric(v))
    assert 0 < evidence.p_value <= exact_p_value(u, v) + ABSOLUTE


@given(words, words)
def test_chi_square_is_the_sum_over_observed_and_expected(u: list[str], v: list[str]) -> None:
    union = sorted({*u, *v})
    observed = np.array([[side.count(label) for label in union] for side in (u, v)], dtype=np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / observed.sum()
    evidence = chi_square(Cells.between(labels(u), labels(v)))
    assert evidence.statistic == pytest.approx(float(((observed - expected) ** 2 / expected).sum()), abs=ABSOLUTE)
    assert evidence.test == (
        HypothesisTest.CHI_SQUARE_MONTE_CARLO if expected.min() < 5 and len(union) > 1 else HypothesisTest.CHI_SQUARE
    )


@given(st.lists(st.tuples(st.integers(5, 500), st.integers(5, 500)), min_size=2, max_size=30))
def test_chi_square_of_full_cells_has_the_p_value_of_scipy(pairs: list[tuple[int, int]]) -> None:
    table = np.array(pairs).T
    expected = stats.chi2_contingency(table, correction=False)
    assume(expected.expected_freq.min() >= 5)
    evidence = chi_square(Cells(table[0], table[1]))
    assert evidence.test == HypothesisTest.CHI_SQUARE
    assert evidence.p_value == pytest.approx(expected.pvalue, abs=ABSOLUTE)


@given(st.integers(0, 12), st.integers(1, 40), st.integers(0, 12), st.integers(1, 40))
def test_few_missing_cells_are_dealt_out_to_fishers_p_value(a: int, b: int, c: int, d: int) -> None:
    assume((a + c) * min(a + b, c + d) < 5 * (a + b + c + d) and a + c > 0)
    evidence = missing_chi_square(partly_missing(a, b), partly_missing(c, d))
    # Both hold the margins fixed; Fisher's test orders the tables by probability, ours by the statistic.
    statistics = {
        k: stats.chi2_contingency([[k, a + b - k], [a + c - k, c + d - a - c + k]], correction=False).statistic
        for k in range(max(0, a + c - c - d), min(a + b, a + c) + 1)
    }
    share = sum(
        stats.hypergeom.pmf(k, a + b + c + d, a + c, a + b)
        for k, statistic in statistics.items()
        if statistic >= statistics[a] - 1e-9
    )
    # Of 9,999 deals none may be as extreme: then the pooled table says how far beyond doubt.
    pooled = {HypothesisTest.CHI_SQUARE_POOLED} if share < 0.001 else set()
    assert evidence.test in {HypothesisTest.CHI_SQUARE_MONTE_CARLO} | pooled
    # A hundred extreme deals tell a p-value to a tenth; five standard errors.
    assert evidence.p_value == pytest.approx(share, rel=0.5, abs=0.004)


@given(st.integers(5, 60), st.integers(20, 60), st.integers(5, 60), st.integers(20, 60))
def test_missing_cells_are_a_two_by_two_table(a: int, b: int, c: int, d: int) -> None:
    expected = stats.chi2_contingency([[b, a], [d, c]], correction=False)
    assume(expected.expected_freq.min() >= 5)
    assert missing_chi_square(partly_missing(a, b), partly_missing(c, d)).p_value == pytest.approx(
        expected.pvalue, abs=ABSOLUTE
    )


@given(st.integers(1, 200), st.floats(0, 5000))
def test_the_tail_of_chi_square_has_its_closed_form_for_even_degrees(half: int, statistic: float) -> None:
    # Poisson sum: P(chi2 with 2k degrees >= x) = exp(-x/2) * sum over j < k of (x/2)**j / j!.
    j = np.arange(half)
    terms = special.xlogy(j, statistic / 2) - special.gammaln(j + 1)
    expected = float(special.logsumexp(terms)) - statistic / 2
    assert log_chi_square_tail(statistic, 2 * half) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.integers(30, 300), st.fractions(Fraction(3, 5), Fraction(999, 1000), max_denominator=1000))
@settings(max_examples=25)
def test_the_tail_of_smirnov_is_his_sum_in_exact_fractions(n: int, distance: Fraction) -> None:
    total = sum(
        math.comb(n, j) * (distance + Fraction(j, n)) ** (j - 1) * (1 - distance - Fraction(j, n)) ** (n - j)
        for j in range(math.floor(n * (1 - distance)) + 1)
    )
    tail = distance * total
    expected = math.log(tail.numerator) - math.log(tail.denominator)
    assert log_smirnov_tail(n, float(distance)) == pytest.approx(expected, rel=1e-9)


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
    edges = Bins.of(numeric(u)).edges
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


@given(st.lists(st.floats(1e-300, 1), max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p: list[float]) -> None:
    expected = stats.false_discovery_control(p, method="bh").tolist() if p else []
    found = np.exp(benjamini_hochberg_log(np.log(p).tolist()))
    assert found.tolist() == pytest.approx(expected, abs=ABSOLUTE)


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
