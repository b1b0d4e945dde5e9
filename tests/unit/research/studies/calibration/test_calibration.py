"""The calibration study in small, as a test: its windows are seeded, so it gives the same answer on every run.

Its own error rate is that over seeds: were every rate exactly at its target, one seed in a million would fail each
assertion (binomial, divided by the number of features where each is looked at).
"""

import pytest
from scipy.stats import binom

from plumbline.contract.records import Verdict
from research.studies.calibration.false_alarms import (
    ADJUSTED_P,
    ALPHA,
    PLUMBLINE,
    REFERENCE,
    TEXTBOOK,
    AlarmTally,
    false_alarms,
)
from research.studies.calibration.power import power
from research.studies.calibration.product import PopulationMonitor
from research.studies.calibration.shifts import tilt
from tests.unit.research.studies.people import people

ERROR_RATE = 1e-6
POPULATION = 20_000
N_REFERENCE = 2_000
N_WINDOW = 500
REPETITIONS = 100
SEED = 20260511


def most(n_trials: int, rate: float, error_rate: float = ERROR_RATE) -> int:
    """Return the number of events that is exceeded with at most that probability."""
    return int(binom.isf(error_rate, n_trials, rate))


@pytest.fixture(scope="module")
def tally() -> AlarmTally:
    return false_alarms(PopulationMonitor.of(people(POPULATION)), N_REFERENCE, N_WINDOW, REPETITIONS, SEED)


def test_windows_without_drift_alarm_in_at_most_five_percent(tally: AlarmTally) -> None:
    assert tally.alarms[PLUMBLINE] <= most(REPETITIONS, ALPHA)
    assert tally.alarms[ADJUSTED_P] <= most(REPETITIONS, ALPHA)


def test_the_test_would_notice_a_rule_without_correction(tally: AlarmTally) -> None:
    assert tally.alarms[REFERENCE] > most(REPETITIONS, ALPHA)


def test_no_p_value_is_too_small_too_often(tally: AlarmTally) -> None:
    bound = most(REPETITIONS, ALPHA, ERROR_RATE / len(tally.features))
    sizes = {
        (name, test): feature.significant[test]
        for name, feature in tally.features.items()
        for test in feature.tested
        if test != TEXTBOOK
    }
    assert {name for name, _ in sizes} == set(tally.features)
    assert {key: size for key, size in sizes.items() if size > bound} == {}


def test_drift_of_half_a_standard_deviation_is_found_in_most_windows() -> None:
    population = people(POPULATION)
    [found] = power(
        PopulationMonitor.of(population), [tilt(population, "age", 0.5)], N_REFERENCE, N_WINDOW, 40, seed=SEED
    )
    assert found.repetitions - found.named <= most(40, 0.1)
    assert found.wrong <= most(40, ALPHA)


def test_window_of_the_same_rows_is_free_of_drift() -> None:
    product = PopulationMonitor.of(people(POPULATION))
    everybody = product.population.frequencies
    report = product.judge(product.learned(everybody), everybody, seed=0)
    assert report.drifted_features == ()
    assert report.verdict is not Verdict.DRIFT
