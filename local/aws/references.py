"""What a request may point to: the service refuses names that do not exist."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.aws.control_plane import ControlPlane


def check_references(plane: "ControlPlane", kind: str, params: dict[str, Any]) -> None:
    """Raise the service's error when a named resource does not exist.

    Raises
    ------
    ApiError
        For the first missing resource.
    """
    for target, name in references(kind, params):
        plane.get(target, name)


def references(kind: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return kind and name of every resource that a request of this kind points to."""
    if kind == "EndpointConfig":
        return [("Model", variant["ModelName"]) for variant in params["ProductionVariants"]]
    if kind == "Endpoint" and "EndpointConfigName" in params:
        return [("EndpointConfig", params["EndpointConfigName"])]
    if kind == "MonitoringSchedule":
        definition = params.get("MonitoringScheduleConfig", {}).get("MonitoringJobDefinition", {})
        inputs = [
            entry["EndpointInput"] for entry in definition.get("MonitoringInputs", []) if "EndpointInput" in entry
        ]
        return [("Endpoint", entry["EndpointName"]) for entry in inputs]
    return []
