"""Local path or S3 URI -> a local file or folder: the only module that talks to S3."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from drift.archive import extract
from drift.errors import ConfigError
from drift.times import HOUR, hour_folder

_SCHEME = "s3://"
_LATE_MINUTE = 50
"""A capture file is named by its first event and holds events for a minute or two: only late files reach over."""

Connect = Callable[[], Any]
"""Makes an S3 client when the first S3 URI asks for it."""


def s3_client(region: str | None) -> Any:
    """Return an S3 client; boto3 is imported only here because it is slow to start."""
    import boto3

    return boto3.client("s3", region_name=region)


def fetch(source: str, folder: Path, connect: Connect) -> Path:
    """Return a local file or folder with what `source` names; an archive (.zip) is unpacked.

    A local path is used where it is. An S3 URI whose last part has a suffix is one object, any other a prefix;
    both are stored below `folder`.

    Raises
    ------
    ConfigError
        If there is nothing at `source`, or it cannot be read.
    """
    path = _download(source, folder, connect) if source.startswith(_SCHEME) else Path(source)
    if not path.exists():
        raise ConfigError(f"{source} must exist, got no such file or folder; check the path")
    if path.suffix != ".zip":
        return path
    return extract(path, folder / "unpacked")


def fetch_hour(capture_uri: str, start: datetime, folder: Path, connect: Connect) -> Path:
    """Store the capture files of the hour from `start` below `folder`, for every variant; return `folder`.

    The key's hour is that of a file's first event, so the last files of the hour before come along: their later
    events may belong to the window. An hour without files leaves an empty folder.

    Raises
    ------
    ConfigError
        If the destination cannot be read.
    """
    bucket, prefix = _split(capture_uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    with _told(capture_uri):
        client = connect()
        for variant in list(_listed(client, "CommonPrefixes", "Prefix", bucket, Prefix=prefix, Delimiter="/")):
            keys = list(_keys(client, bucket, f"{variant}{hour_folder(start)}/"))
            keys += filter(_is_late, _keys(client, bucket, f"{variant}{hour_folder(start - HOUR)}/"))
            _store(client, bucket, prefix, keys, folder)
    return folder


def _is_late(key: str) -> bool:
    """Return whether a file, named MM-SS-mmm-uuid, starts late in its hour; one named otherwise may."""
    minute = key.rsplit("/", 1)[-1].split("-", 1)[0]
    return not minute.isdecimal() or int(minute) >= _LATE_MINUTE


def _download(source: str, folder: Path, connect: Connect) -> Path:
    bucket, key = _split(source)
    name = key.rsplit("/", 1)[-1]
    with _told(source):
        client = connect()
        if "." in name:
            _store(client, bucket, key.removesuffix(name), [key], folder)
            return folder / name
        prefix = key if key.endswith("/") or not key else f"{key}/"
        keys = list(_keys(client, bucket, prefix))
        if not keys:
            raise ConfigError(f"{source} must hold objects, got none; upload them or correct the URI")
        _store(client, bucket, prefix, keys, folder)
        return folder


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not bucket:
        raise ConfigError(f"an S3 URI must look like s3://bucket/prefix, got {uri!r}; correct it")
    return bucket, key


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Tell a failure of S3 as something the operator can fix."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ConfigError(
            f"{uri} must be readable, got {error}; check the URI and the monitoring role's rights on bucket and key"
        ) from error


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    """Yield the keys below `prefix`, without the markers that consoles leave for folders."""
    keys = _listed(client, "Contents", "Key", bucket, Prefix=prefix)
    return (key for key in keys if not key.endswith("/"))


def _listed(client: Any, group: str, name: str, bucket: str, **filters: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, **filters):
        for entry in page.get(group, []):
            yield entry[name]


def _store(client: Any, bucket: str, prefix: str, keys: Iterable[str], folder: Path) -> None:
    for key in keys:
        file = folder / key.removeprefix(prefix)
        if not file.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(f"s3://{bucket}/{key} must stay below its prefix, got '..' in it; rename the object")
        file.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, key, str(file))
