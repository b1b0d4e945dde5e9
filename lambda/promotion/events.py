"""Events as they reach the promotion function, parsed to records; any other event becomes an `IgnoredEvent`.

Understood: EventBridge's state changes of the group's model packages and of the endpoint, the hourly
``{"reevaluate": true}``, and a person's ``{"rollback": "reason"}`` or ``{"promote": 4, "reason": "..."}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.functions.shared.events import (
    IgnoredEvent,
    Reconcile,
    encodable,
    is_nested,
    is_reconcile,
    time_or_none,
)

APPROVAL_FIELD = "ModelApprovalStatus"


@dataclass(frozen=True)
class StateChange:
    """The endpoint or a version changed; `moment` is AWS's time of the event, ISO 8601, None when it has none."""

    description: str
    moment: str | None = None


@dataclass(frozen=True)
class PromoteRequest:
    """A person requests that a version serves; `request` is the invocation's id."""

    version: int
    reason: str
    request: str


@dataclass(frozen=True)
class RollbackRequest:
    """A person requests the model that served before; `request` is the invocation's id."""

    reason: str
    request: str


PromotionEvent = Reconcile | StateChange | PromoteRequest | RollbackRequest | IgnoredEvent


def parse(event: object, request: str, *, endpoint: str, group: str) -> PromotionEvent:
    """Return the event's record; `request` is the invocation's id and stays the same when Lambda retries it."""
    if not isinstance(event, Mapping):
        return IgnoredEvent(f"the event is a {type(event).__name__}, not an object")
    if is_nested(event):
        return IgnoredEvent("the event is nested too deeply")
    if is_reconcile(event):
        return Reconcile(request)
    if "rollback" in event or "promote" in event:
        return _request(event, request)
    return _change(event, endpoint, group)


def _change(event: Mapping[object, object], endpoint: str, group: str) -> PromotionEvent:
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        return IgnoredEvent("the event is neither a state change nor a request")
    moment = time_or_none(event.get("time"))
    at = moment.isoformat() if moment else None
    match event.get("detail-type"):
        case "SageMaker Model Package State Change":
            return _package(detail, at, group)
        case "SageMaker Endpoint State Change":
            return _endpoint(detail, at, endpoint)
        case kind:
            return IgnoredEvent(f"the event is {kind!r}")


def _request(event: Mapping[object, object], request: str) -> PromotionEvent:
    version, rollback, reason = event.get("promote"), event.get("rollback"), event.get("reason")
    if isinstance(rollback, str) and rollback.strip() and version is None:
        return RollbackRequest(encodable(rollback.strip()), request)
    if isinstance(version, int) and not isinstance(version, bool) and version > 0 and rollback is None:
        promote_reason = reason.strip() if isinstance(reason, str) else ""
        if promote_reason:
            return PromoteRequest(version, encodable(promote_reason), request)
    return IgnoredEvent('a request must be {"rollback": "reason"} or {"promote": 4, "reason": "..."}; correct it')


def _endpoint(detail: Mapping[object, object], moment: str | None, endpoint: str) -> PromotionEvent:
    if detail.get("EndpointName") != endpoint:
        return IgnoredEvent(f"the endpoint is {detail.get('EndpointName')!r}, not {endpoint}")
    return StateChange(encodable(f"the endpoint is {detail.get('EndpointStatus')}"), moment)


def _package(detail: Mapping[object, object], moment: str | None, group: str) -> PromotionEvent:
    if detail.get("ModelPackageGroupName") != group:
        return IgnoredEvent(f"the group is {detail.get('ModelPackageGroupName')!r}, not {group}")
    updated = detail.get("UpdatedModelPackageFields")
    if isinstance(updated, list) and updated and APPROVAL_FIELD not in updated:
        return IgnoredEvent(f"only {', '.join(map(str, updated))} of a version changed")
    version, status = detail.get("ModelPackageVersion"), detail.get("ModelApprovalStatus")
    return StateChange(encodable(f"version {version} is {status}"), moment)
