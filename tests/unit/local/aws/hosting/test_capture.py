import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.hosting.capture import CaptureTarget, DataCapture, Exchange
from tests.unit.local.aws.fakes import START, FakeS3

ROLE = "arn:aws:iam::000000000000:role/endpoint"
CONFIG = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/capture",
    "KmsKeyId": "key-arn",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}
EXCHANGE = Exchange("text/csv", b"39,State-gov\n", "text/csv; charset=utf-8", b"0.1\n", "id-1", "hour=3")


class RealTime:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real() -> RealTime:
    return RealTime()


@pytest.fixture
def target() -> CaptureTarget:
    target = CaptureTarget.from_config("census", "AllTraffic", ROLE, CONFIG)
    assert target is not None
    return target


@pytest.fixture
def capture(clock: Clock, s3: FakeS3, real: RealTime) -> DataCapture:
    ids = (f"id-{number}" for number in itertools.count())
    return DataCapture(clock, lambda role: s3, new_id=lambda: next(ids), real=real)


def records(s3: FakeS3) -> list[list[dict[str, Any]]]:
    return [[json.loads(line) for line in body.decode().splitlines()] for body in s3.objects.values()]


def test_record_and_key_have_sagemakers_form(
    capture: DataCapture, target: CaptureTarget, s3: FakeS3, clock: Clock
) -> None:
    # Form: SageMaker Developer Guide, model-monitor-data-capture-endpoint.
    clock.advance(20 * 60 + 48.871)
    capture.offer(target, EXCHANGE)
    capture.flush()

    assert list(s3.objects) == [("bucket", "capture/census/AllTraffic/2026/11/25/10/20-48-871-id-1.jsonl")]
    assert records(s3) == [
        [
            {
                "captureData": {
                    "endpointInput": {
                        "observedContentType": "text/csv",
                        "mode": "INPUT",
                        "data": "39,State-gov\n",
                        "encoding": "CSV",
                    },
                    "endpointOutput": {
                        "observedContentType": "text/csv; charset=utf-8",
                        "mode": "OUTPUT",
                        "data": "0.1\n",
                        "encoding": "CSV",
                    },
                },
                "eventMetadata": {
                    "eventId": "id-0",
                    "inferenceId": "id-1",
                    "customAttributes": ["hour=3"],
                    "inferenceTime": "2026-11-25T10:20:48Z",
                },
                "eventVersion": "0",
            }
        ]
    ]
    assert next(iter(s3.encryption.values())) == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-arn"}


@pytest.mark.parametrize(
    ("content_type", "data", "expected"),
    [
        ("application/json", b"[[1]]", ("JSON", "[[1]]")),
        ("application/octet-stream", b"abc", ("BASE64", "YWJj")),
        (None, b"abc", ("BASE64", "YWJj")),
        ("text/csv", b"\xff", ("BASE64", "/w==")),
    ],
)
def test_encoding_follows_the_configured_content_types(
    target: CaptureTarget, content_type: str | None, data: bytes, expected: tuple[str, str]
) -> None:
    side = target.record(replace(EXCHANGE, input_type=content_type, input_data=data), START, "id")["captureData"]

    assert (side["endpointInput"]["encoding"], side["endpointInput"]["data"]) == expected
    assert side["endpointInput"]["observedContentType"] == content_type


def test_everything_is_base64_without_content_type_lists() -> None:
    config = {name: value for name, value in CONFIG.items() if name != "CaptureContentTypeHeader"}
    target = CaptureTarget.from_config("census", "AllTraffic", ROLE, config)

    assert target is not None
    assert target.record(EXCHANGE, START, "id")["captureData"]["endpointInput"]["encoding"] == "BASE64"


@pytest.mark.parametrize(("mode", "sides"), [("Input", {"endpointInput"}), ("Output", {"endpointOutput"})])
def test_side_that_is_not_selected_is_absent(mode: str, sides: set[str]) -> None:
    target = CaptureTarget.from_config("census", "A", ROLE, {**CONFIG, "CaptureOptions": [{"CaptureMode": mode}]})

    assert target is not None
    assert set(target.record(EXCHANGE, START, "id")["captureData"]) == sides


def test_identifiers_that_the_caller_did_not_send_are_absent(target: CaptureTarget) -> None:
    metadata = target.record(replace(EXCHANGE, inference_id=None, custom_attributes=None), START, "id")["eventMetadata"]

    assert set(metadata) == {"eventId", "inferenceTime"}


@pytest.mark.parametrize("config", [None, {**CONFIG, "EnableCapture": False}])
def test_nothing_is_captured_when_capture_is_off(config: dict[str, Any] | None) -> None:
    assert CaptureTarget.from_config("census", "A", ROLE, config) is None


def test_events_of_one_minute_share_a_file_named_after_the_first(
    capture: DataCapture, target: CaptureTarget, s3: FakeS3, clock: Clock, real: RealTime
) -> None:
    for seconds in (0, 20, 20):
        clock.advance(seconds)
        capture.offer(target, EXCHANGE)
    real.now = 1
    capture.tick()
    assert not s3.objects

    clock.advance(20)
    capture.tick()
    assert [len(lines) for lines in records(s3)] == [3]
    assert next(iter(s3.objects))[1].rpartition("/")[2].startswith("00-00-000-")


def test_fast_clock_does_not_make_a_file_per_request(
    capture: DataCapture, target: CaptureTarget, s3: FakeS3, clock: Clock
) -> None:
    for _ in range(5):
        clock.advance(120)
        capture.offer(target, EXCHANGE)
        capture.tick()

    assert not s3.objects


def test_hours_have_files_of_their_own_and_a_finished_hour_is_written(
    capture: DataCapture, target: CaptureTarget, s3: FakeS3, clock: Clock
) -> None:
    capture.offer(target, EXCHANGE)
    clock.advance(3600)
    capture.offer(target, EXCHANGE)
    capture.tick()

    assert [key.split("/")[-2] for _, key in s3.objects] == ["10"]
    capture.flush()
    assert [key.split("/")[-2] for _, key in s3.objects] == ["10", "11"]


def test_full_files_are_closed(capture: DataCapture, target: CaptureTarget, s3: FakeS3) -> None:
    for _ in range(2001):
        capture.offer(target, EXCHANGE)
    capture.tick()

    assert [len(lines) for lines in records(s3)] == [2000]


def test_sampling_keeps_about_its_percentage_and_repeats_for_a_seed(
    target: CaptureTarget, s3: FakeS3, clock: Clock
) -> None:
    some = replace(target, sampling_percent=20)

    def kept(seed: int) -> int:
        store = FakeS3()
        capture = DataCapture(clock, lambda role: store, seed=seed)
        for _ in range(2000):
            capture.offer(some, EXCHANGE)
        capture.flush()
        return sum(len(lines) for lines in records(store))

    # Binomial(2000, 0.2): mean 400, standard deviation 17.9; five of them on either side.
    assert 310 < kept(1) < 490
    assert kept(1) == kept(1)


def test_refused_write_loses_the_capture_but_says_so(
    target: CaptureTarget, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    s3 = FakeS3(denied=("capture/",))
    capture = DataCapture(clock, lambda role: s3)
    capture.offer(target, EXCHANGE)
    capture.flush()

    assert "1 captured events of endpoint census are lost" in caplog.text
