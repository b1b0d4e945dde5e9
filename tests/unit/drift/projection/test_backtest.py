"""Misses of the past: none beyond sampling where nothing wanders, and the size of what does where it does."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from plumbline.contract.accuracy import ProjectionEvidence
from plumbline.contract.training import Task
from plumbline.drift.data.table import Table
from plumbline.drift.projection.backtest import past_distances, past_misses
from plumbline.drift.reference.baseline import Baseline
from plumbline.drift.reference.history import HistoryRows, window_bounds_of
from plumbline.drift.statistics.proportion import NORMAL_QUANTILE
from tests.unit.drift.projection.worlds import SPECS, Floats, baseline_of, draw, past_of, wandering


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return baseline_of(draw(2_000, 1))


def _excess(misses: list[tuple[float | None, float | None]]) -> Floats:
    """Return the misses in standard deviations of sampling."""
    return np.array(
        [NORMAL_QUANTILE * miss / width for miss, width in misses if miss is not None and width is not None]
    )


def test_a_task_that_does_not_wander_misses_no_more_than_sampling_explains(baseline: Baseline) -> None:
    # The mean square of 100 independent unit normals is 1 with a standard deviation of 0.14.
    misses = past_misses(baseline, past_of(draw(20_000, 2)), 200)
    assert len(_excess(misses)) > 80
    assert 0.6 < np.mean(_excess(misses) ** 2) < 1.5


@pytest.mark.parametrize("size", [500, 1_000, 2_000])
def test_what_a_task_wanders_is_found_at_each_window_size(baseline: Baseline, size: int) -> None:
    rows = wandering(20_000, 3, points=6.0, period=4_000)
    found = [miss for miss, _ in past_misses(baseline, past_of(rows), size) if miss is not None]
    # A sine's root mean square is 0.7 of its amplitude, and each miss is the difference of two of its places.
    assert 0.03 < math.sqrt(float(np.mean(np.square(found)))) < 0.09


def test_more_wandering_makes_larger_misses(baseline: Baseline) -> None:
    def size(points: float) -> float:
        found = past_misses(baseline, past_of(wandering(12_000, 4, points=points, period=3_000)), 500)
        return float(np.mean(np.square(_excess(found))))

    assert size(0.0) < size(4.0) < size(10.0)


def test_misses_are_aligned_with_the_windows_and_none_before_the_first_origin(baseline: Baseline) -> None:
    rows = past_of(draw(10_150, 5))
    misses, bounds = past_misses(baseline, rows, 1_000), window_bounds_of(10_150, 1_000)
    assert len(misses) == len(bounds) == 10
    # Two thousand rows are learned from first, as many as the test set has.
    assert [found is None for found, _ in misses] == [window.start < 2_000 for window in bounds]
    assert all((found is None) == (width is None) for found, width in misses)


def test_a_drop_is_a_negative_miss(baseline: Baseline) -> None:
    rows = draw(8_000, 6)
    spoilt = replace(rows, positive=np.where(np.arange(8_000) < 7_000, rows.positive, rows.scores < 0.5))
    misses = past_misses(baseline, past_of(spoilt), 1_000)
    assert misses[-1][0] is not None
    assert misses[-1][0] < -0.5


def test_several_classes_miss_by_whether_predictions_are_right(baseline: Baseline) -> None:
    random = np.random.default_rng(7)
    n = 8_000
    confidence = random.uniform(0.4, 1.0, n)
    right = random.uniform(size=n) < confidence - np.where(np.arange(n) < 7_000, 0.0, 0.3)
    rows = HistoryRows(
        table=draw(n, 7).table,
        times=["2026-01-01T00:00:00Z"] * n,
        labels=tuple(np.where(right, "b", "c").tolist()),
        probabilities=confidence,
        predicted=("b",) * n,
    )
    of_classes = replace(baseline, learned_task=Task.MULTICLASS, positive_label=None)
    misses = past_misses(of_classes, rows, 1_000)
    assert misses[-1][0] == pytest.approx(-0.3, abs=0.05)
    assert misses[-2][0] == pytest.approx(0.0, abs=0.05)
    assert past_misses(of_classes, replace(rows, predicted=None), 1_000) == [(None, None)] * 8


@pytest.mark.parametrize(
    "change", [{"learned_task": Task.REGRESSION}, {"positive_label": None}], ids=["quantity", "no positive label"]
)
def test_where_nothing_can_be_projected_there_is_no_miss(baseline: Baseline, change: dict[str, object]) -> None:
    rows = past_of(draw(3_000, 8))
    assert past_misses(replace(baseline, **change), rows, 1_000) == [(None, None)] * 3  # type: ignore[arg-type]


def test_a_past_of_one_outcome_or_of_few_rows_has_no_miss(baseline: Baseline) -> None:
    rows = past_of(draw(3_000, 9))
    assert past_misses(baseline, replace(rows, labels=("no",) * 3_000), 500) == [(None, None)] * 6
    assert past_misses(baseline, past_of(draw(600, 9)), 200) == [(None, None)] * 3


def test_distances_of_the_past_are_those_of_its_farthest_windows(baseline: Baseline) -> None:
    steady = past_distances(baseline, past_of(draw(6_000, 11)))
    assert steady.separability is not None
    assert steady.separability < 0.6
    assert steady.over_represented_fraction == 0.0
    assert steady.out_of_support_fraction is not None
    assert steady.out_of_support_fraction < 0.01
    rows = draw(6_000, 11)
    counter = np.arange(6_000.0)
    moving = past_distances(baseline, replace(past_of(rows), table=Table(SPECS, {**rows.table.columns, "x": counter})))
    assert moving.separability == pytest.approx(1.0, abs=0.01)
    assert moving.out_of_support_fraction == 1.0


def test_a_column_that_was_empty_before_has_no_support_to_be_out_of(baseline: Baseline) -> None:
    rows = draw(6_000, 12)
    late = np.array(rows.table.columns["group"], dtype=np.object_)
    late[:5_999] = None
    found = past_distances(baseline, replace(past_of(rows), table=Table(SPECS, {**rows.table.columns, "group": late})))
    assert found.out_of_support_fraction is not None
    assert found.out_of_support_fraction < 0.01


def test_a_short_past_has_no_distances(baseline: Baseline) -> None:
    assert past_distances(baseline, past_of(draw(1_500, 13))) == ProjectionEvidence()


def test_the_same_past_gives_the_same_misses_in_little_time(baseline: Baseline) -> None:
    rows = past_of(wandering(40_000, 10, points=4.0, period=9_000))
    started = time.process_time()
    first = past_misses(baseline, rows, 200)
    # Every size together takes about eight times as long; a minute is allowed for them.
    assert time.process_time() - started < 6
    assert past_misses(baseline, rows, 200) == first
