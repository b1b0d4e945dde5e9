"""The study of verdicts in small, as a test: its windows are seeded, so it gives the same answer on every run.

Its own error rate is that over seeds: were a verdict exactly at its level of 5 %, one seed in a million would fail each
assertion on false alarms; were a change found in just 90 % of the windows, one in a million would fail that on power.
"""

import functools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from plumbline.data import population
from plumbline.drift.reference.history import ENOUGH_WINDOWS
from research.studies.calibration.population import Population
from research.studies.calibration.product import PopulationMonitor
from research.studies.pages import markers
from research.studies.verdicts import features, page, worlds
from research.studies.verdicts.arrivals import ArrivalTally, ArrivalTask
from research.studies.verdicts.courses import RAMPS, CourseTally, CourseTask
from research.studies.verdicts.features import CellTally, changes, tally, with_damage
from research.studies.verdicts.kinds import KINDS, NO_CHANGE, VerdictExtent, VerdictTally, VerdictTask
from research.studies.verdicts.results import VerdictStudy
from research.studies.verdicts.worlds import CHANGES, Arrival, Pool, arriving

ERROR_RATE = 1e-6
LEVEL, POWER = 0.05, 0.9
N_WINDOWS, N_ROWS = 25, 1_000
SEED = 20261201
EXTENT = VerdictExtent({300: 4}, {300: 1}, n_train=2_000, n_past=6_000, n_test=1_500)


def most(n_trials: int, rate: float) -> int:
    """Return the number of events that is exceeded with at most the error rate."""
    return int(binom.isf(ERROR_RATE, n_trials, rate))


@functools.cache
def monitor() -> PopulationMonitor:
    return PopulationMonitor.of(with_damage(Population.of(population.generate(20_000, SEED))))


@functools.cache
def judged(name: str) -> CellTally:
    (change,) = [one for one in changes(monitor().population) if one.name == name]
    return tally(monitor(), change, N_ROWS, N_WINDOWS, SEED)


def test_windows_without_a_change_alarm_in_at_most_five_percent() -> None:
    assert judged("none").any_feature <= most(N_WINDOWS, LEVEL)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("x 100 in 2 % of the rows", "tail and range"),
        ("999 in 2 % of the rows", "tail and range"),
        ("missing +10 points", "missing values"),
        ("mean +0.5 SD", "distribution"),
    ],
)
def test_damage_is_named_and_by_its_own_verdict(name: str, verdict: str) -> None:
    found = judged(name)
    assert N_WINDOWS - found.n_named <= most(N_WINDOWS, 1 - POWER)
    assert max(found.named, key=lambda one: found.named[one]) == verdict


def test_every_change_is_one_of_its_feature_alone() -> None:
    product = monitor()
    random = np.random.default_rng(1)
    window = product.population.draw(2_000, random)
    for change in changes(product.population):
        after = change.apply(window, random)
        assert {name for name in window if not np.array_equal(window[name], after[name])} <= {change.feature}
        assert int(after[change.feature].sum()) == 2_000


@functools.cache
def clumps() -> tuple[ArrivalTally, ...]:
    return tuple(ArrivalTask(Arrival.CLUMPED, {300: 20}, EXTENT, SEED).tallies())


def test_clumps_that_the_past_shows_alarm_in_at_most_five_percent() -> None:
    without, with_past = clumps()
    assert (without.history, with_past.history) == (False, True)
    assert with_past.past_windows >= ENOUGH_WINDOWS
    assert with_past.drifts <= most(20, LEVEL)
    # The study would show it if the past were not looked at.
    assert without.drifts > most(20, LEVEL)


@functools.cache
def ramp() -> CourseTally:
    (found,) = CourseTask(Arrival.SINGLY, RAMPS[0], rows_per_hour=300, n_courses=1, seed=SEED).tallies()
    return found


def test_a_slow_ramp_is_found_over_time_and_within_a_day_of_its_end() -> None:
    found = ramp()
    assert (found.alarmed, found.early) == (1, 0)
    assert 0 < found.delays[0] <= RAMPS[0].total_hours


def test_days_without_a_change_show_none_over_time() -> None:
    (found,) = CourseTask(Arrival.SINGLY, None, rows_per_hour=300, n_courses=1, seed=SEED, month_hours=96).tallies()
    # An alarm in a month has a probability of 5 % at most, in four days of far less.
    assert found.alarmed == 0
    assert found.window_hours is None


@pytest.fixture(scope="module")
def unchanged() -> VerdictTally:
    (found,) = VerdictTask(Arrival.SINGLY, history=False, is_changed=False, extent=EXTENT, seed=SEED).tallies()
    return found


def test_whole_runs_are_judged_by_every_verdict(unchanged: VerdictTally) -> None:
    assert (unchanged.n_windows, unchanged.n_window, unchanged.change) == (4, 300, NO_CHANGE)
    assert set(unchanged.drifts) == set(unchanged.not_judged) == set(KINDS)
    assert all(number <= most(4, LEVEL) for number in unchanged.drifts.values())
    assert unchanged.not_judged["quality"] == unchanged.not_judged["whole rows"] == 0
    assert 0 < unchanged.held <= unchanged.estimated == 4


def test_turned_labels_are_seen_by_quality_and_nothing_else() -> None:
    task = VerdictTask(Arrival.SINGLY, history=False, is_changed=True, extent=EXTENT, seed=SEED)
    found = {one.change: one for one in task.tallies()}
    assert set(found) == {change.name for change in CHANGES}
    turned = found["10 % of the labels turned"]
    assert turned.drifts["quality"] == turned.n_windows
    assert turned.drifts["features"] == turned.drifts["whole rows"] == 0
    assert found["columns as before, rows dealt anew"].drifts["whole rows"] == 1


def rows_by(arrival: Arrival, size: int) -> list[float]:
    """Return the mean age of each `size` rows that come."""
    rows = arriving(arrival, Pool.of(SEED, 5_000), 9_600, np.random.default_rng(SEED))
    ages = np.array(rows.column("age"), np.float64)
    return [float(one.mean()) for one in np.split(ages, len(ages) // size)]


def test_clumps_wander_and_single_rows_do_not() -> None:
    apart, alike = rows_by(Arrival.CLUMPED, worlds.CLUMP_ROWS), rows_by(Arrival.SINGLY, worlds.CLUMP_ROWS)
    assert np.std(apart) > 2.5 * np.std(alike)


def test_age_follows_the_hour_of_the_day() -> None:
    hours = rows_by(Arrival.RHYTHMIC, worlds.ROWS_PER_HOUR)
    evening, morning = np.mean(hours[18::24]), np.mean(hours[6::24])
    assert morning - evening > 8
    assert np.std(hours[6::24]) < 2


@pytest.mark.parametrize("arrival", Arrival)
def test_labels_have_one_law_however_rows_come(arrival: Arrival) -> None:
    rows = arriving(arrival, Pool.of(SEED, 20_000), 20_000, np.random.default_rng(SEED))
    chance = population.true_probabilities(rows)
    positive = np.array(rows.labels) == max(rows.labels)
    deviation = np.sqrt(np.sum(chance * (1 - chance)))
    # Rows of one pool repeat, which widens the error; turned labels would lie hundreds of rows off.
    assert abs(float(np.sum(positive - chance))) < 6 * deviation


def test_rows_dealt_anew_have_the_same_columns() -> None:
    pool, random = Pool.of(SEED, 3_000), np.random.default_rng(SEED)
    (dealt,) = [one for one in CHANGES if one.name == "columns as before, rows dealt anew"]
    assert dealt.changed is not None
    rows = pool.rows.take(range(500))
    after = dealt.changed(rows, random)
    assert all(Counter(after.column(name)) == Counter(rows.column(name)) for name in rows.header)
    assert after.rows != rows.rows
    assert after.labels == rows.labels


def test_labels_are_turned_in_about_their_fraction() -> None:
    rows = Pool.of(SEED, 4_000).rows
    (turned,) = [one for one in CHANGES if one.name == "10 % of the labels turned"]
    assert turned.changed is not None
    after = turned.changed(rows, np.random.default_rng(SEED))
    assert after.rows == rows.rows
    differing = sum(one != other for one, other in zip(after.labels, rows.labels, strict=True))
    assert abs(differing - 400) < 5 * np.sqrt(4_000 * 0.1 * 0.9)


def test_page_and_file_have_every_tally(tmp_path: Path, unchanged: VerdictTally) -> None:
    clumped = replace(unchanged, arrival="in clumps", history=True, drifts={**unchanged.drifts, "features": 2})
    study = VerdictStudy(
        "a test", 1, "a town", {"Python": "3"}, 60.0, (unchanged, clumped), clumps(), (judged("none"),), (ramp(),)
    )
    study.save(tmp_path / "verdicts.json")
    assert VerdictStudy.load(tmp_path / "verdicts.json") == study
    written = tmp_path / "page.md"
    written.write_text("\n".join(markers(page.MARKER)))
    page.write(study, written)
    text = written.read_text()
    assert "| in clumps | 300 | 4 | 2 (7 to 93 %) |" in text
    assert f"| `{features.SCALED}` | none | **" in text
