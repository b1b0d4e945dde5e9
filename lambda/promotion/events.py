"""Events as they reach the function, parsed to records; nothing that arrives is an exception here.

Understood: EventBridge's state changes of the group's model packages and of the endpoint, the hourly look, and a
person's ``{"rollback": "reason"}`` or ``{"promote": 4, "reason": "..."}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.times import parse as parse_time

from contract.retraining import REEVALUATE

APPROVAL_FIELD = "ModelApprovalStatus"


@dataclass(frozen=True)
class Look:
    """Something may have changed; `moment` is AWS's time of the event, ISO 8601, None when it has none."""

    what: str
    moment: str | None = None


@dataclass(frozen=True)
class Promotion:
    """A person wants a version to serve."""

    version: int
    reason: str
    request: str


@dataclass(frozen=True)
class Rollback:
    """A person wants the model before."""

    reason: str
    request: str


@dataclass(frozen=True)
class Foreign:
    """An event that is none of ours, and why."""

    why: str


Happening = Look | Promotion | Rollback | Foreign


def parse(event: object, request: str, *, endpoint: str, group: str) -> Happening:
    """Return what the event asks for; `request` is the invocation's id and stays the same when Lambda retries it."""
    if not isinstance(event, Mapping):
        return Foreign(f"the event is a {type(event).__name__}, not an object")
    if event.get(REEVALUATE) is True:
        return Look("hourly look")
    if "rollback" in event or "promote" in event:
        return _request(event, request)
    return _change(event, endpoint, group)


def _change(event: Mapping[object, object], endpoint: str, group: str) -> Happening:
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        return Foreign("the event is neither a state change nor a request")
    match event.get("detail-type"):
        case "SageMaker Model Package State Change":
            return _package(detail, _moment(event.get("time")), group)
        case "SageMaker Endpoint State Change":
            return _endpoint(detail, _moment(event.get("time")), endpoint)
        case kind:
            return Foreign(f"the event is {kind!r}")


def _request(event: Mapping[object, object], request: str) -> Happening:
    version, rollback, reason = event.get("promote"), event.get("rollback"), event.get("reason")
    if isinstance(rollback, str) and rollback.strip() and version is None:
        return Rollback(rollback.strip(), request)
    if isinstance(version, int) and not isinstance(version, bool) and version > 0 and isinstance(reason, str):
        if rollback is None and reason.strip():
            return Promotion(version, reason.strip(), request)
    return Foreign('a request must be {"rollback": "reason"} or {"promote": 4, "reason": "..."}; correct it')


def _endpoint(detail: Mapping[object, object], moment: str | None, endpoint: str) -> Happening:
    if detail.get("EndpointName") != endpoint:
        return Foreign(f"the endpoint is {detail.get('EndpointName')!r}, not {endpoint}")
    return Look(f"the endpoint is {detail.get('EndpointStatus')}", moment)


def _moment(time: object) -> str | None:
    """Return the time if it is one; without it the endpoint's own counts."""
    try:
        return parse_time(time).isoformat() if isinstance(time, str) else None
    except (ValueError, OverflowError):
        return None


def _package(detail: Mapping[object, object], moment: str | None, group: str) -> Happening:
    if detail.get("ModelPackageGroupName") != group:
        return Foreign(f"the group is {detail.get('ModelPackageGroupName')!r}, not {group}")
    updated = detail.get("UpdatedModelPackageFields")
    if isinstance(updated, list) and updated and APPROVAL_FIELD not in updated:
        return Foreign(f"only {', '.join(map(str, updated))} of a version changed")
    return Look(f"version {detail.get('ModelPackageVersion')} is {detail.get('ModelApprovalStatus')}", moment)
