"""Bring an endpoint's new fleet up, move the traffic to it by plan, and go back to the old fleet when that fails."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from plumbline.local.aws import sessions
from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.hosting import endpoint_descriptions
from plumbline.local.aws.hosting.deployments import DeploymentPlan, Stage
from plumbline.local.aws.hosting.fleets import Fleet, Fleets, Routing
from plumbline.local.aws.hosting.serving import HostingError
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import MAX_REASON
from plumbline.local.aws.seams import Seam

log = logging.getLogger(__name__)

EVENT: Final = "SageMaker Endpoint State Change"
_DRAIN_SECONDS: Final = 1.0
"""How long replaced containers live on, for requests that are with them already."""
_POLL_SECONDS: Final = 0.2
_LAST_CHECK_SECONDS: Final = 1.5
"""Real seconds that alarms get after a wait: a jump of the clock ends it before they are evaluated."""

_ACTION: Final = "cloudwatch:DescribeAlarms"
_SESSION: Final = "SageMaker"

Record = Mapping[str, Any]
_Event = tuple[dict[str, Any], list[str]]
"""Detail and resources."""


@dataclass
class Deployment:
    """One attempt to bring a configuration up; `started` in simulated seconds since the epoch."""

    config: Record
    plan: DeploymentPlan
    started: float
    done: threading.Event = field(default_factory=threading.Event)
    failure: str | None = None


class _GoneError(Exception):
    """Raised when the endpoint was deleted during its deployment."""


class Guardrails:
    """The metric alarms of one account and Region that guard updates, as an endpoint's execution role may see them."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def check(self, alarms: Sequence[str], roles: Iterable[str]) -> None:
        """Accept alarms that exist and that each role may describe.

        Raises
        ------
        ApiError
            ``ValidationException`` for the first other alarm. When AWS checks this is not documented.
        """
        for alarm in alarms:
            if self._find(alarm) is None:
                raise ValidationError(f"Alarm {alarm} of the AutoRollbackConfiguration does not exist.")
        for role in roles if alarms else ():
            key = sessions.role_environment(role, _SESSION)["AWS_ACCESS_KEY_ID"]
            for alarm in alarms:
                self._check_right(key, role, alarm)

    def tripped(self, alarms: Sequence[str]) -> str | None:
        """Return why the first alarm that is in ALARM or gone stops a deployment; None when all are in order."""
        for name in alarms:
            alarm = self._find(name)
            if alarm is None:
                return f"alarm {name} does not exist any more"
            if alarm["StateValue"] == "ALARM":
                return f"alarm {name} is in ALARM: {alarm['StateReason']}"
        return None

    def _find(self, name: str) -> dict[str, Any] | None:
        with Seam.REQUEST_SCOPE.take()(self._account, self._region):
            found: dict[str, Any] | None = Seam.CW_ALARMS.take().get(name)
        return found

    def _check_right(self, access_key: str, role: str, alarm: str) -> None:
        arn = f"arn:aws:cloudwatch:{self._region}:{self._account}:alarm:{alarm}"
        with Seam.REQUEST_SCOPE.take()(self._account, self._region):
            denied = Seam.IAM_ENFORCE.take()(access_key, _ACTION, "cloudwatch", self._region, resource_arn=arn)
        if denied is not None:
            raise ValidationError(f"The execution role {role} may not perform {_ACTION} on {arn}.")


class Rollouts:
    """Carries deployments out, each on a thread of its own.

    Attributes
    ----------
    serving
        The fleets that answer each endpoint's requests.
    latest
        The latest deployment of each endpoint.
    """

    def __init__(self, plane: ControlPlane, fleets: Fleets, guardrails: Guardrails) -> None:
        self._plane = plane
        self._fleets = fleets
        self._guardrails = guardrails
        self.serving: dict[str, Routing] = {}
        self.latest: dict[str, Deployment] = {}

    def start(self, record: dict[str, Any], deployment: Deployment, status: str) -> None:
        """Begin a deployment of the endpoint whose live record is `record`; the plane's lock must be held."""
        name = record["EndpointName"]
        launching = f"Launching {deployment.plan.stages[-1].n_instances} instance(s)."
        record["EndpointStatus"] = status
        record["PendingDeploymentSummary"] = self._summary(deployment, "Creating", launching)
        record.pop("FailureReason", None)
        self.latest[name] = deployment
        arguments = (name, deployment, _event(record))
        threading.Thread(target=self._run, args=arguments, name=f"deploy-{name}", daemon=True).start()

    def remove(self, record: dict[str, Any]) -> None:
        """End what answers an endpoint that is about to be deleted; the plane's lock must be held."""
        name = record["EndpointName"]
        self.latest.pop(name, None)  # a running deployment notices this, and ends its new fleet
        routing = self.serving.pop(name, None)
        record["EndpointStatus"] = "Deleting"
        event = _event(record)

        def leave() -> None:
            self._emit(event)
            if routing is not None:
                self._fleets.retire(routing.old)

        threading.Thread(target=leave, name=f"retire-{name}", daemon=True).start()

    def _run(self, name: str, deployment: Deployment, event: _Event) -> None:
        """Carry a deployment out. Events are put from here: their targets call back, which needs the plane's lock."""
        self._emit(event)
        before = self.serving.get(name)
        new: Fleet | None = None
        try:
            self._check_alarms(deployment)
            new = self._fleets.bring_up(name, deployment.config)
            if before is not None:
                self._shift(name, deployment, before.old, new)
            members = endpoint_descriptions.in_service(deployment.config)
            self._commit(name, deployment, Routing(new), EndpointStatus="InService", **members)
        except Exception as error:
            deployment.failure = self._reason(name, deployment, error)
            leaving = new
            self._roll_back(name, deployment, before)
        else:
            leaving = before.old if before is not None else None
        deployment.done.set()
        if leaving is not None:
            time.sleep(_DRAIN_SECONDS)
            self._fleets.retire(leaving)

    def _shift(self, name: str, deployment: Deployment, old: Fleet, new: Fleet) -> None:
        """Move the traffic stage by stage, with a baking period after each."""
        for stage in deployment.plan.stages:
            if stage.wait_seconds:
                summary = self._summary(deployment, "Baking", stage.message)
                self._commit(name, deployment, Routing(old, new, stage.fraction), PendingDeploymentSummary=summary)
                self._bake(name, deployment, stage)

    def _bake(self, name: str, deployment: Deployment, stage: Stage) -> None:
        """Return after the stage's baking period, and raise when an alarm goes off."""
        clock = self._plane.clock
        end = clock() + stage.wait_seconds
        last_check: float | None = None
        while last_check is None or time.monotonic() < last_check:
            clock.wait(min(_POLL_SECONDS, max((end - clock()) / clock.speed, 0.01)))
            if self.latest.get(name) is not deployment:
                raise _GoneError
            self._check_alarms(deployment)
            if last_check is None and clock() >= end:
                last_check = time.monotonic() + (_LAST_CHECK_SECONDS if deployment.plan.alarms else 0.0)

    def _check_alarms(self, deployment: Deployment) -> None:
        tripped = self._guardrails.tripped(deployment.plan.alarms)
        if tripped is not None:
            config = deployment.config["EndpointConfigName"]
            raise HostingError(f"The update to {config} was rolled back by its AutoRollbackConfiguration: {tripped}")

    def _roll_back(self, name: str, deployment: Deployment, before: Routing | None) -> None:
        """Roll back to the old fleet, if there is one."""
        end = {"FailureReason": deployment.failure, "PendingDeploymentSummary": None}
        try:
            if before is None:
                self._commit(name, deployment, None, EndpointStatus="Failed", **end)
            else:
                self._commit(name, deployment, before, EndpointStatus="RollingBack")
                self._commit(name, deployment, None, EndpointStatus="InService", **end)
        except _GoneError:
            log.info("endpoint %s is gone", name)

    def _commit(self, name: str, deployment: Deployment, routing: Routing | None, **members: Any) -> None:
        """Let `routing` answer from now on, show `members`, and emit an event when the status changes.

        Raises
        ------
        _GoneError
            When the endpoint was deleted.
        """
        with self._plane.lock:  # which a delete holds too: it comes before or after, never between
            if self.latest.get(name) is not deployment:
                raise _GoneError
            if routing is not None:
                self.serving[name] = routing
            event = _event(self._plane.change("Endpoint", name, **members))
        if "EndpointStatus" in members:
            self._emit(event)

    def _emit(self, event: _Event) -> None:
        """Put an event on the bus; a failure there must not change the endpoint."""
        try:
            self._plane.emit_event(EVENT, *event)
        except Exception:
            log.exception("event %s is lost", event)

    def _summary(self, deployment: Deployment, status: str, message: str) -> dict[str, Any]:
        now = {"Status": status, "StatusMessage": message, "StartTime": self._plane.clock()}
        return endpoint_descriptions.pending(deployment.config, deployment.started, now)

    def _reason(self, name: str, deployment: Deployment, error: Exception) -> str:
        gone = isinstance(error, _GoneError)
        reason = f"endpoint {name} was deleted while it came up" if gone else str(error)[:MAX_REASON]
        log.error("endpoint %s with config %s: %s", name, deployment.config["EndpointConfigName"], reason)
        return reason


def _event(record: Record) -> _Event:
    return endpoint_descriptions.event_detail(record), [record["EndpointArn"]]
