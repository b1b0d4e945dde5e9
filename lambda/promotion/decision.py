"""The next step: pure functions of the stored state and the facts.

An event is only an occasion to reconcile, so events may come twice, in any order, or not at all. A step may be taken
again after the function died in it; no step does harm twice.
"""

from plumbline.functions.promotion import steps
from plumbline.functions.promotion.facts import (
    BROKEN,
    CHANGING,
    ApprovalStatus,
    EndpointStatus,
    EndpointView,
    LiveModel,
    PromotionFacts,
    PromotionReason,
    UnusableVersion,
)
from plumbline.functions.promotion.facts import PromotionReasonCode as Code
from plumbline.functions.promotion.state import PromotionAttempt, PromotionState, PromotionTarget

MAX_BACKLOG = 3
"""Versions that people are notified of at most when the state has been lost: older ones are no news."""


def next_step(state: PromotionState, facts: PromotionFacts) -> steps.Step:
    """Return the next step; `Wait` when the next event has to come first."""
    parts = (_notification, _history, _attempt, _record, _request, _candidate, _cleanup)
    found = (part(state, facts) for part in parts)
    return next((step for step in found if step), steps.Wait(Code.CONVERGED.reason()))


def begun(attempt: PromotionAttempt, endpoint: EndpointView) -> bool:
    """Return whether the endpoint's update began: it was modified since, or has the new configuration already."""
    return endpoint.modified != attempt.modified or endpoint.config == attempt.config


def _notification(state: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    news = [version for version in facts.versions if version.number > state.notified_version and version.completed]
    return steps.Notify(news[-MAX_BACKLOG:][0]) if news else None


def _history(_: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    if facts.history is None:
        unknown = Code.NO_CHAMPION_KNOWN.reason(status=facts.endpoint.status)
        return steps.StartHistory() if facts.live else steps.Wait(unknown)
    if facts.endpoint.status in CHANGING and facts.history.changing_from is None:
        return steps.MarkChanging(facts.endpoint.modified)
    return None


def _attempt(state: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    attempt, endpoint = state.attempt, facts.endpoint
    if attempt is None or not begun(attempt, endpoint):
        return None
    if endpoint.status in BROKEN:
        failure = endpoint.failure or "no reason given"
        return steps.FailAttempt(attempt, Code.ENDPOINT_BROKEN.reason(status=endpoint.status, failure=failure))
    if endpoint.status != EndpointStatus.IN_SERVICE:
        return steps.Wait(Code.IN_PROGRESS.reason(name=attempt.target.name, status=endpoint.status))
    if endpoint.config == attempt.config:
        return steps.Finish(attempt)
    if endpoint.config == attempt.replaces:
        failure = endpoint.failure or "the endpoint went back without a reason"
        return steps.FailAttempt(attempt, Code.ENDPOINT_WENT_BACK.reason(failure=failure))
    return steps.MarkSuperseded(attempt)


def _record(_: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    if facts.live is None or facts.history is None:
        return steps.Wait(Code.NOT_IN_SERVICE.reason(status=facts.endpoint.status))
    if facts.history.changing_from or not facts.live.is_same(facts.history.live):
        return steps.RecordChampion()
    return None


def _request(state: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    again = state.attempt.target if state.attempt and state.attempt.target.request else None
    target = state.requested or again
    if target is None or facts.live is None:
        return None
    refusal = _refusal(target, facts, facts.live)
    if refusal:
        return steps.Refuse(target, refusal)
    version, replaced = facts.version(target.model_package), facts.version(target.rejects)
    if version and version.approval == ApprovalStatus.PENDING:
        return steps.Approve(target)
    if replaced and replaced.approval != ApprovalStatus.REJECTED:
        return steps.Reject(replaced.arn, target.cause)
    return steps.Deploy(target)


def _refusal(target: PromotionTarget, facts: PromotionFacts, live: LiveModel) -> PromotionReason | None:
    version = facts.version(target.model_package)
    if live.is_same(target):
        return Code.ALREADY_SERVING.reason(name=target.name)
    if version and version.approval == ApprovalStatus.REJECTED:
        return Code.REJECTED_MEANWHILE.reason(name=target.name)
    if target.model_package and version is None and not target.rollback:
        return Code.VERSION_GONE.reason(name=target.name)
    return None


def _candidate(state: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    candidate = facts.candidate
    if candidate is None or facts.live is None:
        return None
    if isinstance(candidate, UnusableVersion):
        return steps.RejectUnusable(candidate)
    if facts.live.is_same(candidate):
        return None
    if facts.switch_off is None:
        return steps.Deploy(candidate)
    return None if state.held_version == candidate.version else steps.Hold(candidate, facts.switch_off)


def _cleanup(state: PromotionState, facts: PromotionFacts) -> steps.Step | None:
    if state.attempt:
        return steps.DropAttempt()
    return steps.CleanUp(facts.unused) if facts.unused else None
