"""InvokeEndpoint: one request through a variant's container, and its capture."""

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from plumbline.local.aws.cloudwatch.service_metrics import EndpointMetrics
from plumbline.local.aws.hosting.capture import DataCapture, Exchange
from plumbline.local.aws.hosting.endpoints import EndpointHosting
from plumbline.local.aws.hosting.fleets import Variant
from plumbline.local.aws.hosting.serving import ContainerResponse
from plumbline.local.aws.sagemaker_api import INVOKED_VARIANT

Answer = tuple[int, dict[str, str], bytes]

_PREFIX: Final = "x-amzn-sagemaker-"


class Invocations:
    """Answers the runtime's one operation for the endpoints of `hosting`."""

    def __init__(
        self, hosting: EndpointHosting, capture: DataCapture, metrics: EndpointMetrics, *, account: str, region: str
    ) -> None:
        self._hosting = hosting
        self._capture = capture
        self._metrics = metrics
        self._account = account
        self._region = region

    def invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return status, headers and body of the runtime's answer."""
        given = {name.lower(): value for name, value in headers.items()}
        variant = self._hosting.variant(endpoint, given.get(f"{_PREFIX}target-variant"))
        if variant is None:
            return _error(400, "ValidationError", Message=f"Endpoint {endpoint} of account {self._account} not found.")
        response = self._send(endpoint, variant, body, _forwarded(given))
        if response.status >= 400:
            return self._model_error(endpoint, variant, response)
        if variant.capture is not None:
            self._capture.offer(variant.capture, _exchange(given, body, response))
        answered = {INVOKED_VARIANT: variant.name}
        if response.content_type is not None:
            answered["Content-Type"] = response.content_type
        return response.status, answered, response.body

    def _send(self, endpoint: str, variant: Variant, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        """Return the container's answer, 500 when there is none, and count it. Its latency is in real time."""
        start = time.perf_counter()
        try:
            response = variant.container.client.invoke(body, headers)
        except (OSError, http.client.HTTPException) as error:
            response = ContainerResponse(500, None, str(error).encode())
        self._metrics.count(endpoint, variant.name, response.status, (time.perf_counter() - start) * 1e6)
        return response

    def _model_error(self, endpoint: str, variant: Variant, response: ContainerResponse) -> Answer:
        """Wrap the container's answer into ModelError, the runtime's one error for all failures of a model."""
        text = response.body.decode("utf-8", errors="replace")
        side = "client" if response.status < 500 else "server"
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        return _error(
            424,
            "ModelError",
            Message=f'Received {side} error ({response.status}) from primary with message "{text}". See {group} in '
            f"account {self._account} for more information; here it is {variant.folder / 'container.log'}.",
            OriginalStatusCode=response.status,
            OriginalMessage=text,
            LogStreamArn=f"arn:aws:logs:{self._region}:{self._account}:log-group:{group}",
        )


def _forwarded(given: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that reach the container."""
    names = ("content-type", "accept", f"{_PREFIX}custom-attributes")
    return {name: given[name] for name in names if given.get(name)}


def _exchange(given: Mapping[str, str], body: bytes, response: ContainerResponse) -> Exchange:
    return Exchange(
        input_type=given.get("content-type") or None,
        input_data=body,
        output_type=response.content_type,
        output_data=response.body,
        inference_id=given.get(f"{_PREFIX}inference-id"),
        custom_attributes=given.get(f"{_PREFIX}custom-attributes"),
    )


def _error(status: int, code: str, **members: Any) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps(members).encode("utf-8")
