"""The two tables of the CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", cell by cell."""

import pytest

from plumbline.local.aws.cloudwatch.alarms import ALARM, INSUFFICIENT_DATA, OK, EvaluationRule, decide

KEEP = None
POLICIES = ("missing", "ignore", "breaching", "notBreaching")

# 0 does not breach, X breaches, - is missing; oldest first, five points for three evaluation periods.
THREE_OF_THREE = [
    ("0 - X - X", (OK, OK, OK, OK)),
    ("0 - - - -", (OK, OK, OK, OK)),
    ("- - - - -", (INSUFFICIENT_DATA, KEEP, ALARM, OK)),
    ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", (ALARM, KEEP, ALARM, OK)),
]
TWO_OF_THREE = [
    ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", (OK, OK, ALARM, OK)),
    ("- - - - 0", (OK, OK, ALARM, OK)),
    ("- - - X -", (ALARM, KEEP, ALARM, OK)),
]


def _cells() -> list[tuple[str, int, str, str | None]]:
    return [
        (points, datapoints, policy, state)
        for datapoints, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for points, states in table
        for policy, state in zip(POLICIES, states, strict=True)
    ]


def _newest_first(points: str) -> list[float | None]:
    values = {"0": 0.0, "X": 9.0, "-": None}
    return [values[point] for point in reversed(points.split())]


@pytest.mark.parametrize(("points", "datapoints", "policy", "state"), _cells())
def test_decision_is_the_guides(points: str, datapoints: int, policy: str, state: str | None) -> None:
    rule = EvaluationRule("GreaterThanThreshold", 1.0, 3, datapoints, policy)
    assert decide(rule, _newest_first(points)).state == state


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_one_young_breach_of_three_is_not_yet_an_alarm(points: str) -> None:
    """The guide: "the alarm does not go immediately into ALARM state"."""
    rule = EvaluationRule("GreaterThanThreshold", 1.0, 3, 3)
    assert decide(rule, _newest_first(points)).state == OK


def test_range_is_the_guides_example() -> None:
    assert EvaluationRule("GreaterThanThreshold", 1.0, 3, 3).evaluation_range == 5


@pytest.mark.parametrize(
    ("comparison", "breaches"),
    [
        ("GreaterThanThreshold", (False, False, True)),
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_comparison_at_and_around_the_threshold(comparison: str, breaches: tuple[bool, ...]) -> None:
    rule = EvaluationRule(comparison, 1.0, 1, 1)
    assert tuple(rule.breaches(point) for point in (0.5, 1.0, 1.5)) == breaches


def test_rule_reads_an_alarm_and_its_defaults() -> None:
    alarm = {"ComparisonOperator": "LessThanThreshold", "Threshold": 1.0, "EvaluationPeriods": 4}
    assert EvaluationRule.of(alarm) == EvaluationRule("LessThanThreshold", 1.0, 4, 4, "missing")


def test_reason_names_points_and_threshold() -> None:
    decision = decide(EvaluationRule("GreaterThanThreshold", 1.0, 2, 2), [9.0, 8.0, None])
    assert decision.reason.startswith("Threshold Crossed: 2 out of the last 2 datapoints [9.0, 8.0]")
