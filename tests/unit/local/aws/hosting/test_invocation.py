import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.cloudwatch.service_metrics import EndpointMetrics
from plumbline.local.aws.hosting.capture import CaptureTarget, DataCapture
from plumbline.local.aws.hosting.fleets import Variant
from plumbline.local.aws.hosting.invocation import Invocations
from plumbline.local.aws.hosting.serving import ContainerResponse
from plumbline.local.aws.objects import S3Location
from tests.unit.local.aws.fakes import FakeS3


@dataclass
class FakeClient:
    """Answers with `response`, or raises it."""

    response: ContainerResponse | OSError
    headers: Mapping[str, str] = field(default_factory=dict)

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> ContainerResponse:
        self.headers = headers
        if isinstance(self.response, OSError):
            raise self.response
        return self.response


@dataclass
class FakeContainer:
    client: FakeClient


class OneEndpoint:
    """Stands for hosting: endpoint `e` with one variant."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant

    def variant(self, endpoint: str, name: str | None) -> Variant | None:
        return self._variant if endpoint == "e" and name in (None, self._variant.name) else None


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(ContainerResponse(200, "text/csv; charset=utf-8", b"0.5\n"))


@pytest.fixture
def capture(clock: Clock, s3: FakeS3) -> DataCapture:
    return DataCapture(clock, lambda role: s3)


class RecordingMetrics(EndpointMetrics):
    """Keeps what is counted instead of publishing it."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, str, int]] = []

    def count(self, endpoint: str, variant: str, status: int, latency_microseconds: float) -> None:
        assert latency_microseconds > 0
        self.counted.append((endpoint, variant, status))


@pytest.fixture
def metrics() -> RecordingMetrics:
    return RecordingMetrics()


@pytest.fixture
def invocations(client: FakeClient, capture: DataCapture, metrics: RecordingMetrics) -> Invocations:
    csv = frozenset({"text/csv"})
    modes = frozenset({"Input", "Output"})
    target = CaptureTarget("e", "v", S3Location("b", "capture"), "role", None, 100, modes, csv, frozenset())
    variant = Variant("v", 1.0, FakeContainer(client), target, Path("/logs"))  # type: ignore[arg-type]
    endpoint: Any = OneEndpoint(variant)
    return Invocations(endpoint, capture, metrics, account="000000000000", region="us-east-1")


def test_answer_of_the_container_is_the_answer(
    invocations: Invocations, client: FakeClient, metrics: RecordingMetrics
) -> None:
    status, headers, body = invocations.invoke(
        "e", {"Content-Type": "text/csv", "Accept": "text/csv", "Authorization": "secret"}, b"1"
    )

    assert (status, body) == (200, b"0.5\n")
    assert headers == {"Content-Type": "text/csv; charset=utf-8", "x-Amzn-Invoked-Production-Variant": "v"}
    assert client.headers == {"content-type": "text/csv", "accept": "text/csv"}
    assert metrics.counted == [("e", "v", 200)]


def test_exchange_is_captured_with_the_callers_identifiers(
    invocations: Invocations, capture: DataCapture, s3: FakeS3
) -> None:
    headers = {"x-amzn-sagemaker-inference-id": "mine", "X-Amzn-SageMaker-Custom-Attributes": "label=1"}
    invocations.invoke("e", {"content-type": "text/csv", **headers}, b"1")
    capture.flush()

    (body,) = s3.objects.values()
    metadata = json.loads(body)["eventMetadata"]
    assert (metadata["inferenceId"], metadata["customAttributes"]) == ("mine", ["label=1"])


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (ContainerResponse(415, "text/plain", b"no such type"), "client error (415)"),
        (ContainerResponse(500, "text/html", b"oops"), "server error (500)"),
        (ConnectionResetError("gone"), "server error (500)"),
    ],
)
def test_refusal_of_the_container_is_a_model_error_and_not_captured(
    invocations: Invocations,
    client: FakeClient,
    capture: DataCapture,
    metrics: RecordingMetrics,
    *,
    s3: FakeS3,
    response: ContainerResponse | OSError,
    words: str,
) -> None:
    client.response = response

    answered, headers, body = invocations.invoke("e", {}, b"1")
    capture.flush()

    error = json.loads(body)
    assert (answered, headers["x-amzn-errortype"]) == (424, "ModelError")
    assert words in error["Message"]
    assert f"({error['OriginalStatusCode']})" in words
    assert metrics.counted == [("e", "v", error["OriginalStatusCode"])]
    assert not s3.objects


@pytest.mark.parametrize(("endpoint", "variant"), [("other", None), ("e", "other")])
def test_unknown_endpoint_or_variant_is_a_validation_error(
    invocations: Invocations, endpoint: str, variant: str | None
) -> None:
    headers = {"x-amzn-sagemaker-target-variant": variant} if variant else {}

    status, answered, _ = invocations.invoke(endpoint, headers, b"1")

    assert (status, answered["x-amzn-errortype"]) == (400, "ValidationError")
