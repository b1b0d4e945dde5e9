from dataclasses import replace
from datetime import timedelta

import pytest
from retraining.decision import Facts, Obstacle, Rule, judge, labels_needed, may_start
from retraining.state import Run, Start, State
from retraining.triggers import Trigger

from contract.retraining import SwitchPosition
from tests.unit.retraining.fakes import NOW

RULE = Rule("plumbline-dev", ("a",), timedelta(hours=6), 3, timedelta(hours=48), 500)
TRIGGER = Trigger("episode", "a", "a went to ALARM", NOW)
FORCED = replace(TRIGGER, forced=True)
FACTS = Facts(NOW, SwitchPosition.ON, "s3://a/m")
RUN = Run("t", "a-run", "s3://a/m", "f", "u", "why", NOW.isoformat(), False, "arn")


def started(*hours_ago: float) -> State:
    return State(starts=tuple(Start(f"{hours}", (NOW - timedelta(hours=hours)).isoformat()) for hours in hours_ago))


def serves_since(hours_ago: float) -> Facts:
    return replace(FACTS, live_from=NOW - timedelta(hours=hours_ago))


CASES = {
    "nothing in the way": (State(), FACTS, None),
    "old start": (started(7), FACTS, None),
    "at the edge of the cool-down": (started(6), FACTS, None),
    "within the cool-down": (started(5.99), FACTS, Obstacle.COOLDOWN),
    "one of two within": (started(30, 1), FACTS, Obstacle.COOLDOWN),
    "started after the event": (started(-30), FACTS, Obstacle.COOLDOWN),
    "model is new": (State(), serves_since(5), Obstacle.COOLDOWN),
    "model is not new": (State(), serves_since(6), None),
    "cap reached": (started(23.9, 15, 7), FACTS, Obstacle.DAILY_CAP),
    "cap reached a day ago": (started(24, 15, 7), FACTS, None),
    "same event": (State(starts=(Start("episode", "2026-01-01T00:00:00+00:00"),)), FACTS, Obstacle.ALREADY_STARTED),
    "running": (State(run=RUN), FACTS, Obstacle.IN_PROGRESS),
    "reserved": (State(run=replace(RUN, execution=None)), FACTS, Obstacle.IN_PROGRESS),
    "switch off": (State(), replace(FACTS, switch=SwitchPosition.OFF), Obstacle.SWITCHED_OFF),
    "switch unreadable": (State(), replace(FACTS, switch=None), Obstacle.SWITCH_UNKNOWN),
    "champion unknown": (State(), replace(FACTS, champion=None), Obstacle.CHAMPION_UNKNOWN),
    "champion changes": (State(), replace(FACTS, changing_from="2026-03-01T05:00:00Z"), Obstacle.CHANGING),
    "all at once": (State(run=RUN), replace(FACTS, switch=SwitchPosition.OFF), Obstacle.SWITCHED_OFF),
}
OVERRIDDEN = {Obstacle.COOLDOWN, Obstacle.DAILY_CAP, Obstacle.SWITCHED_OFF, Obstacle.SWITCH_UNKNOWN}


@pytest.mark.parametrize(("state", "facts", "obstacle"), CASES.values(), ids=CASES)
def test_first_obstacle_is_named(state: State, facts: Facts, obstacle: Obstacle | None) -> None:
    judgement = judge(TRIGGER, state, facts, RULE)
    assert (judgement.refusal and judgement.refusal.obstacle) == obstacle
    assert judgement.overridden == ()


@pytest.mark.parametrize(("state", "facts", "obstacle"), CASES.values(), ids=CASES)
def test_force_overrides_switch_cool_down_and_cap_only(state: State, facts: Facts, obstacle: Obstacle | None) -> None:
    judgement = judge(FORCED, state, facts, RULE)
    if obstacle in OVERRIDDEN and state.run is None:
        assert judgement.refusal is None
        assert obstacle in {refusal.obstacle for refusal in judgement.overridden}
    else:
        expected = Obstacle.IN_PROGRESS if state.run else obstacle
        assert (judgement.refusal and judgement.refusal.obstacle) == expected


def test_refusals_say_the_numbers() -> None:
    said = [
        judge(TRIGGER, CASES[name][0], CASES[name][1], RULE).refusal for name in ("one of two within", "cap reached")
    ]
    assert [refusal.why for refusal in said if refusal] == [
        "the last one was started at 2026-03-01 04:30 UTC, and the cool-down is 6 hours",
        "3 were started within 24 hours, and 3 are allowed",
    ]


def test_event_from_before_a_start_starts_nothing_without_any_cool_down() -> None:
    refusal = judge(TRIGGER, started(-0.01), FACTS, replace(RULE, cooldown=timedelta(0))).refusal
    assert refusal is not None
    assert refusal.obstacle is Obstacle.COOLDOWN


@pytest.mark.parametrize(
    ("switch", "run_forced", "forced", "may"),
    [
        (SwitchPosition.ON, False, False, True),
        (SwitchPosition.OFF, False, False, False),
        (None, False, False, False),
        (SwitchPosition.OFF, True, False, True),
        (SwitchPosition.OFF, False, True, True),
    ],
)
def test_reserved_run_waits_for_the_switch(
    switch: SwitchPosition | None, run_forced: bool, forced: bool, may: bool
) -> None:
    assert may_start(replace(RUN, forced=run_forced), forced, replace(FACTS, switch=switch)) is may


def test_too_few_rows_say_how_many_are_wanted() -> None:
    refusal = labels_needed(499, "A", "B", RULE)
    assert refusal is not None
    assert refusal.why == "499 labelled rows were captured from A until B, and 500 are wanted"
    assert labels_needed(500, "A", "B", RULE) is None
