import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.drift.statistics.proportion import Share, difference, ratio


@st.composite
def shares(draw: st.DrawFn) -> Share:
    total = draw(st.integers(1, 10_000))
    return Share(draw(st.integers(0, total)), total)


@given(shares(), shares())
def test_difference_is_bounded_within_its_interval_and_turns_its_sign(group: Share, others: Share) -> None:
    found, turned = difference(group, others), difference(others, group)
    assert -1 <= found.lower <= found.value + 1e-12
    assert found.value - 1e-12 <= found.upper <= 1
    assert [turned.value, turned.lower, turned.upper] == pytest.approx([-found.value, -found.upper, -found.lower])
    assert found.error > 0


@given(shares(), shares())
def test_ratio_lies_within_its_interval(group: Share, others: Share) -> None:
    found = ratio(group, others)
    if others.count == 0:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.lower <= found.value * (1 + 1e-9)
    assert found.value <= found.upper * (1 + 1e-9)


@given(shares().filter(lambda share: share.count > 0), shares().filter(lambda share: share.count > 0))
def test_ratio_turned_round_is_its_reciprocal(group: Share, others: Share) -> None:
    found, turned = ratio(group, others), ratio(others, group)
    assert found is not None
    assert turned is not None
    assert found.value * turned.value == pytest.approx(1)
    assert found.lower * turned.upper == pytest.approx(1)
