"""The local Application Auto Scaling: scalable targets and scaling policies of SageMaker variants, stored only.

It checks and shows them as the service does, but no policy acts: an endpoint is one container here, whatever its
instance count, and target tracking makes no alarms of its own.
"""

import re
import threading
import uuid
from collections.abc import Callable
from typing import Any, Final

import botocore.session

from plumbline.local.aws.errors import ApiError, ValidationError
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.validation import validate
from plumbline.local.aws.sagemaker_api import Response, operation, respond
from plumbline.local.aws.seams import Seam

MODEL: Final = botocore.session.get_session().get_service_model("application-autoscaling")
SERVICE: Final = "application-autoscaling"
DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
_VARIANT: Final = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
_ROLE: Final = (
    "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)

Record = dict[str, Any]
Key = tuple[str, str, str]
"""Service namespace, resource id and scalable dimension: what identifies a scalable target."""


class Scaling:
    """Scalable targets and scaling policies of one account and Region."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._lock = threading.Lock()
        self._targets: dict[Key, Record] = {}
        self._policies: dict[tuple[Key, str], Record] = {}
        self._operations: dict[str, Callable[[Record], Record]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "ListTagsForResource": self._list_tags,
        }

    def install(self) -> None:
        """Make the server route, authorize and answer requests to it."""

        async def handle(_: str, __: str, headers: dict[str, str], body: bytes, ___: Record) -> Response:
            return respond(self, operation(headers), body)

        prefix = f"{MODEL.metadata['targetPrefix']}."
        Seam.ROUTES.take()[SERVICE] = {"target_prefixes": [prefix], "host_patterns": [rf"{SERVICE}\."]}
        Seam.HANDLERS.take()[SERVICE] = handle
        Seam.IAM_NAMESPACES.take()[SERVICE] = SERVICE

    def call(self, operation: str, params: Record) -> Record:
        """Answer one API operation.

        Raises
        ------
        ApiError
            As the service would refuse it, or ``UnknownOperationException`` for what is not emulated.
        """
        if operation not in self._operations:
            raise ApiError("UnknownOperationException", f"the local {SERVICE} does not implement {operation}")
        with self._lock:
            return self._operations[operation](validate(operation, params, MODEL))

    def _register(self, request: Record) -> Record:
        self._check_variant(request)
        key = _key(request)
        new = {"CreationTime": self._plane.clock(), "RoleARN": f"arn:aws:iam::{self._plane.account}:{_ROLE}"}
        target = {**self._targets.get(key, new), **request, "ScalableTargetARN": self._target_arn(key)}
        if not {"MinCapacity", "MaxCapacity"} <= target.keys():
            raise ValidationError("A new scalable target must have MinCapacity and MaxCapacity")
        if target["MinCapacity"] > target["MaxCapacity"]:
            raise ValidationError("Maximum capacity cannot be less than minimum capacity")
        self._targets[key] = target
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def _deregister(self, request: Record) -> Record:
        key = self._registered(request)
        del self._targets[key]
        self._policies = {name: policy for name, policy in self._policies.items() if name[0] != key}
        return {}

    def _describe_targets(self, request: Record) -> Record:
        wanted = request.get("ResourceIds")
        found = [row for row in self._targets.values() if not wanted or row["ResourceId"] in wanted]
        return {"ScalableTargets": [{name: row[name] for name in row if name != "Tags"} for row in found]}

    def _list_tags(self, request: Record) -> Record:
        arn = request["ResourceARN"]
        for target in self._targets.values():
            if target["ScalableTargetARN"] == arn:
                return {"Tags": target.get("Tags", {})}
        raise ApiError("ResourceNotFoundException", f"No scalable target has the ARN {arn}")

    def _put_policy(self, request: Record) -> Record:
        key = self._registered(request)
        name = request["PolicyName"]
        arn = self._policy_arn(key, name)
        new = {"CreationTime": self._plane.clock(), "PolicyType": "StepScaling", "Alarms": []}
        self._policies[key, name] = {**self._policies.get((key, name), new), **request, "PolicyARN": arn}
        return {"PolicyARN": arn, "Alarms": []}

    def _delete_policy(self, request: Record) -> Record:
        key = self._registered(request)
        if self._policies.pop((key, request["PolicyName"]), None) is None:
            raise ApiError("ObjectNotFoundException", f"No scaling policy found for {', '.join(key)}")
        return {}

    def _describe_policies(self, request: Record) -> Record:
        names, resource = request.get("PolicyNames"), request.get("ResourceId")
        found = [
            row
            for row in self._policies.values()
            if (not names or row["PolicyName"] in names) and resource in (None, row["ResourceId"])
        ]
        return {"ScalingPolicies": found}

    def _registered(self, request: Record) -> Key:
        key = _key(request)
        if key not in self._targets:
            message = "No scalable target registered for service namespace: {}, resource ID: {}, scalable dimension: {}"
            raise ApiError("ObjectNotFoundException", message.format(*key))
        return key

    def _check_variant(self, request: Record) -> None:
        match = _VARIANT.fullmatch(request["ResourceId"])
        if request["ScalableDimension"] != DIMENSION or not match:
            raise ValidationError(f"the local {SERVICE} scales nothing but {DIMENSION}")
        endpoint = self._plane.get("Endpoint", match["endpoint"])
        config = self._plane.get("EndpointConfig", endpoint["EndpointConfigName"])
        if match["variant"] not in [variant["VariantName"] for variant in config["ProductionVariants"]]:
            raise ValidationError(f"Could not find variant {match['variant']!r} of the endpoint")

    def _target_arn(self, key: Key) -> str:
        return f"arn:aws:{SERVICE}:{self._plane.region}:{self._plane.account}:scalable-target/{_identity(*key).hex}"

    def _policy_arn(self, key: Key, name: str) -> str:
        place = f"arn:aws:autoscaling:{self._plane.region}:{self._plane.account}"
        return f"{place}:scalingPolicy:{_identity(*key, name)}:resource/{key[0]}/{key[1]}:policyName/{name}"


def _key(request: Record) -> Key:
    return request["ServiceNamespace"], request["ResourceId"], request["ScalableDimension"]


def _identity(*parts: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, "|".join(parts))
