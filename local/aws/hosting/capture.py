"""Data capture: requests and responses of an endpoint as JSON Lines in S3, in SageMaker's own format and layout."""

import base64
import json
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from plumbline.local.aws.events import iso
from plumbline.local.aws.objects import S3Location, encryption

log = logging.getLogger(__name__)

_FLUSH_SECONDS: Final = 60.0
"""Simulated age of a file's first event at which it is closed: observed on AWS (sm-model_monitor_introduction)."""
_FLUSH_REAL_SECONDS: Final = 0.5
"""Real age below which only a full file or a new hour closes it: a fast clock must not make a file per request."""
_FLUSH_EVENTS: Final = 2000


@dataclass(frozen=True)
class Exchange:
    """One successful request and its response; content types are None where the header was absent."""

    input_type: str | None
    input_data: bytes
    output_type: str | None
    output_data: bytes
    inference_id: str | None = None
    custom_attributes: str | None = None


@dataclass(frozen=True)
class CaptureTarget:
    """Where and how one variant's exchanges are captured: its DataCaptureConfig and execution role."""

    endpoint: str
    variant: str
    destination: S3Location
    role_arn: str
    key_id: str | None
    sampling_percent: int
    modes: frozenset[str]
    csv_types: frozenset[str]
    json_types: frozenset[str]

    @classmethod
    def from_config(
        cls, endpoint: str, variant: str, role_arn: str, config: Mapping[str, Any] | None
    ) -> "CaptureTarget | None":
        """Read a DataCaptureConfig; None when nothing is to be captured. Capture is on by default."""
        if not config or not config.get("EnableCapture", True):
            return None
        header = config.get("CaptureContentTypeHeader", {})
        return cls(
            endpoint=endpoint,
            variant=variant,
            destination=S3Location.parse(config["DestinationS3Uri"]),
            role_arn=role_arn,
            key_id=config.get("KmsKeyId"),
            sampling_percent=config["InitialSamplingPercentage"],
            modes=frozenset(option["CaptureMode"] for option in config["CaptureOptions"]),
            csv_types=frozenset(header.get("CsvContentTypes", ())),
            json_types=frozenset(header.get("JsonContentTypes", ())),
        )

    def record(self, exchange: Exchange, at: float, event_id: str) -> dict[str, Any]:
        """Return the capture record of an exchange at `at`, seconds since the epoch."""
        data = {}
        if self.modes & {"Input", "InputAndOutput"}:
            data["endpointInput"] = self._side("INPUT", exchange.input_type, exchange.input_data)
        if self.modes & {"Output", "InputAndOutput"}:
            data["endpointOutput"] = self._side("OUTPUT", exchange.output_type, exchange.output_data)
        metadata: dict[str, Any] = {"eventId": event_id}
        if exchange.inference_id:
            metadata["inferenceId"] = exchange.inference_id
        if exchange.custom_attributes:
            metadata["customAttributes"] = [exchange.custom_attributes]
        metadata["inferenceTime"] = iso(at)
        return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}

    def _side(self, mode: str, content_type: str | None, data: bytes) -> dict[str, Any]:
        encoding, text = self._encode(content_type, data)
        return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}

    def _encode(self, content_type: str | None, data: bytes) -> tuple[str, str]:
        media_type = (content_type or "").partition(";")[0].strip()
        for encoding, types in (("CSV", self.csv_types), ("JSON", self.json_types)):
            if media_type in types:
                try:
                    return encoding, data.decode("utf-8")
                except UnicodeDecodeError:
                    break
        return "BASE64", base64.b64encode(data).decode("ascii")

    def location(self, first_at: float, file_id: str) -> S3Location:
        """Return where a file goes whose first event was at `first_at`."""
        at = _utc(first_at)
        name = f"{at:%M-%S}-{at.microsecond // 1000:03d}-{file_id}.jsonl"
        return self.destination.joined(self.endpoint, self.variant, f"{at:%Y/%m/%d/%H}", name)


@dataclass
class _File:
    target: CaptureTarget
    first_at: float
    opened: float
    events: list[tuple[float, Exchange]] = field(default_factory=list)


class DataCapture:
    """Collects exchanges and writes them to S3 in the background.

    An event is stamped when it is accepted, so that after `flush` no event of a finished hour is still on its way.

    Parameters
    ----------
    clock
        Simulated seconds since the epoch.
    s3
        Role ARN to an S3 client with that role's rights.
    seed
        Of the sampling.
    new_id
        Makes event and file identifiers.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        s3: Callable[[str], Any],
        *,
        seed: int = 0,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._s3 = s3
        self._sampler = random.Random(seed)  # noqa: S311 - sampling, not a secret
        self._new_id = new_id
        self._real = real
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._open: dict[CaptureTarget, _File] = {}
        self._closed: list[_File] = []

    def offer(self, target: CaptureTarget, exchange: Exchange) -> None:
        """Accept an exchange, or leave it out by the sampling percentage."""
        with self._lock:
            if self._sampler.random() * 100 >= target.sampling_percent:
                return
            at = self._clock()
            current = self._open.get(target)
            if current is None or _hour(current.first_at) != _hour(at) or len(current.events) >= _FLUSH_EVENTS:
                if current is not None:
                    self._closed.append(current)
                current = self._open[target] = _File(target, at, self._real())
            current.events.append((at, exchange))

    def tick(self) -> None:
        """Write the files that are old enough, full, or of an hour that has passed."""
        self._write(self._is_due)

    def flush(self) -> None:
        """Write everything accepted so far, and return when it is in S3."""
        self._write(lambda _: True)

    def _is_due(self, file: _File) -> bool:
        now = self._clock()
        old = now - file.first_at >= _FLUSH_SECONDS and self._real() - file.opened >= _FLUSH_REAL_SECONDS
        return old or _hour(file.first_at) != _hour(now)

    def _write(self, is_due: Callable[[_File], bool]) -> None:
        with self._writing:
            with self._lock:
                due = [target for target, file in self._open.items() if is_due(file)]
                files = self._closed + [self._open.pop(target) for target in due]
                self._closed = []
            for file in files:
                self._put(file)

    def _put(self, file: _File) -> None:
        lines = [
            json.dumps(file.target.record(exchange, at, self._new_id()), separators=(",", ":")) + "\n"
            for at, exchange in file.events
        ]
        location = file.target.location(file.first_at, self._new_id())
        try:
            self._s3(file.target.role_arn).put_object(
                Bucket=location.bucket,
                Key=location.key,
                Body="".join(lines).encode("utf-8"),
                **encryption(file.target.key_id),
            )
        except Exception:
            # As on AWS, a role or key without the right loses capture, not predictions.
            log.exception("%d captured events of endpoint %s are lost", len(file.events), file.target.endpoint)


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _hour(at: float) -> int:
    return int(at // 3600)
