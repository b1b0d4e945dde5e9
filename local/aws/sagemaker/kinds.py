"""The kinds of SageMaker resource that the local control plane stores, and how requests name and refer to them."""

from dataclasses import dataclass
from typing import Any, Final

MAX_REASON: Final = 1024
"""Characters of a FailureReason."""


@dataclass(frozen=True)
class ResourceKind:
    """Names, ARN type, statuses and error codes of one SageMaker resource type.

    Parameters
    ----------
    name
        The word inside operation names, for example ``TrainingJob``.
    arn_type
        The word inside ARNs, for example ``training-job``.
    status_field, initial_status
        Where the status is kept and what it is after creation; empty when the type has none.
    missing, taken
        Error codes for a name that does not exist, and for one that exists already.
    """

    name: str
    arn_type: str
    status_field: str = ""
    initial_status: str = ""
    missing: str = "ValidationException"
    taken: str = "ValidationException"

    @property
    def name_field(self) -> str:
        """The member that holds the resource's name."""
        return f"{self.name}Name"

    @property
    def arn_field(self) -> str:
        """The member that holds the resource's ARN."""
        return f"{self.name}Arn"


def _job(name: str, arn_type: str) -> ResourceKind:
    return ResourceKind(name, arn_type, f"{name}Status", "InProgress", taken="ResourceInUse")


KINDS: Final = {
    kind.name: kind
    for kind in (
        ResourceKind("Model", "model"),
        ResourceKind("EndpointConfig", "endpoint-config"),
        ResourceKind("Endpoint", "endpoint", "EndpointStatus", "Creating"),
        ResourceKind(
            "MonitoringSchedule",
            "monitoring-schedule",
            "MonitoringScheduleStatus",
            "Scheduled",
            missing="ResourceNotFound",
            taken="ResourceInUse",
        ),
        _job("TrainingJob", "training-job"),
        _job("ProcessingJob", "processing-job"),
        ResourceKind("ModelPackageGroup", "model-package-group", "ModelPackageGroupStatus", "Completed"),
        ResourceKind("Pipeline", "pipeline", "PipelineStatus", "Active", missing="ResourceNotFound"),
    )
}


def named_resources(kind: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return kind and name of every resource that a request of this kind refers to."""
    if kind == "EndpointConfig":
        return [("Model", variant["ModelName"]) for variant in params["ProductionVariants"]]
    if kind == "Endpoint" and "EndpointConfigName" in params:
        return [("EndpointConfig", params["EndpointConfigName"])]
    definition = params.get("MonitoringScheduleConfig", {}).get("MonitoringJobDefinition", {})
    inputs = definition.get("MonitoringInputs", []) if kind == "MonitoringSchedule" else []
    return [("Endpoint", entry["EndpointInput"]["EndpointName"]) for entry in inputs if "EndpointInput" in entry]


def resource_name(name_or_arn: str) -> str:
    """Return a resource's name from its name or ARN."""
    return name_or_arn.rsplit("/", 1)[-1]
