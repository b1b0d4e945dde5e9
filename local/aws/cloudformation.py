"""CloudFormation resource types that MiniStack lacks: AWS::SageMaker::*."""

from collections.abc import Callable
from typing import Any, Final

from local.aws.control_plane import ControlPlane
from local.aws.kinds import KINDS, resource_name
from local.aws.seams import Seam
from local.aws.validation import MODEL

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]
"""A physical id, which is what Ref returns, and the attributes of Fn::GetAtt."""

REPLACING: Final[dict[str, tuple[str, ...]]] = {
    "Model": (
        "Containers",
        "EnableNetworkIsolation",
        "ExecutionRoleArn",
        "InferenceExecutionConfig",
        "ModelName",
        "PrimaryContainer",
        "VpcConfig",
    ),
    "EndpointConfig": (
        "AsyncInferenceConfig",
        "DataCaptureConfig",
        "EnableNetworkIsolation",
        "EndpointConfigName",
        "ExecutionRoleArn",
        "ExplainerConfig",
        "KmsKeyId",
        "ProductionVariants",
        "ShadowProductionVariants",
        "VpcConfig",
    ),
    "Endpoint": ("EndpointName",),
    "MonitoringSchedule": ("MonitoringScheduleName",),
    "ModelPackageGroup": ("ModelPackageGroupName",),
    "Pipeline": ("PipelineName",),
}
"""Create-only properties in the resource types' schemas: a change makes a new resource."""

_TEMPLATE_ONLY: Final = {"MonitoringSchedule": {"EndpointName", "MonitoringScheduleStatus"}}
"""Properties of a type that its API operations do not take."""
_TOKEN: Final = "0" * 32
_MAX_NAME: Final = 63


def install(plane: ControlPlane, wait_in_service: Callable[[str], None]) -> None:
    """Register the types.

    Parameters
    ----------
    wait_in_service
        Returns when an endpoint serves, and raises when it failed.
    """
    for name, replacing in REPLACING.items():
        resource_type = f"AWS::SageMaker::{name}"
        Seam.CFN_HANDLERS.take()[resource_type] = _Type(plane, name, wait_in_service).handlers()
        Seam.CFN_REPLACING.take()[resource_type] = replacing
        Seam.CFN_NAMED.take()[resource_type] = {"name": KINDS[name].name_field}
        Seam.CFN_TAGS.take()[resource_type] = ("Tags", "list")
    threaded = Seam.CFN_THREADED.take()
    Seam.CFN_THREADED.replace(lambda name: name.startswith("AWS::SageMaker::") or threaded(name))


class _Type:
    """Create, update and delete of one SageMaker resource type."""

    def __init__(self, plane: ControlPlane, name: str, wait_in_service: Callable[[str], None]) -> None:
        self._plane = plane
        self._kind = KINDS[name]
        self._wait_in_service = wait_in_service

    def handlers(self) -> dict[str, Callable[..., Any]]:
        return {"create": self._create, "update": self._update, "delete": self._delete}

    def _create(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        generated = Seam.CFN_NAME.take()(stack_name, logical_id, max_len=_MAX_NAME)
        name = properties.get(self._kind.name_field) or generated
        self._call("Create", {**properties, self._kind.name_field: name})
        try:
            self._settle(name)
        except Exception:
            # CloudFormation only rolls back what was created completely.
            self._delete(name, properties)
            raise
        return self._provisioned(name)

    def _update(self, physical_id: str, _: Properties, properties: Properties, __: str) -> Provisioned:
        name = resource_name(physical_id)
        if f"Update{self._kind.name}" in MODEL.operation_names:
            self._call("Update", {**properties, self._kind.name_field: name})
            self._settle(name)
        return self._provisioned(name)

    def _delete(self, physical_id: str, _: Properties) -> None:
        name = resource_name(physical_id)
        if any(record[self._kind.name_field] == name for record in self._plane.records(self._kind.name)):
            self._call("Delete", {self._kind.name_field: name})

    def _settle(self, name: str) -> None:
        if self._kind.name == "Endpoint":
            self._wait_in_service(name)

    def _call(self, verb: str, properties: Properties) -> None:
        operation = f"{verb}{self._kind.name}"
        self._plane.call(operation, request(self._kind.name, operation, properties))

    def _provisioned(self, name: str) -> Provisioned:
        record = self._plane.get(self._kind.name, name)
        arn = record[self._kind.arn_field]
        attributes = {
            "Id": arn,
            self._kind.arn_field: arn,
            self._kind.name_field: name,
            "CreationTime": str(record["CreationTime"]),
            "LastModifiedTime": str(record["LastModifiedTime"]),
        }
        return (name if self._kind.name == "Pipeline" else arn), attributes


def request(kind: str, operation: str, properties: Properties) -> Properties:
    """Return the API request that a template's properties mean.

    Raises
    ------
    ValueError
        For a property that the resource type does not have.
    """
    members = MODEL.operation_model(operation).input_shape.members
    known = set(MODEL.operation_model(f"Create{kind}").input_shape.members) | _TEMPLATE_ONLY.get(kind, set())
    if f"Update{kind}" in MODEL.operation_names:
        known |= set(MODEL.operation_model(f"Update{kind}").input_shape.members)
    unknown = sorted(set(properties) - known)
    if unknown:
        raise ValueError(f"Encountered unsupported property {unknown[0]}")
    wanted = {name: value for name, value in properties.items() if name in members}
    if kind == "Pipeline":
        definition = wanted.get("PipelineDefinition")
        if isinstance(definition, dict) and "PipelineDefinitionBody" in definition:
            wanted["PipelineDefinition"] = definition["PipelineDefinitionBody"]
        if "ClientRequestToken" in members:
            wanted.setdefault("ClientRequestToken", _TOKEN)
    return wanted
