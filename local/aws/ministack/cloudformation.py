"""CloudFormation resource types that MiniStack lacks: AWS::SageMaker::* and AWS::ApplicationAutoScaling::*."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Final

from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.hosting import scaling
from plumbline.local.aws.hosting.scaling import Scaling
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import KINDS, resource_name
from plumbline.local.aws.sagemaker.validation import MODEL, input_members
from plumbline.local.aws.seams import Seam

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]
"""A physical id, which is what Ref returns, and the attributes of Fn::GetAtt."""
Handlers = dict[str, Callable[..., Any]]
"""The functions ``create``, ``update`` and ``delete`` of one type."""

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

TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY: Final = "AWS::ApplicationAutoScaling::ScalingPolicy"
_TARGET_ID: Final = ("ResourceId", "ScalableDimension", "ServiceNamespace")
"""Members of a scalable target's id, in their order; all are create-only."""


def install_sagemaker(plane: ControlPlane, wait_in_service: Callable[[str], None]) -> None:
    """Register the types of SageMaker.

    Parameters
    ----------
    wait_in_service
        Returns when an endpoint serves, and raises when it failed.
    """
    for name, replacing in REPLACING.items():
        resource_type = f"AWS::SageMaker::{name}"
        handlers = _SageMakerType(plane, name, wait_in_service).handlers()
        _register(resource_type, handlers, replacing, name=KINDS[name].name_field, has_tags=True)
    threaded = Seam.CFN_THREADED.take()
    Seam.CFN_THREADED.replace(lambda name: name.startswith("AWS::SageMaker::") or threaded(name))


def install_scaling(service: Scaling) -> None:
    """Register the types of Application Auto Scaling."""
    handlers = ScalingTypes(service).handlers()
    _register(TARGET, handlers[TARGET], _TARGET_ID, has_tags=True)
    _register(POLICY, handlers[POLICY], ("PolicyName", "ScalingTargetId", *_TARGET_ID), name="PolicyName")


def _register(
    resource_type: str, handlers: Handlers, replacing: tuple[str, ...], *, name: str = "", has_tags: bool = False
) -> None:
    """Add a type to MiniStack.

    Parameters
    ----------
    replacing
        Its create-only properties: a change of one makes a new resource.
    name
        The property with a name that the template may choose; empty when there is none.
    """
    Seam.CFN_HANDLERS.take()[resource_type] = handlers
    Seam.CFN_REPLACING.take()[resource_type] = replacing
    if name:
        Seam.CFN_NAMED.take()[resource_type] = {"name": name}
    if has_tags:
        Seam.CFN_TAGS.take()[resource_type] = ("Tags", "list")


class _SageMakerType:
    """Create, update and delete of one SageMaker resource type."""

    def __init__(self, plane: ControlPlane, name: str, wait_in_service: Callable[[str], None]) -> None:
        self._plane = plane
        self._kind = KINDS[name]
        self._wait_in_service = wait_in_service

    def handlers(self) -> Handlers:
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
    members = input_members(operation)
    known = {*input_members(f"Create{kind}"), *_TEMPLATE_ONLY.get(kind, ())}
    if f"Update{kind}" in MODEL.operation_names:
        known |= input_members(f"Update{kind}").keys()
    _refuse_unknown(properties, known)
    wanted = {name: value for name, value in properties.items() if name in members}
    if kind == "Pipeline":
        definition = wanted.get("PipelineDefinition")
        if isinstance(definition, dict) and "PipelineDefinitionBody" in definition:
            wanted["PipelineDefinition"] = definition["PipelineDefinitionBody"]
        if "ClientRequestToken" in members:
            wanted.setdefault("ClientRequestToken", _TOKEN)
    return wanted


class ScalingTypes:
    """Create, update and delete of scalable targets and policies; the service's operations create and update alike."""

    def __init__(self, service: Scaling) -> None:
        self._service = service

    def handlers(self) -> dict[str, Handlers]:
        """Return the functions of each type."""
        return {
            TARGET: {
                "create": lambda _, properties, __: self._put_target(properties),
                "update": lambda _, __, properties, ___: self._put_target(properties),
                "delete": lambda _, properties: self._delete("DeregisterScalableTarget", properties),
            },
            POLICY: {
                "create": lambda _, properties, __: self._put_policy(properties),
                "update": lambda _, __, properties, ___: self._put_policy(properties),
                "delete": lambda _, properties: self._delete("DeleteScalingPolicy", addressed(properties)),
            },
        }

    def _put_target(self, properties: Properties) -> Provisioned:
        self._call("RegisterScalableTarget", tagged(properties))
        physical_id = "|".join(properties[name] for name in _TARGET_ID)
        return physical_id, {"Id": physical_id}

    def _put_policy(self, properties: Properties) -> Provisioned:
        arn = self._call("PutScalingPolicy", addressed(properties))["PolicyARN"]
        return arn, {"Arn": arn}

    def _delete(self, operation: str, properties: Properties) -> None:
        """Delete a resource, if it exists."""
        members = input_members(operation, scaling.MODEL)
        try:
            self._call(operation, {name: value for name, value in properties.items() if name in members})
        except ApiError as error:
            if error.code != "ObjectNotFoundException":
                raise

    def _call(self, operation: str, properties: Properties) -> dict[str, Any]:
        _refuse_unknown(properties, input_members(operation, scaling.MODEL).keys())
        return self._service.call(operation, properties)


def tagged(properties: Properties) -> Properties:
    """Return a target's properties with its tags as the operation takes them."""
    if "Tags" not in properties:
        return properties
    return {**properties, "Tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]}}


def addressed(properties: Properties) -> Properties:
    """Return a policy's properties with the members of its target's id, if the template has the id."""
    named = dict(properties)
    target = named.pop("ScalingTargetId", None)
    return named if target is None else {**named, **dict(zip(_TARGET_ID, target.split("|"), strict=True))}


def _refuse_unknown(properties: Properties, known: AbstractSet[str]) -> None:
    if unknown := sorted(properties.keys() - known):
        raise ValueError(f"Encountered unsupported property {unknown[0]}")
