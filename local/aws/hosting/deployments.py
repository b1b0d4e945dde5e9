"""How an endpoint moves from one fleet to the next: a DeploymentConfig as the stages of a plan, checked as AWS does.

Source: SageMaker Developer Guide, "Deployment guardrails", and the API reference of UpdateEndpoint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from plumbline.local.aws.errors import ValidationError

Record = Mapping[str, Any]

REQUEST_ONLY: Final = (
    "DeploymentConfig",
    "ExcludeRetainedVariantProperties",
    "RetainAllVariantProperties",
    "RetainDeploymentConfig",
)
"""Members of CreateEndpoint and UpdateEndpoint that control the deployment and are not stored with the endpoint."""
_RETAINED: Final = {"InitialInstanceCount": "DesiredInstanceCount", "InitialVariantWeight": "DesiredWeight"}
"""Member of a configuration's variant to its name in the endpoint, a VariantPropertyType too."""


@dataclass(frozen=True)
class Stage:
    """One step of the traffic to the new fleet, and how long it is watched before the next.

    Parameters
    ----------
    fraction
        Fraction of the requests that the new fleet answers, above 0 and at most 1.
    n_instances
        How many of its instances that takes.
    wait_seconds
        The baking period, in simulated seconds.
    setting
        The member of the DeploymentConfig that sets it.
    """

    fraction: float
    n_instances: int
    wait_seconds: float
    setting: str = "TerminationWaitInSeconds"

    @property
    def message(self) -> str:
        """The StatusMessage of DescribeEndpoint during the stage."""
        capacity = "full" if self.fraction == 1 else "canary"
        return (
            f"Baking for {self.wait_seconds:.0f} seconds ({self.setting}) with traffic enabled on {capacity} capacity "
            f"of {self.n_instances} instance(s)."
        )


@dataclass(frozen=True)
class DeploymentPlan:
    """The stages of a deployment, the last of which is all traffic, and the alarms that roll it back."""

    stages: tuple[Stage, ...]
    alarms: tuple[str, ...] = ()

    @property
    def wait_seconds(self) -> float:
        """How long the deployment waits altogether, in simulated seconds."""
        return sum(stage.wait_seconds for stage in self.stages)


def plan(config: Record | None, variants: Sequence[Record]) -> DeploymentPlan:
    """Return the plan of a DeploymentConfig for a new fleet of `variants`; without one, all traffic moves at once.

    MaximumExecutionTimeoutInSeconds is checked against the waits and never reached after that: instances come up in
    no simulated time here.

    Raises
    ------
    ApiError
        For what AWS rejects, and for rolling updates, which are not emulated.
    """
    counts = [variant.get("InitialInstanceCount", 1) for variant in variants]
    given = config or {}
    if "RollingUpdatePolicy" in given:
        raise ValidationError("the embedded AWS emulates BlueGreenUpdatePolicy only, got RollingUpdatePolicy")
    policy = given.get("BlueGreenUpdatePolicy", {})
    last = Stage(1.0, sum(counts), policy.get("TerminationWaitInSeconds", 0))
    made = DeploymentPlan(
        (*_steps(policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"}), counts), last),
        tuple(alarm["AlarmName"] for alarm in given.get("AutoRollbackConfiguration", {}).get("Alarms", ())),
    )
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None and limit <= made.wait_seconds:
        raise ValidationError(
            "MaximumExecutionTimeoutInSeconds must be larger than the total of WaitIntervalInSeconds and "
            f"TerminationWaitInSeconds, {made.wait_seconds:.0f}, got {limit}"
        )
    return made


def _steps(routing: Record, counts: Sequence[int]) -> list[Stage]:
    """Return the stages before the whole traffic."""
    kind = routing["Type"]
    for member, its_kind in (("CanarySize", "CANARY"), ("LinearStepSize", "LINEAR")):
        if (member in routing) != (kind == its_kind):
            raise ValidationError(f"{member} must be given for traffic routing {its_kind} and for no other, got {kind}")
    if kind == "ALL_AT_ONCE":
        return []
    if kind == "CANARY":
        steps = [_capacity(routing["CanarySize"], count, "CanarySize", lowest_percent=0) for count in counts]
        n_stages = 1
    else:
        steps = [_capacity(routing["LinearStepSize"], count, "LinearStepSize", lowest_percent=10) for count in counts]
        # Whole steps before the last one, which ends at the full capacity.
        n_stages = max(-(-count // step) for count, step in zip(counts, steps, strict=True)) - 1
    return [
        _stage([min(count, step * number) for count, step in zip(counts, steps, strict=True)], counts, routing)
        for number in range(1, n_stages + 1)
    ]


def _stage(active: Sequence[int], counts: Sequence[int], routing: Record) -> Stage:
    wait = routing["WaitIntervalInSeconds"]
    return Stage(sum(active) / sum(counts), sum(active), wait, "WaitIntervalInSeconds")


def _capacity(size: Record, count: int, member: str, *, lowest_percent: int) -> int:
    """Return how many of a variant's instances a CapacitySize means: whole ones, at least one, at most half."""
    value = size["Value"]
    by_percent = size["Type"] == "CAPACITY_PERCENT"
    percent = value if by_percent else 100 * value / count
    if not lowest_percent <= percent <= 50:
        raise ValidationError(
            f"{member} must be {lowest_percent} to 50 percent of the instances, got {value} of {count}"
        )
    n_instances = max(1, count * value // 100) if by_percent else value
    if 2 * n_instances > count:
        raise ValidationError(
            f"{member} must be at most half of the instances, got 1 of {count}; use at least 2 instances"
        )
    return int(n_instances)


def effective(config: Record, request: Record, serving: Sequence[Record]) -> dict[str, Any]:
    """Return the configuration that a new fleet gets: the given one, with what the endpoint is to retain.

    Parameters
    ----------
    request
        The parameters of UpdateEndpoint.
    serving
        The endpoint's ProductionVariants until now. Data capture is not retained: AWS does not support it.
    """
    if not request.get("RetainAllVariantProperties"):
        return dict(config)
    excluded = {entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties", ())}
    kept = {member: property for member, property in _RETAINED.items() if property not in excluded}
    before = {variant["VariantName"]: variant for variant in serving}

    def retained(variant: Record) -> dict[str, Any]:
        own = before.get(variant["VariantName"])
        return {**variant, **{member: own[property] for member, property in kept.items()}} if own else dict(variant)

    return {**config, "ProductionVariants": [retained(variant) for variant in config["ProductionVariants"]]}
