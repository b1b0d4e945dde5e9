"""Stand-ins at the border of the local SageMaker's jobs side: S3, and the events that go out."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.sagemaker.control_plane import ControlPlane

START = 1_795_600_800.0
"""2026-11-25T10:00:00Z: a full hour."""


class FakeS3:
    """Objects of buckets in a dictionary; `denied` prefixes refuse everything."""

    def __init__(self, objects: Mapping[tuple[str, str], bytes] | None = None, denied: tuple[str, ...] = ()) -> None:
        self.objects = dict(objects or {})
        self.denied = denied
        self.encryption: dict[str, Any] = {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self._check("GetObject", Key)
        if (Bucket, Key) not in self.objects:
            raise _client_error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **encryption: Any) -> None:
        self._check("PutObject", Key)
        self.objects[Bucket, Key] = Body if isinstance(Body, bytes) else Body.read()
        self.encryption[Key] = encryption

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        self._check("ListObjectsV2", Prefix)
        found = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        # Two keys a page: whoever reads only the first page loses objects.
        for start in range(0, len(found), 2):
            yield {"Contents": [{"Key": key} for key in found[start : start + 2]]}
        if not found:
            yield {}

    def _check(self, operation: str, key: str) -> None:
        if key.startswith(self.denied):
            raise _client_error("AccessDenied", operation)


def _client_error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} by the fake"}}, operation)


class RecordingPlane(ControlPlane):
    """The real control plane, with its events kept instead of sent."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("000000000000", "us-east-1", clock)
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit_event(self, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        self.events.append((detail_type, detail))
