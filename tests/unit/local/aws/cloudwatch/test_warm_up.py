"""Warm-up periods by the words of the CloudWatch User Guide, "Alarm warm-up periods"."""

from typing import Any

import pytest

from plumbline.local.aws.cloudwatch.alarms import EvaluationRule
from plumbline.local.aws.cloudwatch.warm_up import WarmUp, WarmUps, checked, requested
from plumbline.local.aws.errors import ApiError

HOUR = 3600
RULE = EvaluationRule("LessThanThreshold", 1.0, 3, 3, "breaching")
NOTHING = [None] * 5
ONE = [1.0, None, None, None, None]
FULL = [1.0, 1.0, None, 1.0, None]


def alarm(minutes: int | None = 180, **more: Any) -> dict[str, Any]:
    configuration = {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": minutes}} if minutes else {}
    return {
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 1.0,
        "EvaluationPeriods": 3,
        "TreatMissingData": "breaching",
        **configuration,
        **more,
    }


@pytest.mark.parametrize(
    ("age", "points", "whole", "holds"),
    [
        (0, NOTHING, False, True),
        (3 * HOUR - 1, NOTHING, False, True),
        (3 * HOUR, NOTHING, False, False),
        (HOUR, ONE, False, True),
        (HOUR, FULL, False, False),
        (HOUR, FULL, True, True),
        (3 * HOUR, FULL, True, False),
    ],
    ids=[
        "new",
        "just before its end",
        "at its end",
        "too few points",
        "the window is full",
        "whole in any case",
        "whole and over",
    ],
)
def test_warm_up_lasts_until_its_end_or_a_full_window(
    age: float, points: list[float | None], whole: bool, holds: bool
) -> None:
    assert WarmUp(3 * HOUR, whole).holds(age, RULE, points) is holds


def test_alarm_without_the_setting_has_no_warm_up() -> None:
    assert WarmUp.of(alarm(None)) is None
    assert not WarmUps().holds(alarm(None), NOTHING, 0)


def test_setting_is_read_with_its_default() -> None:
    assert WarmUp.of(alarm(30)) == WarmUp(1800, whole=False)
    whole = {"WarmUpPeriodDurationInMinutes": 30, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
    assert WarmUp.of(alarm(WarmUpConfiguration=whole)) == WarmUp(1800, whole=True)


def test_warm_up_begins_when_the_alarm_does() -> None:
    warm_ups = WarmUps()
    assert [warm_ups.holds(alarm(), NOTHING, now) for now in (100, 100 + 3 * HOUR - 1, 100 + 3 * HOUR)] == [
        True,
        True,
        False,
    ]


def test_data_that_stops_again_does_not_bring_the_warm_up_back() -> None:
    warm_ups = WarmUps()
    assert warm_ups.holds(alarm(), ONE, 0)
    assert not warm_ups.holds(alarm(), FULL, HOUR)
    assert not warm_ups.holds(alarm(), NOTHING, 2 * HOUR)


def test_change_after_its_end_does_not_restart_it() -> None:
    warm_ups = WarmUps()
    assert warm_ups.holds(alarm(60), NOTHING, 0)
    assert not warm_ups.holds(alarm(60), NOTHING, HOUR)
    assert not warm_ups.holds(alarm(2880), NOTHING, HOUR + 1)


def test_change_before_its_end_counts() -> None:
    warm_ups = WarmUps()
    assert warm_ups.holds(alarm(60), NOTHING, 0)
    assert warm_ups.holds(alarm(120), NOTHING, HOUR)
    assert not warm_ups.holds(alarm(120), NOTHING, 2 * HOUR)


def test_alarm_that_is_made_again_warms_up_again() -> None:
    warm_ups = WarmUps()
    assert warm_ups.holds(alarm(), NOTHING, 0)
    assert not warm_ups.holds(alarm(), NOTHING, 3 * HOUR)
    warm_ups.keep([alarm()["AlarmArn"]])
    assert not warm_ups.holds(alarm(), NOTHING, 3 * HOUR)
    warm_ups.keep([])
    assert warm_ups.holds(alarm(), NOTHING, 3 * HOUR)


@pytest.mark.parametrize("minutes", [1, 2880, "180"])
def test_period_is_one_minute_to_two_days(minutes: Any) -> None:
    member = checked({"WarmUpPeriodDurationInMinutes": minutes})
    assert member == {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": int(minutes)}}


@pytest.mark.parametrize(
    "configuration",
    [
        {"WarmUpPeriodDurationInMinutes": 0},
        {"WarmUpPeriodDurationInMinutes": 2881},
        {"OnlyStartEvaluatingAfterWarmUpPeriodEnds": True},
        {},
    ],
    ids=["too short", "too long", "no period", "empty"],
)
def test_other_periods_are_refused(configuration: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="WarmUpPeriodDurationInMinutes|warmUpPeriodDurationInMinutes"):
        checked(configuration)


def test_no_configuration_is_no_member() -> None:
    assert checked(None) == {}


@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({}, {"AlarmName": "a", "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}}),
        ({"AlarmName": ["a"], "WarmUpConfiguration.WarmUpPeriodDurationInMinutes": ["5"]}, {}),
    ],
    ids=["document", "query"],
)
def test_request_is_read_in_every_protocol(params: dict[str, Any], body: dict[str, Any]) -> None:
    name, configuration = requested(params, body)
    assert name == "a"
    assert checked(configuration) == {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}}


@pytest.mark.parametrize(("params", "body"), [({}, {"AlarmName": "a"}), ({"AlarmName": ["a"]}, {})])
def test_request_may_have_no_warm_up(params: dict[str, Any], body: dict[str, Any]) -> None:
    assert requested(params, body) == ("a", None)
