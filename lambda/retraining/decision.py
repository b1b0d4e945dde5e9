"""Whether a trigger starts a retraining: pure functions of the trigger, the state, the rule and the facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contract.retraining import SwitchPosition
from retraining.state import Run, State
from retraining.triggers import Trigger, at

DAY = timedelta(hours=24)


class Obstacle(StrEnum):
    """Why nothing was started."""

    ALREADY_STARTED = "already started"
    """The same event came before. A success, not a fault."""
    IN_PROGRESS = "in progress"
    SWITCHED_OFF = "switched off"
    SWITCH_UNKNOWN = "switch unknown"
    CHAMPION_UNKNOWN = "live model unknown"
    CHANGING = "live model changes"
    COOLDOWN = "cool-down"
    DAILY_CAP = "daily cap"
    LABELS_NEEDED = "labels needed"


FORCED = frozenset({Obstacle.SWITCHED_OFF, Obstacle.SWITCH_UNKNOWN, Obstacle.COOLDOWN, Obstacle.DAILY_CAP})
"""What a person may override."""


@dataclass(frozen=True)
class Rule:
    """Which endpoint's alarms count, and how often and on how much they may start a retraining."""

    endpoint: str
    alarm_names: tuple[str, ...]
    cooldown: timedelta
    runs_per_day: int
    fresh: timedelta
    minimum_fresh_rows: int


@dataclass(frozen=True)
class Facts:
    """What the controller looked up.

    Parameters
    ----------
    now
        Aware, in UTC.
    switch
        None: it could not be read, or says neither on nor off.
    champion
        URI of the live model's artifact; None: it could not be read.
    live_from
        Since when it serves; None: it is the first one, or the champion is unknown.
    changing_from
        Since when the endpoint changes to another model, as the history says; None: it does not.
    """

    now: datetime
    switch: SwitchPosition | None
    champion: str | None
    live_from: datetime | None = None
    changing_from: str | None = None


@dataclass(frozen=True)
class Refusal:
    """An obstacle, in words."""

    obstacle: Obstacle
    why: str


@dataclass(frozen=True)
class Judgement:
    """What stands in the way, or what a person overrode."""

    refusal: Refusal | None
    overridden: tuple[Refusal, ...] = ()


def judge(trigger: Trigger, state: State, facts: Facts, rule: Rule) -> Judgement:
    """Return the first obstacle that binds the trigger, or what it overrode; the fresh rows are not looked at."""
    overridden = []
    for refusal in _refusals(trigger, state, facts, rule):
        if not (trigger.forced and refusal.obstacle in FORCED):
            return Judgement(refusal)
        overridden.append(refusal)
    return Judgement(None, tuple(overridden))


def may_start(run: Run, trigger_forced: bool, facts: Facts) -> bool:
    """Return whether a reserved run may be started: the switch may have been turned since it was reserved."""
    return run.forced or trigger_forced or facts.switch is SwitchPosition.ON


def labels_needed(n_rows: int, fresh_from: str, fresh_until: str, rule: Rule) -> Refusal | None:
    """Return the obstacle of too few fresh labelled rows."""
    if n_rows >= rule.minimum_fresh_rows:
        return None
    return Refusal(
        Obstacle.LABELS_NEEDED,
        f"{n_rows} labelled rows were captured from {fresh_from} until {fresh_until}, and {rule.minimum_fresh_rows} "
        "are wanted",
    )


def _refusals(trigger: Trigger, state: State, facts: Facts, rule: Rule) -> Iterator[Refusal]:
    # The switch comes first: a reserved run that it keeps from being started is not under way.
    yield from _switch(facts)
    yield from _under_way(trigger, state)
    yield from _champion(facts)
    yield from _cooldown(trigger, state, facts, rule)
    recent = [start for start in state.starts if trigger.moment - start.moment < DAY]
    if len(recent) >= rule.runs_per_day:
        yield Refusal(
            Obstacle.DAILY_CAP, f"{len(recent)} were started within 24 hours, and {rule.runs_per_day} are allowed"
        )


def _switch(facts: Facts) -> Iterator[Refusal]:
    if facts.switch is SwitchPosition.OFF:
        yield Refusal(Obstacle.SWITCHED_OFF, "the switch is off")
    elif facts.switch is None:
        yield Refusal(Obstacle.SWITCH_UNKNOWN, "the switch could not be read, or says neither on nor off")


def _under_way(trigger: Trigger, state: State) -> Iterator[Refusal]:
    if any(start.episode == trigger.episode for start in state.starts):
        yield Refusal(Obstacle.ALREADY_STARTED, "the same event came before, and started one")
    if state.run:
        run = state.run
        yield Refusal(
            Obstacle.IN_PROGRESS, f"{run.display_name} of {at(datetime.fromisoformat(run.reserved_at))} is in progress"
        )


def _champion(facts: Facts) -> Iterator[Refusal]:
    if facts.champion is None:
        yield Refusal(Obstacle.CHAMPION_UNKNOWN, "what model serves could not be read")
    if facts.changing_from is not None:
        yield Refusal(Obstacle.CHANGING, f"the endpoint is changing to another model since {facts.changing_from}")


def _cooldown(trigger: Trigger, state: State, facts: Facts, rule: Rule) -> Iterator[Refusal]:
    hours = f"the cool-down is {rule.cooldown / timedelta(hours=1):g} hours"
    last = state.last_start
    # A start after the event is one that the event could have asked for, however short the cool-down.
    if last and (trigger.moment < last or trigger.moment - last < rule.cooldown):
        yield Refusal(Obstacle.COOLDOWN, f"the last one was started at {at(last)}, and {hours}")
    elif facts.live_from and trigger.moment - facts.live_from < rule.cooldown:
        yield Refusal(Obstacle.COOLDOWN, f"the live model serves only since {at(facts.live_from)}, and {hours}")
