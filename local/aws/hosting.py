"""Endpoints: created and updated in the background, the new containers up before the old ones go."""

import logging
import random
import shutil
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local.aws.capture import CaptureTarget
from local.aws.control_plane import ControlPlane
from local.aws.errors import ApiError
from local.aws.serving import HostingError, Launcher, ServingContainer

log = logging.getLogger(__name__)

_SETTLE_SECONDS: Final = 900.0
_REASON_LIMIT: Final = 1024
_DRAIN_SECONDS: Final = 1.0
"""How long replaced containers live on, for requests that are with them already."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """One production variant that serves."""

    name: str
    weight: float
    container: ServingContainer
    capture: CaptureTarget | None
    folder: Path


@dataclass
class _Deployment:
    """One attempt to bring a configuration up."""

    config_name: str
    previous_config_name: str | None = None
    done: threading.Event = field(default_factory=threading.Event)
    failure: str | None = None


class Hosting:
    """Runs the containers of every endpoint of a control plane.

    `folder` holds a folder per container; `seed` is of the choice between variants.
    """

    def __init__(self, plane: ControlPlane, launcher: Launcher, folder: Path, *, seed: int = 0) -> None:
        self._plane = plane
        self._launcher = launcher
        self._folder = folder
        self._choice = random.Random(seed)  # noqa: S311 - traffic weights, not a secret
        self._serving: dict[str, tuple[Variant, ...]] = {}
        self._deployments: dict[str, _Deployment] = {}
        plane.hooks["Endpoint.create"] = self._create
        plane.hooks["Endpoint.update"] = self._update
        plane.hooks["Endpoint.delete"] = self._delete

    def variant(self, endpoint: str, name: str | None = None) -> Variant | None:
        """Return the variant that answers the next request: the named one, or one chosen by weight."""
        variants = self._serving.get(endpoint, ())
        if name is not None:
            return next((variant for variant in variants if variant.name == name), None)
        weights = [variant.weight for variant in variants]
        if sum(weights) <= 0:
            return None
        return variants[0] if len(variants) == 1 else self._choice.choices(variants, weights)[0]

    def wait(self, endpoint: str) -> None:
        """Return when the latest create or update has settled in service.

        Raises
        ------
        HostingError
            With the reason when it failed, also where an older configuration still serves.
        """
        deployment = self._deployments.get(endpoint)
        if deployment is None:
            raise HostingError(f"endpoint {endpoint} must be created first")
        if not deployment.done.wait(_SETTLE_SECONDS):
            raise HostingError(f"endpoint {endpoint} did not settle within {_SETTLE_SECONDS:.0f} seconds")
        if deployment.failure is not None:
            raise HostingError(deployment.failure)

    def _create(self, record: dict[str, Any]) -> None:
        self._begin(record, _Deployment(record["EndpointConfigName"]), "Creating")

    def _update(self, record: dict[str, Any], before: Record) -> None:
        if before["EndpointStatus"] in ("Creating", "Updating"):
            raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        deployment = _Deployment(record["EndpointConfigName"], before["EndpointConfigName"])
        self._begin(record, deployment, "Updating")

    def _begin(self, record: dict[str, Any], deployment: _Deployment, status: str) -> None:
        name = record["EndpointName"]
        record["EndpointStatus"] = status
        record.pop("FailureReason", None)
        self._deployments[name] = deployment
        threading.Thread(target=self._deploy, args=(name, deployment), name=f"deploy-{name}", daemon=True).start()

    def _delete(self, record: Record) -> None:
        name = record["EndpointName"]
        self._deployments.pop(name, None)
        gone = self._serving.pop(name, ())
        threading.Thread(target=self._retire, args=(gone,), name=f"retire-{name}", daemon=True).start()

    def _deploy(self, name: str, deployment: _Deployment) -> None:
        variants: list[Variant] = []
        try:
            config = self._plane.get("EndpointConfig", deployment.config_name)
            self._bring_up(name, config, variants)
            gone = self._switch(name, deployment, config, tuple(variants))
        except Exception as error:
            gone = tuple(variants)
            self._fail(name, deployment, error)
        deployment.done.set()
        if gone:
            time.sleep(_DRAIN_SECONDS)
            self._retire(gone)

    def _bring_up(self, name: str, config: Record, variants: list[Variant]) -> None:
        """Append one running variant after the other, so that the caller can retire them when a later one fails."""
        if config.get("ShadowProductionVariants"):
            raise HostingError("the embedded AWS runs no shadow variants")
        for entry in config["ProductionVariants"]:
            model = self._plane.get("Model", entry["ModelName"])
            folder = self._folder / f"{name}-{entry['VariantName']}-{uuid.uuid4().hex[:8]}"
            folder.mkdir(parents=True)
            capture = CaptureTarget.from_config(
                name, entry["VariantName"], model["ExecutionRoleArn"], config.get("DataCaptureConfig")
            )
            container = self._launcher.launch(model, entry, folder)
            weight = entry.get("InitialVariantWeight", 1.0)
            variants.append(Variant(entry["VariantName"], weight, container, capture, folder))

    def _switch(
        self, name: str, deployment: _Deployment, config: Record, variants: tuple[Variant, ...]
    ) -> tuple[Variant, ...]:
        """Let `variants` answer from now on and return those that did until now."""
        with self._plane.lock:  # which a delete holds too: it comes before or after, never between
            if self._deployments.get(name) is not deployment:
                raise HostingError(f"endpoint {name} was deleted while it came up")
            old = self._serving.get(name, ())
            self._serving[name] = variants
            self._plane.change("Endpoint", name, EndpointStatus="InService", **_described(config))
        return old

    def _fail(self, name: str, deployment: _Deployment, error: Exception) -> None:
        deployment.failure = str(error)[:_REASON_LIMIT]
        log.error("endpoint %s with config %s: %s", name, deployment.config_name, error)
        changes: dict[str, Any] = {"FailureReason": deployment.failure, "EndpointStatus": "Failed"}
        with self._plane.lock:
            if self._deployments.get(name) is not deployment:
                return
            if self._serving.get(name):
                changes |= {"EndpointStatus": "InService", "EndpointConfigName": deployment.previous_config_name}
            self._plane.change("Endpoint", name, **changes)

    def _retire(self, variants: tuple[Variant, ...]) -> None:
        for variant in variants:
            self._launcher.end(variant.container)
            shutil.rmtree(variant.folder / "model", ignore_errors=True)


def _described(config: Record) -> dict[str, Any]:
    """Return what DescribeEndpoint tells of a configuration that serves."""
    described: dict[str, Any] = {"ProductionVariants": [_summary(entry) for entry in config["ProductionVariants"]]}
    capture = config.get("DataCaptureConfig")
    if capture:
        enabled = capture.get("EnableCapture", True)
        described["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    return described


def _summary(variant: Record) -> dict[str, Any]:
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
