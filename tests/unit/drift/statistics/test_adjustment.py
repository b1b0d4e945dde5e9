import math

import pytest

from plumbline.drift.statistics.declaration import benjamini_hochberg_log


def adjusted(p_values: list[float]) -> list[float]:
    logarithms = [math.log(p) if p else -math.inf for p in p_values]
    return [math.exp(log_p) for log_p in benjamini_hochberg_log(logarithms)]


def test_adjusts_the_table_of_benjamini_and_hochberg() -> None:
    # The 15 p-values of section 4.1 of their 1995 paper; adjusted by hand: p_i * 15 / i, then the running
    # minimum from the largest down.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    expected = [0.0015, 0.0030, 0.0095, 0.035625, 0.0603, 0.0638571, 0.0638571, 0.0645, 0.0765]
    expected += [0.486, 0.5811818, 0.714875, 0.7532308, 0.8132143, 1]
    assert adjusted(p) == pytest.approx(expected, abs=1e-6)
    # Their paper rejects the first four at a false discovery rate of .05.
    assert [value < 0.05 for value in adjusted(p)] == [True] * 4 + [False] * 11


def test_keeps_the_order_of_its_input() -> None:
    assert adjusted([0.04, 0.01]) == pytest.approx([0.04, 0.02])


def test_one_p_value_stays_as_it_is() -> None:
    assert adjusted([0.3]) == pytest.approx([0.3])


def test_no_p_values_give_none() -> None:
    assert adjusted([]) == []


def test_zero_and_one_stay_in_range() -> None:
    assert adjusted([0.0, 1.0, 1.0]) == [0.0, 1.0, 1.0]


def test_p_values_below_the_smallest_float_keep_their_order() -> None:
    # Two tests: the smaller is doubled, the larger stays.
    assert benjamini_hochberg_log([-3000.0, -2000.0]) == pytest.approx([-3000 + math.log(2), -2000])
