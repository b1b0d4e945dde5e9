"""CloudFormation resource types that MiniStack lacks: AWS::ApplicationAutoScaling::*."""

from typing import Any, Final

from local.aws.errors import ApiError
from local.aws.scaling import MODEL, Scaling
from local.aws.seams import Seam

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]

TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY: Final = "AWS::ApplicationAutoScaling::ScalingPolicy"
REPLACING: Final = {
    TARGET: ("ResourceId", "ScalableDimension", "ServiceNamespace"),
    POLICY: ("PolicyName", "ResourceId", "ScalableDimension", "ScalingTargetId", "ServiceNamespace"),
}
"""Create-only properties in the resource types' schemas: a change makes a new resource."""

_IDENTITY: Final = ("ResourceId", "ScalableDimension", "ServiceNamespace")
"""Members of a scalable target's id, in their order."""


def install(scaling: Scaling) -> None:
    """Register the types."""
    types = Types(scaling)
    Seam.CFN_HANDLERS.take()[TARGET] = {
        "create": types.create_target,
        "update": types.update_target,
        "delete": types.delete_target,
    }
    Seam.CFN_HANDLERS.take()[POLICY] = {
        "create": types.create_policy,
        "update": types.update_policy,
        "delete": types.delete_policy,
    }
    Seam.CFN_REPLACING.take().update(REPLACING)
    Seam.CFN_TAGS.take()[TARGET] = ("Tags", "list")
    Seam.CFN_NAMED.take()[POLICY] = {"name": "PolicyName"}


class Types:
    """Create, update and delete; the service's own operations create and update alike."""

    def __init__(self, scaling: Scaling) -> None:
        self._scaling = scaling

    def create_target(self, _: str, properties: Properties, __: str) -> Provisioned:
        """Create a scalable target."""
        self._call("RegisterScalableTarget", tagged(properties))
        physical_id = "|".join(properties[name] for name in _IDENTITY)
        return physical_id, {"Id": physical_id}

    def update_target(self, physical_id: str, _: Properties, properties: Properties, stack_name: str) -> Provisioned:
        """Change a scalable target."""
        return self.create_target(physical_id, properties, stack_name)

    def delete_target(self, _: str, properties: Properties) -> None:
        """Delete a scalable target, if it is there."""
        self._forget("DeregisterScalableTarget", properties)

    def create_policy(self, _: str, properties: Properties, __: str) -> Provisioned:
        """Create a scaling policy."""
        arn = self._call("PutScalingPolicy", addressed(properties))["PolicyARN"]
        return arn, {"Arn": arn}

    def update_policy(self, physical_id: str, _: Properties, properties: Properties, stack_name: str) -> Provisioned:
        """Change a scaling policy."""
        return self.create_policy(physical_id, properties, stack_name)

    def delete_policy(self, _: str, properties: Properties) -> None:
        """Delete a scaling policy, if it is there."""
        self._forget("DeleteScalingPolicy", addressed(properties))

    def _forget(self, operation: str, properties: Properties) -> None:
        members = MODEL.operation_model(operation).input_shape.members
        try:
            self._call(operation, {name: value for name, value in properties.items() if name in members})
        except ApiError as error:
            if error.code != "ObjectNotFoundException":
                raise

    def _call(self, operation: str, properties: Properties) -> dict[str, Any]:
        unknown = sorted(set(properties) - set(MODEL.operation_model(operation).input_shape.members))
        if unknown:
            raise ValueError(f"Encountered unsupported property {unknown[0]}")
        return self._scaling.call(operation, properties)


def tagged(properties: Properties) -> Properties:
    """Return a target's properties with its tags as the operation takes them."""
    if "Tags" not in properties:
        return properties
    return {**properties, "Tags": {tag["Key"]: tag["Value"] for tag in properties["Tags"]}}


def addressed(properties: Properties) -> Properties:
    """Return a policy's properties with its target spelled out, which a template may name by its id."""
    named = dict(properties)
    target = named.pop("ScalingTargetId", None)
    return named if target is None else {**named, **dict(zip(_IDENTITY, target.split("|"), strict=True))}
