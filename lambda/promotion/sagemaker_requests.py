"""SageMaker requests that make a model serve: pure functions of the serving configuration and the target.

Model and EndpointConfig are copies of those in service, with the model replaced. Their names contain a digest of the
request, so that the same request sent twice creates one resource.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.retraining import ModelVariable
from plumbline.functions.promotion.settings import PromotionSettings, RolloutPolicy
from plumbline.functions.promotion.state import PromotionTarget

START_SECONDS = 3600
"""Time for instances to start, added to the waits: the timeout must exceed all of them (API reference)."""
MAX_TIMEOUT_SECONDS = 28800
"""MaximumExecutionTimeoutInSeconds, API reference."""
CONFIG_MEMBERS = (
    "ProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ShadowProductionVariants",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
)
"""Members that DescribeEndpointConfig returns and CreateEndpointConfig accepts."""
MODEL_MEMBERS = ("VpcConfig", "EnableNetworkIsolation")
"""Members of the live Model that belong to the environment, not to the model."""
CONTAINER_MEMBERS = ("Image", "ModelDataUrl", "Environment")

Request = dict[str, Any]


@dataclass(frozen=True)
class LiveConfiguration:
    """DescribeEndpointConfig and DescribeModel of what serves."""

    config: Mapping[str, Any]
    model: Mapping[str, Any]

    @property
    def container(self) -> Mapping[str, Any]:
        """The model's container."""
        container: Mapping[str, Any] = self.model["PrimaryContainer"]
        return container

    @property
    def artifact(self) -> str:
        """URI of the model's artifact."""
        return str(self.container["ModelDataUrl"])

    @property
    def baseline(self) -> str | None:
        """URI of the baseline that the model carries."""
        variables: Mapping[str, str] = self.container.get("Environment", {})
        return variables.get(ModelVariable.BASELINE.value)


def container(target: PromotionTarget, package: Mapping[str, Any] | None, live: LiveConfiguration) -> Request:
    """Return the target's container: its package's, or without one the live one with artifact and baseline replaced.

    A deployment from the environment file does the same: image and code are the stack's, whatever the artifact.
    """
    source = package["InferenceSpecification"]["Containers"][0] if package else live.container
    made = {name: source[name] for name in CONTAINER_MEMBERS if name in source}
    variables = {**made.get("Environment", {}), ModelVariable.BASELINE.value: target.baseline}
    return made | {"ModelDataUrl": target.artifact, "Environment": variables}


def model_request(
    settings: PromotionSettings, target: PromotionTarget, serving: Request, live: LiveConfiguration
) -> Request:
    """Return the CreateModel request; `serving` is the container."""
    body: Request = {"PrimaryContainer": serving, "ExecutionRoleArn": settings.serving_role_arn}
    body |= {name: live.model[name] for name in MODEL_MEMBERS if live.model.get(name)}
    return {"ModelName": _name(settings, target, body), **body, "Tags": _tags(settings)}


def config_request(
    settings: PromotionSettings, target: PromotionTarget, model_name: str, live: LiveConfiguration
) -> Request:
    """Return the CreateEndpointConfig request: as it is in service, with the variant's model replaced."""
    body = {name: live.config[name] for name in CONFIG_MEMBERS if live.config.get(name)}
    body["ProductionVariants"] = [variant | {"ModelName": model_name} for variant in body["ProductionVariants"]]
    return {"EndpointConfigName": _name(settings, target, body), **body, "Tags": _tags(settings)}


def update_request(settings: PromotionSettings, config_name: str) -> Request:
    """Return the UpdateEndpoint request: blue/green, watched by the alarms; the scaled instance count stays."""
    return {
        "EndpointName": settings.endpoint,
        "EndpointConfigName": config_name,
        "RetainAllVariantProperties": True,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": _policy(settings.rollout),
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in settings.rollout.alarm_names]},
        },
    }


def _policy(rollout: RolloutPolicy) -> Request:
    wait = rollout.wait_seconds
    routing: Request = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    waits = wait
    if rollout.canary_percent is not None:
        size = {"Type": "CAPACITY_PERCENT", "Value": rollout.canary_percent}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": size}
        waits = 2 * wait
    return {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": wait,
        "MaximumExecutionTimeoutInSeconds": min(waits + START_SECONDS, MAX_TIMEOUT_SECONDS),
    }


def _tags(settings: PromotionSettings) -> list[Request]:
    return [{"Key": "plumbline:environment", "Value": settings.environment}]


def _name(settings: PromotionSettings, target: PromotionTarget, body: Request) -> str:
    text = json.dumps(body, sort_keys=True, default=str)
    return f"{settings.prefix}-{target.version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
