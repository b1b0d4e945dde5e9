"""Endpoints: their creation, update and deletion, and the variant that answers the next request."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.hosting import deployments
from plumbline.local.aws.hosting.deployments import REQUEST_ONLY
from plumbline.local.aws.hosting.fleets import Fleets, Variant
from plumbline.local.aws.hosting.rollouts import Deployment, Guardrails, Rollouts
from plumbline.local.aws.hosting.serving import HostingError, Launcher
from plumbline.local.aws.sagemaker.control_plane import ControlPlane

_SETTLE_SECONDS: Final = 900.0
"""Real seconds that containers may take to come up; a deployment's own waits come on top."""
_IN_PROGRESS: Final = ("Creating", "Updating", "RollingBack")

Record = Mapping[str, Any]


class EndpointHosting:
    """Runs the containers of every endpoint of a control plane.

    `folder` holds a folder per container; `seed` is of the choice between fleets and variants.
    """

    def __init__(
        self, plane: ControlPlane, launcher: Launcher, guardrails: Guardrails, folder: Path, *, seed: int = 0
    ) -> None:
        self._plane = plane
        self._guardrails = guardrails
        self._rollouts = Rollouts(plane, Fleets(plane, launcher, folder), guardrails)
        self._choice = random.Random(seed)  # noqa: S311 - traffic weights, not a secret
        plane.hooks["Endpoint.create"] = self._create
        plane.hooks["Endpoint.update"] = self._update
        plane.hooks["Endpoint.delete"] = self._rollouts.remove

    def variant(self, endpoint: str, name: str | None = None) -> Variant | None:
        """Return the variant that answers the next request: the named one, or one chosen by weight."""
        routing = self._rollouts.serving.get(endpoint)
        return None if routing is None else routing.fleet(self._choice).variant(self._choice, name)

    def wait(self, endpoint: str) -> None:
        """Return when the latest create or update has settled in service.

        Its waits are in simulated time.

        Raises
        ------
        HostingError
            With the reason when it failed, also where an older configuration still serves.
        """
        deployment = self._rollouts.latest.get(endpoint)
        if deployment is None:
            raise HostingError(f"endpoint {endpoint} must be created first")
        limit = _SETTLE_SECONDS + deployment.plan.wait_seconds / self._plane.clock.speed
        if not deployment.done.wait(limit):
            raise HostingError(f"endpoint {endpoint} did not settle within {limit:.0f} seconds")
        if deployment.failure is not None:
            raise HostingError(deployment.failure)

    def _create(self, record: dict[str, Any]) -> None:
        request = _take_request_members(record)
        config = self._plane.get("EndpointConfig", record["EndpointConfigName"])
        deployments.plan(request.get("DeploymentConfig"), config["ProductionVariants"])  # rejects a wrong one
        # There is no traffic to move yet, and no fleet to go back to.
        plan = deployments.plan(None, config["ProductionVariants"])
        self._rollouts.start(record, Deployment(config, plan, self._plane.clock()), "Creating")

    def _update(self, record: dict[str, Any], before: Record) -> None:
        if before["EndpointStatus"] in _IN_PROGRESS:
            raise ValidationError(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        request = _take_request_members(record)
        given = self._plane.get("EndpointConfig", record["EndpointConfigName"])
        config = deployments.effective(given, request, before.get("ProductionVariants", ()))
        if request.get("RetainDeploymentConfig"):
            request.setdefault("DeploymentConfig", before.get("LastDeploymentConfig"))
        plan = deployments.plan(request.get("DeploymentConfig"), config["ProductionVariants"])
        if plan.alarms:
            self._guardrails.check(plan.alarms, self._roles(config))
        # What serves is the old configuration, until the new one does.
        record["EndpointConfigName"] = before["EndpointConfigName"]
        if request.get("DeploymentConfig"):
            record["LastDeploymentConfig"] = request["DeploymentConfig"]
        self._rollouts.start(record, Deployment(config, plan, self._plane.clock()), "Updating")

    def _roles(self, config: Record) -> list[str]:
        models = [self._plane.get("Model", variant["ModelName"]) for variant in config["ProductionVariants"]]
        return sorted({model["ExecutionRoleArn"] for model in models})


def _take_request_members(record: dict[str, Any]) -> dict[str, Any]:
    """Remove the members of the request only from a record, and return them."""
    return {name: record.pop(name) for name in REQUEST_ONLY if name in record}
