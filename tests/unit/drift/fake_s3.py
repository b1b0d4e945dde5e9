"""S3 in memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    """A bucket in memory that lists as S3 does, one object a page."""

    def __init__(self, objects: Mapping[str, str], error: Exception | None = None) -> None:
        self.objects = objects
        self.error = error
        self.stored: dict[str, str] = {}
        self.metadata: dict[str, Mapping[str, str]] = {}
        self.n_uploads = 0

    def __call__(self) -> "FakeS3":
        return self

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(
        self, *, Bucket: str, Prefix: str, Delimiter: str = "", StartAfter: str = ""
    ) -> Iterator[dict[str, Any]]:
        if self.error:
            raise self.error
        assert Bucket == "bucket"
        held = {**self.objects, **self.stored}
        found = [key for key in sorted(held) if key.startswith(Prefix) and key > StartAfter]
        if not Delimiter:
            yield from ({"Contents": [{"Key": key, "Size": len(held[key])}]} for key in found)
        folders = {Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in found}
        yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        if Key not in self.metadata:
            # What S3 answers who may list below some prefixes only.
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")
        return {"Metadata": self.metadata[Key]}

    def upload_file(self, file: str, bucket: str, key: str, ExtraArgs: Mapping[str, Any]) -> None:
        assert bucket == "bucket"
        self.stored[key] = Path(file).read_text()
        self.metadata[key] = ExtraArgs["Metadata"]
        self.n_uploads += 1

    def download_file(self, bucket: str, key: str, file: str) -> None:
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        Path(file).write_text(self.objects[key])
