"""The kinds of SageMaker resource that the local control plane stores."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """How one resource type is named, and how the service speaks about it.

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


def _job(name: str, arn_type: str) -> Kind:
    return Kind(name, arn_type, f"{name}Status", "InProgress", taken="ResourceInUse")


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("Model", "model"),
        Kind("EndpointConfig", "endpoint-config"),
        Kind("Endpoint", "endpoint", "EndpointStatus", "Creating"),
        Kind(
            "MonitoringSchedule",
            "monitoring-schedule",
            "MonitoringScheduleStatus",
            "Scheduled",
            missing="ResourceNotFound",
            taken="ResourceInUse",
        ),
        _job("TrainingJob", "training-job"),
        _job("ProcessingJob", "processing-job"),
        Kind("ModelPackageGroup", "model-package-group", "ModelPackageGroupStatus", "Completed"),
        Kind("Pipeline", "pipeline", "PipelineStatus", "Active", missing="ResourceNotFound"),
    )
}
