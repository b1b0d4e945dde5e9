"""The requests that make a model serve: pure functions of what serves and of what should.

Model and EndpointConfig are copies of those in service, with the model replaced. They are named by the digest of what
is in them, so that a request that is sent twice asks for the same thing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.retraining import ModelVariable
from promotion.settings import Guard, Settings
from promotion.state import Target

START_SECONDS = 3600
"""What instances may take to come up, beside the waits: the timeout must exceed all of them (API reference)."""
TIMEOUT_MAX_SECONDS = 28800
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
"""What DescribeEndpointConfig tells and CreateEndpointConfig takes."""
MODEL_MEMBERS = ("VpcConfig", "EnableNetworkIsolation")
"""What of the live Model is the environment's, and not the model's."""
CONTAINER_MEMBERS = ("Image", "ModelDataUrl", "Environment")

Request = dict[str, Any]


@dataclass(frozen=True)
class Live:
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


def container(target: Target, package: Mapping[str, Any] | None, live: Live) -> Request:
    """Return the target's container: its package's; without one, the live one with another artifact and baseline.

    A deployment from the environment file does the same: whichever artifact, the image and the code are the stack's.
    """
    source = package["InferenceSpecification"]["Containers"][0] if package else live.container
    made = {name: source[name] for name in CONTAINER_MEMBERS if name in source}
    variables = {**made.get("Environment", {}), ModelVariable.BASELINE.value: target.baseline}
    return made | {"ModelDataUrl": target.artifact, "Environment": variables}


def model_request(settings: Settings, target: Target, serving: Request, live: Live) -> Request:
    """Return the CreateModel request; `serving` is the container."""
    body: Request = {"PrimaryContainer": serving, "ExecutionRoleArn": settings.serving_role_arn}
    body |= {name: live.model[name] for name in MODEL_MEMBERS if live.model.get(name)}
    return {"ModelName": _name(settings, target, body), **body, "Tags": _tags(settings)}


def config_request(settings: Settings, target: Target, model_name: str, live: Live) -> Request:
    """Return the CreateEndpointConfig request: as it is in service, with the variant's model replaced."""
    body = {name: live.config[name] for name in CONFIG_MEMBERS if live.config.get(name)}
    body["ProductionVariants"] = [variant | {"ModelName": model_name} for variant in body["ProductionVariants"]]
    return {"EndpointConfigName": _name(settings, target, body), **body, "Tags": _tags(settings)}


def update_request(settings: Settings, config_name: str) -> Request:
    """Return the UpdateEndpoint request: blue/green, watched by the alarms; the scaled instance count stays."""
    return {
        "EndpointName": settings.endpoint,
        "EndpointConfigName": config_name,
        "RetainAllVariantProperties": True,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": _policy(settings.guard),
            "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in settings.guard.alarm_names]},
        },
    }


def _policy(guard: Guard) -> Request:
    wait = guard.wait_seconds
    routing: Request = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    waits = wait
    if guard.canary_percent is not None:
        size = {"Type": "CAPACITY_PERCENT", "Value": guard.canary_percent}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": wait, "CanarySize": size}
        waits = 2 * wait
    return {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": wait,
        "MaximumExecutionTimeoutInSeconds": min(waits + START_SECONDS, TIMEOUT_MAX_SECONDS),
    }


def _tags(settings: Settings) -> list[Request]:
    return [{"Key": "plumbline:environment", "Value": settings.environment}]


def _name(settings: Settings, target: Target, body: Request) -> str:
    text = json.dumps(body, sort_keys=True, default=str)
    return f"{settings.prefix}-{target.version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
