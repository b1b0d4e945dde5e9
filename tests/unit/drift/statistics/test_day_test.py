import math

import numpy as np
import pytest

from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.day_test import (
    MAX_STEPS,
    Allowance,
    Dispersion,
    allowance,
    compared,
    stepped,
    total,
)
from plumbline.drift.statistics.series import LOCATION, MISSING, Series, SeriesMean, series_of

LOCATED = Series(name=LOCATION, mean=0.5, deviation=0.29, n_rows=10_000)
RARE = Series(name=MISSING, mean=0.0, deviation=0.0, n_rows=10_000)
MEASURED = Dispersion(200.0, 200.0)


def test_independent_rows_have_a_dispersion_of_one() -> None:
    random = np.random.default_rng(0)
    found, last = Dispersion(), SeriesMean(400, float(random.random(400).mean()))
    series = Series(name=LOCATION, mean=0.5, deviation=math.sqrt(1 / 12), n_rows=10)
    for _ in range(300):
        this = SeriesMean(400, float(random.random(400).mean()))
        found, last = stepped(found, series, last, this), this
    # The variance of a mean of 300 squared differences is 3/300 (successive ones are correlated).
    assert found.total / found.n_steps == pytest.approx(1, abs=4 * 0.1)
    assert found.n_steps == 300


def test_rows_in_clumps_have_the_dispersion_of_their_clumps() -> None:
    random = np.random.default_rng(0)
    series = Series(name=LOCATION, mean=0.5, deviation=math.sqrt(1 / 12), n_rows=10)
    found, last = Dispersion(), None
    for _ in range(300):
        this = SeriesMean(400, float(random.random(20).mean()))  # each value twenty times
        found = stepped(found, series, last, this) if last else found
        last = this
    assert found.factor == pytest.approx(20, rel=0.4)


def test_a_ramp_hardly_makes_differences_larger() -> None:
    found, last = Dispersion(), SeriesMean(100, 0.5)
    for n in range(1, 49):
        this = SeriesMean(100, 0.5 + 0.0012 * n)
        found, last = stepped(found, LOCATED, last, this), this
    assert found.factor == 1.0
    assert found.total < 0.1


def test_old_differences_fade_and_windows_without_a_row_add_none() -> None:
    before = Dispersion(MAX_STEPS, MAX_STEPS)
    after = stepped(before, LOCATED, SeriesMean(100, 0.5), SeriesMean(100, 0.5))
    assert (after.n_steps, after.total) == (MAX_STEPS, MAX_STEPS - 1)
    assert stepped(before, LOCATED, SeriesMean(0, 0.0), SeriesMean(100, 0.5)) is before


def test_a_day_is_the_mean_over_all_rows() -> None:
    assert total([SeriesMean(10, 0.2), SeriesMean(30, 0.6), SeriesMean(0, 0.0)]) == SeriesMean(40, 0.5)
    assert total([]).n_rows == 0


def test_the_reference_may_lie_off_by_what_its_own_rows_explain() -> None:
    """A standard normal's 99 % quantile is 2.326."""
    found = allowance(LOCATED, 0.01)
    assert found.centre == 0.5
    assert found.tolerance == pytest.approx(0.05 * 0.29 + 2.326 * 0.29 / 100, abs=1e-5)
    assert allowance(LOCATED, 0.01, scale=3).tolerance == pytest.approx(found.tolerance + 0.1 * 0.29)
    assert allowance(RARE, 0.5).tolerance == pytest.approx(0.01)


def test_within_the_tolerance_is_no_evidence() -> None:
    found = compared(LOCATED, SeriesMean(1_000_000, 0.51), MEASURED, Allowance(centre=0.5, tolerance=0.02))
    assert found.p_value == 1.0
    assert found.difference == pytest.approx(0.01 / 0.29)


@pytest.mark.parametrize("side", [-1, 1])
def test_far_beyond_the_tolerance_is_evidence_on_either_side(side: int) -> None:
    found = compared(LOCATED, SeriesMean(10_000, 0.5 + side * 0.04), MEASURED, Allowance(centre=0.5, tolerance=0.02))
    assert found.p_value < 1e-9
    assert math.copysign(1, found.difference) == side


def test_days_that_differ_by_themselves_weaken_it() -> None:
    allowed = Allowance(centre=0.5, tolerance=0.02, variance=0.02**2)
    assert compared(LOCATED, SeriesMean(10_000, 0.54), MEASURED, allowed).p_value > 0.1


def test_few_rows_with_a_rare_property_are_judged_by_the_binomial_distribution() -> None:
    """3 of 200 where 1 % is allowed: the chance of 3 or more is 32 %, twice that on two sides."""
    found = compared(RARE, SeriesMean(200, 0.015), Dispersion(1e9, 1e9), Allowance(centre=0.0, tolerance=0.01))
    assert found.p_value == pytest.approx(2 * 0.323, abs=0.01)


def test_a_day_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="must have rows"):
        compared(LOCATED, SeriesMean(0, 0.0), MEASURED, Allowance(centre=0.5, tolerance=0.0))


def test_a_constant_reference_has_a_scale() -> None:
    location = series_of(NumericCounts.of(np.ones(100)))[0]
    assert allowance(location, 0.01).tolerance > 0.01
    assert compared(location, SeriesMean(1000, 0.9), MEASURED, allowance(location, 0.01)).p_value < 1e-9
