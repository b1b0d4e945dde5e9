"""The exceedance test: its distribution against scipy's, and what it sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from plumbline.contract.statistics import HypothesisTest
from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.exceedance import exceedance

N_TAILS_OF_4000 = 9
"""Both sides of 1, 4, 40 and 200 outermost values, and both ends together."""


def counted(values: NDArray[np.float64]) -> NumericCounts:
    return NumericCounts.of(values)


def log_upper_tail(count: int, n: int, alpha: float, beta: float) -> float:
    """Return what scipy's own ``logsf`` loses to rounding: it takes the logarithm of a difference from 1."""
    return float(special.logsumexp(stats.betabinom(n, alpha, beta).logpmf(np.arange(count, n + 1))))


@given(st.integers(1, 60), st.integers(1, 300))
def test_values_beyond_either_end_are_beta_binomial(n_beyond: int, n_inside: int) -> None:
    reference = counted(np.arange(4000.0))
    beyond = np.where(np.arange(n_beyond) % 2, -1.0, 5000.0)
    window = counted(np.concatenate([beyond, np.linspace(1000.5, 3000.5, n_inside)]))

    found = exceedance(reference, window)

    n = n_beyond + n_inside
    expected = [log_upper_tail(n_beyond, n, 2, 3999)]
    for rank in (1, 4, 40, 200):
        expected += [log_upper_tail(k, n, rank, 4001 - rank) for k in ((n_beyond + 1) // 2, n_beyond // 2)]
    assert found is not None
    assert found.test == HypothesisTest.EXCEEDANCE
    assert found.log_p_value == pytest.approx(min(min(expected) + np.log(N_TAILS_OF_4000), 0), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("n_reference", [100, 4000])
@pytest.mark.parametrize("of_counts", [False, True])
def test_it_keeps_its_level_also_with_equal_values(n_reference: int, of_counts: bool) -> None:
    random, n_found, n_trials = np.random.default_rng(5), 0, 400
    for _ in range(n_trials):
        sizes = (n_reference, 1000)
        draws = [random.poisson(4, n).astype(float) if of_counts else random.lognormal(0, 2, n) for n in sizes]
        found = exceedance(*map(counted, draws))
        n_found += found is not None and found.p_value < 0.05
    # 38 of 400 is above 5 % with a probability of 0.0001.
    assert n_found < 38


def test_one_percent_times_a_hundred_is_seen_and_a_lighter_tail_is_not() -> None:
    random = np.random.default_rng(1)
    reference, window = random.normal(40, 12, 4000), random.normal(40, 12, 2000)
    damaged = np.where(np.arange(2000) < 20, 100 * window, window)
    seen = exceedance(counted(reference), counted(damaged))
    lighter = exceedance(counted(reference), counted(np.clip(window, 20, 60)))
    assert seen is not None
    assert seen.p_value < 1e-9
    assert lighter is not None
    assert lighter.p_value == 1


def test_it_needs_values_on_both_sides() -> None:
    nothing, something = counted(np.array([np.nan])), counted(np.array([1.0]))
    assert exceedance(nothing, something) is None
    assert exceedance(something, nothing) is None


def test_a_window_of_one_value_and_a_reference_of_one_prove_nothing() -> None:
    found = exceedance(counted(np.array([1.0])), counted(np.array([2.0])))
    assert found is not None
    assert found.p_value == 1
