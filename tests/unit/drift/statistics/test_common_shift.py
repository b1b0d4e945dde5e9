"""A small shift of all values is found where there is one, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from plumbline.drift.data.counts import NumericCounts
from plumbline.drift.statistics.cells import Cells
from plumbline.drift.statistics.common_shift import shifted_back, small_common_shift
from plumbline.drift.statistics.jensen_shannon import jensen_shannon_distance

RANDOM = np.random.default_rng(3)
HOURS = np.where(RANDOM.random(6000) < 0.47, 40.0, np.round(RANDOM.normal(41, 14, 6000)))
"""Like hours a week: nearly half of the values are 40."""
REFERENCE = NumericCounts.of(HOURS[:4000])


def test_an_hour_a_week_is_a_small_shift_though_bins_blow_it_up() -> None:
    window = NumericCounts.of(HOURS[4000:] + 1)
    assert jensen_shannon_distance(Cells.between(REFERENCE, window)) > 0.4

    shift = small_common_shift(REFERENCE, window)

    assert shift == 1.0
    back = shifted_back(window, shift, REFERENCE)
    assert jensen_shannon_distance(Cells.between(REFERENCE, back)) < 0.1


@pytest.mark.parametrize(
    ("why", "window"),
    [
        ("no shift", HOURS[4000:]),
        ("a large one", HOURS[4000:] + 3),
        ("a stuck sensor", np.where(np.arange(2000) % 5 == 0, 40.0, HOURS[4000:])),
        ("an infinite value", np.append(HOURS[4000:], np.inf)),
    ],
)
def test_other_changes_are_none(why: str, window: np.ndarray) -> None:
    assert small_common_shift(REFERENCE, NumericCounts.of(window)) is None, why


def test_outliers_of_the_reference_do_not_make_a_shift_small() -> None:
    bulk = RANDOM.normal(50, 5, 4000)
    reference = NumericCounts.of(np.where(np.arange(4000) < 20, 1e6, bulk))
    assert small_common_shift(reference, NumericCounts.of(bulk + 5)) is None


def test_values_come_back_to_the_references_own_despite_rounding() -> None:
    reference = NumericCounts.of(np.array([0.1, 0.2, 0.3]))
    window = replace(reference, values=reference.values + 0.01)
    back = shifted_back(window, 0.01, reference)
    assert back.values.tolist() == reference.values.tolist()
    assert back.n_present == 3


def test_a_shift_may_make_two_values_one() -> None:
    reference = NumericCounts.of(np.array([1.0]))
    window = NumericCounts.of(np.array([2.0, 2.0 + 1e-12]))
    back = shifted_back(window, 1.0, reference)
    assert (back.values.tolist(), back.counts.tolist()) == ([1.0], [2])


def test_values_near_the_end_of_floats_are_compared() -> None:
    huge = 1.7e308
    reference = NumericCounts.of(np.array([0.0, huge]))
    assert small_common_shift(reference, NumericCounts.of(np.array([0.0, 0.0, huge, -huge]))) is None
    values = np.linspace(-1, 1, 400) * 1e308
    shift = small_common_shift(NumericCounts.of(values), NumericCounts.of(values + 1e306))
    assert shift is not None
    assert shift == pytest.approx(1e306)
    back = shifted_back(NumericCounts.of(values + 1e306), shift, NumericCounts.of(values))
    assert back.n_present == 400
