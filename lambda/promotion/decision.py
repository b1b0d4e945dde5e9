"""What to do next: pure functions of what is remembered and what AWS says.

Every event only makes the function look, so that events may come twice, in any order, or not at all. A step may be
taken again after a function died in it: none does harm twice.
"""

from promotion.facts import BROKEN, CHANGING, ApprovalStatus, EndpointStatus, EndpointView, Facts, Serving, Unusable
from promotion.state import Attempt, State, Target
from promotion.steps import (
    Approve,
    CleanUp,
    Deploy,
    Finish,
    Forget,
    GiveUp,
    Hold,
    MarkChanging,
    Overtaken,
    Record,
    Refuse,
    Reject,
    Rest,
    StartHistory,
    Step,
    Tell,
    TurnDown,
)

TOLD_AT_ONCE = 3
"""How many versions are told of at most when the state has been lost: a storm of old news helps nobody."""


def next_step(state: State, facts: Facts) -> Step:
    """Return the next step; `Rest` when the next event has to come first."""
    looks = (_news, _history, _outcome, _record, _asked, _candidate, _order)
    steps = (look(state, facts) for look in looks)
    return next((step for step in steps if step), Rest("what should serve serves"))


def begun(attempt: Attempt, endpoint: EndpointView) -> bool:
    """Return whether the endpoint's update began: it was modified since, or has the new configuration already."""
    return endpoint.modified != attempt.modified or endpoint.config == attempt.config


def _news(state: State, facts: Facts) -> Step | None:
    untold = [version for version in facts.versions if version.number > state.told_version and version.completed]
    return Tell(untold[-TOLD_AT_ONCE:][0]) if untold else None


def _history(_: State, facts: Facts) -> Step | None:
    if facts.history is None:
        return StartHistory() if facts.serving else Rest(f"the endpoint is {facts.endpoint.status}, and no model known")
    if facts.endpoint.status in CHANGING and facts.history.changing_from is None:
        return MarkChanging(facts.endpoint.modified)
    return None


def _outcome(state: State, facts: Facts) -> Step | None:
    attempt, endpoint = state.attempt, facts.endpoint
    if attempt is None or not begun(attempt, endpoint):
        return None
    if endpoint.status in BROKEN:
        return GiveUp(attempt, f"the endpoint is {endpoint.status}: {endpoint.failure or 'no reason given'}")
    if endpoint.status != EndpointStatus.IN_SERVICE:
        return Rest(f"{attempt.target.name} is being promoted: the endpoint is {endpoint.status}")
    if endpoint.config == attempt.config:
        return Finish(attempt)
    if endpoint.config == attempt.replaces:
        return GiveUp(attempt, endpoint.failure or "the endpoint went back without a reason")
    return Overtaken(attempt)


def _record(_: State, facts: Facts) -> Step | None:
    if facts.serving is None or facts.history is None:
        return Rest(f"the endpoint is {facts.endpoint.status}")
    if facts.history.changing_from or not facts.serving.is_of(facts.history.live):
        return Record()
    return None


def _asked(state: State, facts: Facts) -> Step | None:
    again = state.attempt.target if state.attempt and state.attempt.target.request else None
    target = state.asked or again
    if target is None or facts.serving is None:
        return None
    why_not = _obstacle(target, facts, facts.serving)
    if why_not:
        return Refuse(target, why_not)
    version, left = facts.version(target.model_package), facts.version(target.rejects)
    if version and version.approval == ApprovalStatus.PENDING:
        return Approve(target)
    if left and left.approval != ApprovalStatus.REJECTED:
        return Reject(left.arn, target.cause)
    return Deploy(target)


def _obstacle(target: Target, facts: Facts, serving: Serving) -> str | None:
    version = facts.version(target.model_package)
    if serving.is_of(target):
        return f"{target.name} serves already"
    if version and version.approval == ApprovalStatus.REJECTED:
        return f"{target.name} was rejected meanwhile"
    if target.model_package and version is None and not target.rollback:
        return f"{target.name} is no longer in the registry"
    return None


def _candidate(state: State, facts: Facts) -> Step | None:
    candidate = facts.candidate
    if candidate is None or facts.serving is None:
        return None
    if isinstance(candidate, Unusable):
        return TurnDown(candidate)
    if facts.serving.is_of(candidate):
        return None
    if facts.switch_off is None:
        return Deploy(candidate)
    return None if state.held_version == candidate.version else Hold(candidate, facts.switch_off)


def _order(state: State, facts: Facts) -> Step | None:
    if state.attempt:
        return Forget()
    return CleanUp(facts.leftovers) if facts.leftovers else None
