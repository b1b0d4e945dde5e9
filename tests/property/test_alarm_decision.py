"""What holds of every alarm decision, whatever the points."""

from hypothesis import given
from hypothesis import strategies as st

from plumbline.local.aws.cloudwatch.alarms import ALARM, INSUFFICIENT_DATA, OK, EvaluationRule, decide

POLICIES = ("missing", "ignore", "breaching", "notBreaching")
point = st.one_of(st.none(), st.sampled_from([0.0, 9.0]))


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, int, list[float | None]]:
    periods = draw(st.integers(1, 6))
    datapoints = draw(st.integers(1, periods))
    size = EvaluationRule("GreaterThanThreshold", 1.0, periods, datapoints).evaluation_range
    return periods, datapoints, draw(st.lists(point, min_size=size, max_size=size))


def _states(periods: int, datapoints: int, points: list[float | None]) -> dict[str, str | None]:
    return {
        policy: decide(EvaluationRule("GreaterThanThreshold", 1.0, periods, datapoints, policy), points).state
        for policy in POLICIES
    }


@given(cases())
def test_enough_real_points_make_the_policy_irrelevant(case: tuple[int, int, list[float | None]]) -> None:
    periods, datapoints, points = case
    real = [value for value in points if value is not None]
    if len(real) >= periods:
        states = _states(*case)
        expected = ALARM if sum(value > 1 for value in real[:periods]) >= datapoints else OK
        assert set(states.values()) == {expected}


@given(cases())
def test_only_no_data_at_all_is_insufficient(case: tuple[int, int, list[float | None]]) -> None:
    states = _states(*case)
    without_data = all(value is None for value in case[2])
    assert (states["missing"] == INSUFFICIENT_DATA) is without_data


@given(cases())
def test_breaching_alarms_whenever_another_policy_does(case: tuple[int, int, list[float | None]]) -> None:
    states = _states(*case)
    if states["notBreaching"] == ALARM or states["ignore"] == ALARM:
        assert states["breaching"] == ALARM


@given(cases())
def test_ignore_differs_from_missing_only_by_keeping_the_state(case: tuple[int, int, list[float | None]]) -> None:
    states = _states(*case)
    assert states["ignore"] is None or states["ignore"] == states["missing"]
