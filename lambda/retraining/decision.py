"""Whether a trigger starts a retraining: pure functions of trigger, state, policy and facts, and their results."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from plumbline.contract.retraining import ControllerAction, Obstacle, SwitchPosition
from plumbline.functions.retraining.settings import RetrainingPolicy
from plumbline.functions.retraining.state import RejectedRun, ReservedRun, RetrainingState
from plumbline.functions.retraining.triggers import RetrainingTrigger
from plumbline.functions.shared.events import display_time

DAY = timedelta(hours=24)
OVERRIDABLE = frozenset(
    {
        Obstacle.SWITCHED_OFF,
        Obstacle.SWITCH_UNKNOWN,
        Obstacle.COOLDOWN,
        Obstacle.DAILY_CAP,
        Obstacle.SAME_EVIDENCE,
    }
)
"""Obstacles that a person's request with force overrides."""


@dataclass(frozen=True)
class RetrainingFacts:
    """What the controller read from AWS.

    Parameters
    ----------
    now
        Aware, in UTC.
    switch
        None: it could not be read, or is neither on nor off.
    champion
        URI of the champion's artifact; None: it could not be read.
    live_from
        Since when it serves; None: it is the first champion, or unknown.
    changing_from
        Since when the endpoint changes to another model, by the champions' history; None: it does not.
    """

    now: datetime
    switch: SwitchPosition | None
    champion: str | None
    live_from: datetime | None = None
    changing_from: str | None = None


@dataclass(frozen=True)
class FoundObstacle:
    """An obstacle with its numbers, as a text for people."""

    obstacle: Obstacle
    text: str


@dataclass(frozen=True)
class StartDecision:
    """The first obstacle, None: start; and the obstacles that a person overrode."""

    obstacle: FoundObstacle | None
    overridden: tuple[FoundObstacle, ...] = ()


@dataclass(frozen=True)
class ControllerDecision:
    """What came of one event, as it is logged and returned.

    Parameters
    ----------
    reason
        For people: why nothing was started or done, or the run's name.
    cause
        What triggered a retraining; None: nothing did.
    overridden
        The texts of the obstacles that a person overrode.
    """

    action: ControllerAction
    reason: str
    obstacle: Obstacle | None = None
    cause: str | None = None
    execution: str | None = None
    overridden: tuple[str, ...] = ()


def decide_start(
    trigger: RetrainingTrigger, state: RetrainingState, facts: RetrainingFacts, policy: RetrainingPolicy
) -> StartDecision:
    """Return the first obstacle that stops the trigger, or what it overrode; the fresh rows are not counted here."""
    overridden = []
    for found in _obstacles(trigger, state, facts, policy):
        if not (trigger.forced and found.obstacle in OVERRIDABLE):
            return StartDecision(found)
        overridden.append(found)
    return StartDecision(None, tuple(overridden))


def may_start(run: ReservedRun, trigger_forced: bool, facts: RetrainingFacts) -> bool:
    """Return whether a reserved run may be started: the switch may have been turned since it was reserved."""
    return run.forced or trigger_forced or facts.switch is SwitchPosition.ON


def labels_needed(n_rows: int, fresh_from: str, fresh_until: str, policy: RetrainingPolicy) -> FoundObstacle | None:
    """Return the obstacle of too few fresh labelled rows; None: there are enough."""
    if n_rows >= policy.min_fresh_rows:
        return None
    return FoundObstacle(
        Obstacle.LABELS_NEEDED,
        f"{n_rows} labelled rows were captured from {fresh_from} until {fresh_until}, and {policy.min_fresh_rows} are "
        "wanted",
    )


def last_rejection(state: RetrainingState, facts: RetrainingFacts, policy: RetrainingPolicy) -> RejectedRun | None:
    """Return the run whose evidence a new one must exceed; None: there is none, or it was another question.

    That is one with another champion, or trained and judged by other settings.
    """
    rejected = state.rejected
    if rejected is None or (rejected.champion, rejected.rules) != (facts.champion, policy.rules):
        return None
    return rejected


def same_evidence(
    trigger: RetrainingTrigger, rejected: RejectedRun, n_new: int, policy: RetrainingPolicy
) -> FoundObstacle | None:
    """Return the obstacle of evidence that a rejected challenger has had already; None: there is more.

    Training repeats itself: the same rows make the same challenger, whichever alarm asks. As many new labelled rows as
    a first run needs are new evidence; an alarm that the rejected run did not answer says that the world moved on, so
    that any new row is.

    Parameters
    ----------
    n_new
        Labelled rows that the rejected run did not read, the policy's `min_fresh_rows` at most.
    """
    another = set(trigger.alarms) - set(rejected.alarms)
    if n_new >= policy.min_fresh_rows or (another and n_new > 0):
        return None
    return FoundObstacle(
        Obstacle.SAME_EVIDENCE,
        f"the challenger of {rejected.display_name} was rejected ({rejected.reason}), and since it read them "
        f"{n_new} labelled rows are new, of {policy.min_fresh_rows} that are worth another run",
    )


def _obstacles(
    trigger: RetrainingTrigger, state: RetrainingState, facts: RetrainingFacts, policy: RetrainingPolicy
) -> Iterator[FoundObstacle]:
    # The switch comes first: a reserved run that it keeps from being started is not in progress.
    yield from _switch(facts)
    yield from _under_way(trigger, state)
    yield from _champion(facts)
    yield from _cooldown(trigger, state, facts, policy)
    recent = [start for start in state.starts if trigger.moment - start.moment < DAY]
    if len(recent) >= policy.runs_per_day:
        yield FoundObstacle(
            Obstacle.DAILY_CAP, f"{len(recent)} were started within 24 hours, and {policy.runs_per_day} are allowed"
        )


def _switch(facts: RetrainingFacts) -> Iterator[FoundObstacle]:
    if facts.switch is SwitchPosition.OFF:
        yield FoundObstacle(Obstacle.SWITCHED_OFF, "the switch is off")
    elif facts.switch is None:
        yield FoundObstacle(Obstacle.SWITCH_UNKNOWN, "the switch could not be read, or is neither on nor off")


def _under_way(trigger: RetrainingTrigger, state: RetrainingState) -> Iterator[FoundObstacle]:
    if any(start.event_key == trigger.event_key for start in state.starts):
        yield FoundObstacle(Obstacle.ALREADY_STARTED, "the same event was handled before and started a run")
    if state.run:
        reserved = display_time(datetime.fromisoformat(state.run.reserved_at))
        yield FoundObstacle(Obstacle.IN_PROGRESS, f"{state.run.display_name} of {reserved} is in progress")


def _champion(facts: RetrainingFacts) -> Iterator[FoundObstacle]:
    if facts.champion is None:
        yield FoundObstacle(Obstacle.CHAMPION_UNKNOWN, "the champion's artifact could not be read")
    if facts.changing_from is not None:
        text = f"the endpoint is changing to another model since {facts.changing_from}"
        yield FoundObstacle(Obstacle.CHAMPION_CHANGING, text)


def _cooldown(
    trigger: RetrainingTrigger, state: RetrainingState, facts: RetrainingFacts, policy: RetrainingPolicy
) -> Iterator[FoundObstacle]:
    hours = f"the cool-down is {policy.cooldown / timedelta(hours=1):g} hours"
    last = state.last_start
    # A start after the event is one that the event could have triggered, however short the cool-down.
    if last and (trigger.moment < last or trigger.moment - last < policy.cooldown):
        yield FoundObstacle(Obstacle.COOLDOWN, f"the last one was started at {display_time(last)}, and {hours}")
    elif facts.live_from and trigger.moment - facts.live_from < policy.cooldown:
        since = display_time(facts.live_from)
        yield FoundObstacle(Obstacle.COOLDOWN, f"the champion serves only since {since}, and {hours}")
