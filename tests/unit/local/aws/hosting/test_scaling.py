import json
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.hosting.scaling import Scaling
from plumbline.local.aws.ministack.cloudformation import POLICY, TARGET, Handlers, ScalingTypes, addressed
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker_api import respond
from tests.unit.stacks.synthesis import environment

IDENTITY = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TARGET_ID = "endpoint/e/variant/AllTraffic|sagemaker:variant:DesiredInstanceCount|sagemaker"
TRACKING = {
    "TargetValue": 600,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
BY_ID = {
    "PolicyName": "p",
    "PolicyType": "TargetTrackingScaling",
    "ScalingTargetId": TARGET_ID,
    "TargetTrackingScalingPolicyConfiguration": TRACKING,
}


@pytest.fixture
def scaling() -> Scaling:
    """Scaling of an account that has the endpoint ``e`` with one variant."""
    plane = ControlPlane("000000000000", "us-east-1", Clock(start=1000.0, real=lambda: 0.0))
    plane.call("CreateModel", {"ModelName": "m", "ExecutionRoleArn": "arn:aws:iam::000000000000:role/r"})
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    plane.call("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [variant]})
    plane.call("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"})
    return Scaling(plane)


@pytest.fixture
def types(scaling: Scaling) -> dict[str, Handlers]:
    return ScalingTypes(scaling).handlers()


def capacity(least: Any = 2, most: Any = 6) -> dict[str, Any]:
    return {**IDENTITY, "MinCapacity": least, "MaxCapacity": most}


def targets(scaling: Scaling) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.call("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})[
        "ScalableTargets"
    ]
    return found


def policies(scaling: Scaling) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.call("DescribeScalingPolicies", {"ServiceNamespace": "sagemaker"})[
        "ScalingPolicies"
    ]
    return found


def test_registered_target_is_described(scaling: Scaling) -> None:
    arn = scaling.call("RegisterScalableTarget", capacity())["ScalableTargetARN"]
    (target,) = targets(scaling)
    assert target["ScalableTargetARN"] == arn
    assert arn.startswith("arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/")
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert (target["MinCapacity"], target["MaxCapacity"], target["CreationTime"]) == (2, 6, 1000.0)


def test_registering_again_changes_what_is_named(scaling: Scaling) -> None:
    first = scaling.call("RegisterScalableTarget", capacity())
    assert scaling.call("RegisterScalableTarget", {**IDENTITY, "MaxCapacity": 9}) == first
    (target,) = targets(scaling)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 9)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (IDENTITY, "must have MinCapacity and MaxCapacity"),
        (capacity(7, 6), "Maximum capacity cannot be less"),
        (capacity("many"), "Invalid type for parameter MinCapacity"),
        ({**capacity(), "ResourceId": "endpoint/other/variant/AllTraffic"}, "Could not find endpoint"),
        ({**capacity(), "ResourceId": "endpoint/e/variant/Other"}, "Could not find variant 'Other'"),
        ({**capacity(), "ScalableDimension": "ecs:service:DesiredCount"}, "scales nothing but sagemaker:variant"),
        ({**capacity(), "ServiceNamespace": "sagemakr"}, "enum value set"),
    ],
    ids=["no capacity", "upside down", "text", "no endpoint", "no variant", "another service", "typo"],
)
def test_wrong_target_is_refused(scaling: Scaling, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        scaling.call("RegisterScalableTarget", request_)
    assert targets(scaling) == []


def test_policy_needs_its_target(scaling: Scaling) -> None:
    with pytest.raises(ApiError, match="No scalable target registered") as caught:
        scaling.call("PutScalingPolicy", {**IDENTITY, "PolicyName": "p"})
    assert caught.value.code == "ObjectNotFoundException"


def test_deregistered_target_takes_its_policies_along(scaling: Scaling) -> None:
    scaling.call("RegisterScalableTarget", capacity())
    scaling.call("PutScalingPolicy", {**IDENTITY, "PolicyName": "p", "PolicyType": "TargetTrackingScaling"})
    scaling.call("DeregisterScalableTarget", IDENTITY)
    assert (targets(scaling), policies(scaling)) == ([], [])


def test_operation_that_is_not_emulated_is_refused_over_http(scaling: Scaling) -> None:
    status, _, body = respond(scaling, "DescribeScalingActivities", b"{}")
    assert (status, json.loads(body)["__type"]) == (400, "UnknownOperationException")


def test_ref_of_a_target_names_its_variant(types: dict[str, Handlers]) -> None:
    assert types[TARGET]["create"]("Target", capacity("2", "6"), "stack") == (TARGET_ID, {"Id": TARGET_ID})


def test_tags_of_a_template_reach_the_target(types: dict[str, Handlers], scaling: Scaling) -> None:
    types[TARGET]["create"]("Target", {**capacity(), "Tags": [{"Key": "project", "Value": "plumbline"}]}, "stack")
    (target,) = targets(scaling)
    assert "Tags" not in target
    answer = scaling.call("ListTagsForResource", {"ResourceARN": target["ScalableTargetARN"]})
    assert answer == {"Tags": {"project": "plumbline"}}


def test_ref_of_a_policy_is_its_arn(types: dict[str, Handlers], scaling: Scaling) -> None:
    types[TARGET]["create"]("Target", capacity(), "stack")
    arn, attributes = types[POLICY]["create"]("Policy", BY_ID, "stack")
    assert attributes == {"Arn": arn}
    assert arn.endswith(":resource/sagemaker/endpoint/e/variant/AllTraffic:policyName/p")
    (policy,) = policies(scaling)
    assert (policy["PolicyARN"], policy["ResourceId"]) == (arn, IDENTITY["ResourceId"])
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING


def test_update_keeps_the_resources_and_changes_their_numbers(types: dict[str, Handlers], scaling: Scaling) -> None:
    target, _ = types[TARGET]["create"]("Target", capacity(), "stack")
    policy, _ = types[POLICY]["create"]("Policy", BY_ID, "stack")
    changed = {**BY_ID, "TargetTrackingScalingPolicyConfiguration": {**TRACKING, "TargetValue": 700}}
    assert types[TARGET]["update"](target, capacity(), capacity(3, 8), "stack")[0] == target
    assert types[POLICY]["update"](policy, BY_ID, changed, "stack")[0] == policy
    assert (targets(scaling)[0]["MinCapacity"], targets(scaling)[0]["MaxCapacity"]) == (3, 8)
    assert policies(scaling)[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 700


def test_delete_leaves_nothing_and_may_be_repeated(types: dict[str, Handlers], scaling: Scaling) -> None:
    target, _ = types[TARGET]["create"]("Target", capacity(), "stack")
    policy, _ = types[POLICY]["create"]("Policy", BY_ID, "stack")
    for _ in range(2):
        types[POLICY]["delete"](policy, BY_ID)
        types[TARGET]["delete"](target, capacity())
    assert (targets(scaling), policies(scaling)) == ([], [])


def test_property_that_is_not_emulated_is_named(types: dict[str, Handlers]) -> None:
    with pytest.raises(ValueError, match="unsupported property ScheduledActions"):
        types[TARGET]["create"]("Target", {**capacity(), "ScheduledActions": []}, "stack")


def test_policy_may_spell_its_target_out() -> None:
    spelled = {name: value for name, value in BY_ID.items() if name != "ScalingTargetId"} | IDENTITY
    assert addressed(BY_ID) == addressed(spelled) == spelled


def test_types_are_those_of_the_production_environment(types: dict[str, Handlers]) -> None:
    serving = environment("prod").templates["serving"]["Resources"].values()
    scaled = {resource["Type"] for resource in serving if "AutoScaling" in resource["Type"]}
    assert scaled == {TARGET, POLICY} == set(types)
