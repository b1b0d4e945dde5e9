"""Where labels go: a prefix in S3, or a folder with the same layout."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from plumbline.contract.s3 import is_s3_uri, split_s3_uri
from plumbline.labels.records import LabelFile

CONTENT_TYPE = "application/jsonlines"

Connect = Callable[[], Any]
"""Makes an S3 client; called for S3 URIs only."""


def check_place(root: str) -> None:
    """Refuse a place that no label can go to, before anything is read or written.

    Raises
    ------
    ValueError
        If it is an S3 URI without a bucket, a URI of another kind, or a file.
    """
    scheme, separator, rest = root.partition("://")
    if separator and (scheme != "s3" or not rest.strip("/") or rest.startswith("/")):
        raise ValueError(f"--to must be s3://bucket/prefix or a folder, got {root!r}; correct it")
    if not separator and Path(root).exists() and not Path(root).is_dir():
        raise ValueError(f"--to must be s3://bucket/prefix or a folder, got the file {root!r}; name another place")


def store(files: Iterable[LabelFile], root: str, connect: Connect) -> None:
    """Write the files below `root`, an ``s3://`` URI or a folder; what has the same key is overwritten.

    Raises
    ------
    ValueError
        As `check_place` does.
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        If S3 refuses.
    OSError
        If the folder cannot be written to.
    """
    check_place(root)
    if is_s3_uri(root):
        _upload(files, root, connect)
    else:
        _write(files, Path(root))


def _upload(files: Iterable[LabelFile], uri: str, connect: Connect) -> None:
    bucket, prefix = split_s3_uri(uri)
    client = connect()
    for file in files:
        key = "/".join(filter(None, (prefix.strip("/"), file.key)))
        client.put_object(Bucket=bucket, Key=key, Body=file.body, ContentType=CONTENT_TYPE)


def _write(files: Iterable[LabelFile], folder: Path) -> None:
    for file in files:
        path = folder / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when whole: a concurrent reader sees all of the file's records or none.
        part = path.with_suffix(".part")
        part.write_bytes(file.body)
        part.replace(path)
