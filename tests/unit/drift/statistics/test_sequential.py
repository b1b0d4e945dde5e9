import math

import numpy as np
import pytest
from scipy import integrate, stats

from plumbline.drift.statistics.sequential import (
    EvidenceSum,
    added,
    alarm_evidence,
    log_e_value,
    p_value_of_fraction,
    p_value_of_mean,
)


def test_the_calibrator_has_expectation_one_under_uniform_p_values() -> None:
    """Vovk and Wang (2021): the integral of a calibrator over 0 to 1 is 1; substituting p = exp(-x)."""
    found, _ = integrate.quad(lambda x: math.exp(log_e_value(math.exp(-x)) - x), 0, 500, limit=500)
    # Of p-values below exp(-500) the rest is 1/500 of the mixture.
    assert found == pytest.approx(1, abs=1 / 400)


@pytest.mark.parametrize("p_value", [1e-12, 1e-6, 0.01, 0.3, 0.9])
def test_the_calibrator_is_the_mixture_of_all_power_calibrators(p_value: float) -> None:
    mixed, _ = integrate.quad(lambda k: k * p_value ** (k - 1), 0, 1)
    assert math.exp(log_e_value(p_value)) == pytest.approx(mixed, rel=1e-6)


def test_ends_of_the_calibrator_are_numbers() -> None:
    assert log_e_value(1.0) == pytest.approx(math.log(0.5))
    assert log_e_value(1 - 1e-9) == pytest.approx(math.log(0.5))
    assert log_e_value(1 - 1.1e-4) == pytest.approx(math.log(0.5), abs=1e-3)
    assert math.isfinite(log_e_value(0.0))


def test_evidence_begins_where_the_sum_was_not_above_none() -> None:
    first = added(None, 2.0, "a", 10)
    assert first == EvidenceSum(2.0, "a")
    assert added(first, -0.5, "b", 10) == EvidenceSum(1.5, "a")
    assert added(first, -2.5, "b", 10) is None
    assert added(first, 50.0, "b", 10) == EvidenceSum(10, "a")


def test_without_change_the_alarm_is_as_rare_as_said() -> None:
    """2,000 streams of 30 starts at alpha 0.2: with 99.9 % of all seeds at most 20 % + 3 standard errors alarm."""
    random = np.random.default_rng(1)
    threshold = alarm_evidence(30, 0.2)
    n_alarms = 0
    for stream in random.random((2000, 30)):
        evidence = None
        for p_value in stream:
            evidence = added(evidence, log_e_value(p_value), "a", threshold)
            if evidence and evidence.log_e >= threshold:
                n_alarms += 1
                break
    assert 0 < n_alarms <= 2000 * 0.2 + 3.1 * math.sqrt(2000 * 0.16)


def test_p_values_are_those_of_scipy() -> None:
    assert p_value_of_mean(1.2, 0.4, 9) == pytest.approx(stats.t.sf(3, 9))
    assert p_value_of_fraction(50, 0.2, 0.1) == pytest.approx(stats.binom.sf(9, 50, 0.1))
    assert (p_value_of_fraction(50, 0.0, 0.1), p_value_of_fraction(50, 0.5, 1.2)) == (1.0, 1.0)
