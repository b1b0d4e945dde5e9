from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.contract.retraining import Obstacle, SwitchPosition
from plumbline.functions.retraining.decision import RetrainingFacts, decide_start, labels_needed, may_start
from plumbline.functions.retraining.settings import RetrainingPolicy
from plumbline.functions.retraining.state import ReservedRun, RetrainingStart, RetrainingState
from plumbline.functions.retraining.triggers import RetrainingTrigger
from tests.unit.functions.retraining.fakes import NOW

POLICY = RetrainingPolicy(
    alarm_names=("a",),
    cooldown=timedelta(hours=6),
    runs_per_day=3,
    fresh_period=timedelta(hours=48),
    min_fresh_rows=500,
    rules="0123",
)
TRIGGER = RetrainingTrigger("event", "a", "a went to ALARM", NOW)
FORCED = replace(TRIGGER, forced=True)
FACTS = RetrainingFacts(NOW, SwitchPosition.ON, "s3://a/m")
RUN = ReservedRun("t", "a-run", "s3://a/m", "f", "u", "why", NOW.isoformat(), False, "arn")


def started(*hours_ago: float) -> RetrainingState:
    return RetrainingState(
        starts=tuple(RetrainingStart(f"{hours}", (NOW - timedelta(hours=hours)).isoformat()) for hours in hours_ago)
    )


def serves_since(hours_ago: float) -> RetrainingFacts:
    return replace(FACTS, live_from=NOW - timedelta(hours=hours_ago))


CASES = {
    "nothing in the way": (RetrainingState(), FACTS, None),
    "old start": (started(7), FACTS, None),
    "at the edge of the cool-down": (started(6), FACTS, None),
    "within the cool-down": (started(5.99), FACTS, Obstacle.COOLDOWN),
    "one of two within": (started(30, 1), FACTS, Obstacle.COOLDOWN),
    "started after the event": (started(-30), FACTS, Obstacle.COOLDOWN),
    "model is new": (RetrainingState(), serves_since(5), Obstacle.COOLDOWN),
    "model is not new": (RetrainingState(), serves_since(6), None),
    "cap reached": (started(23.9, 15, 7), FACTS, Obstacle.DAILY_CAP),
    "cap reached a day ago": (started(24, 15, 7), FACTS, None),
    "same event": (
        RetrainingState(starts=(RetrainingStart("event", "2026-01-01T00:00:00+00:00"),)),
        FACTS,
        Obstacle.ALREADY_STARTED,
    ),
    "running": (RetrainingState(run=RUN), FACTS, Obstacle.IN_PROGRESS),
    "reserved": (RetrainingState(run=replace(RUN, execution=None)), FACTS, Obstacle.IN_PROGRESS),
    "switch off": (RetrainingState(), replace(FACTS, switch=SwitchPosition.OFF), Obstacle.SWITCHED_OFF),
    "switch unreadable": (RetrainingState(), replace(FACTS, switch=None), Obstacle.SWITCH_UNKNOWN),
    "champion unknown": (RetrainingState(), replace(FACTS, champion=None), Obstacle.CHAMPION_UNKNOWN),
    "champion changes": (
        RetrainingState(),
        replace(FACTS, changing_from="2026-03-01T05:00:00Z"),
        Obstacle.CHAMPION_CHANGING,
    ),
    "all at once": (RetrainingState(run=RUN), replace(FACTS, switch=SwitchPosition.OFF), Obstacle.SWITCHED_OFF),
}
OVERRIDDEN = {Obstacle.COOLDOWN, Obstacle.DAILY_CAP, Obstacle.SWITCHED_OFF, Obstacle.SWITCH_UNKNOWN}


@pytest.mark.parametrize(("state", "facts", "obstacle"), CASES.values(), ids=CASES)
def test_first_obstacle_is_named(state: RetrainingState, facts: RetrainingFacts, obstacle: Obstacle | None) -> None:
    decision = decide_start(TRIGGER, state, facts, POLICY)
    assert (decision.obstacle and decision.obstacle.obstacle) == obstacle
    assert decision.overridden == ()


@pytest.mark.parametrize(("state", "facts", "obstacle"), CASES.values(), ids=CASES)
def test_force_overrides_switch_cool_down_and_cap_only(
    state: RetrainingState, facts: RetrainingFacts, obstacle: Obstacle | None
) -> None:
    decision = decide_start(FORCED, state, facts, POLICY)
    if obstacle in OVERRIDDEN and state.run is None:
        assert decision.obstacle is None
        assert obstacle in {found.obstacle for found in decision.overridden}
    else:
        expected = Obstacle.IN_PROGRESS if state.run else obstacle
        assert (decision.obstacle and decision.obstacle.obstacle) == expected


def test_texts_of_obstacles_have_the_numbers() -> None:
    said = [
        decide_start(TRIGGER, CASES[name][0], CASES[name][1], POLICY).obstacle
        for name in ("one of two within", "cap reached")
    ]
    assert [found.text for found in said if found] == [
        "the last one was started at 2026-03-01 04:30 UTC, and the cool-down is 6 hours",
        "3 were started within 24 hours, and 3 are allowed",
    ]


def test_event_from_before_a_start_starts_nothing_without_any_cool_down() -> None:
    found = decide_start(TRIGGER, started(-0.01), FACTS, replace(POLICY, cooldown=timedelta(0))).obstacle
    assert found is not None
    assert found.obstacle is Obstacle.COOLDOWN


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


def test_obstacle_of_too_few_rows_has_both_numbers() -> None:
    found = labels_needed(499, "A", "B", POLICY)
    assert found is not None
    assert found.text == "499 labelled rows were captured from A until B, and 500 are wanted"
    assert labels_needed(500, "A", "B", POLICY) is None
