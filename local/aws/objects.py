"""Files as SageMaker moves them between S3 and a job's folders: objects, prefixes, and gzipped tar archives."""

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.contract.s3 import split_s3_uri


class ArchiveError(Exception):
    """Raised when an archive cannot be read or holds a member that must not be written."""


@dataclass(frozen=True)
class S3Location:
    """A bucket with a key or key prefix."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Location":
        """Read an S3 URI.

        Raises
        ------
        ValueError
            If `uri` is none.
        """
        return cls(*split_s3_uri(uri))

    def joined(self, *parts: str) -> "S3Location":
        """Return the location below this prefix."""
        pieces = [self.key.strip("/"), *(part.strip("/") for part in parts)]
        return S3Location(self.bucket, "/".join(piece for piece in pieces if piece))

    def __str__(self) -> str:
        """Return the S3 URI."""
        return f"s3://{self.bucket}/{self.key}"


def encryption(key_id: str | None) -> dict[str, str]:
    """Return the arguments that make PutObject encrypt with a KMS key; none leaves it to the bucket."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}


def download(client: Any, location: S3Location, path: Path) -> None:
    """Write one object to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = client.get_object(Bucket=location.bucket, Key=location.key)["Body"]
    with body, path.open("wb") as output:
        shutil.copyfileobj(body, output)


def keys(client: Any, prefix: S3Location) -> Iterator[str]:
    """Yield the keys that start with the prefix, as text: ``train`` finds ``training/a`` too, like SageMaker."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
    for page in pages:
        yield from (entry["Key"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/"))


def download_prefix(client: Any, prefix: S3Location, folder: Path) -> int:
    """Write the objects of an S3Prefix source below `folder` and return their number."""
    count = 0
    for key in keys(client, prefix):
        download(client, S3Location(prefix.bucket, key), folder / relative_name(prefix.key, key))
        count += 1
    return count


def relative_name(prefix: str, key: str) -> str:
    """Return where an object found under `prefix` lands: below the folder that the prefix names or starts in."""
    base = prefix.rstrip("/") + "/"
    if prefix and key.startswith(base):
        return key[len(base) :]
    return key[prefix.rfind("/") + 1 :]


def upload_folder(client: Any, folder: Path, prefix: S3Location, key_id: str | None) -> int:
    """Upload every file below `folder`, symlinks left out, and return their number."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in files:
        upload(client, path, prefix.joined(path.relative_to(folder).as_posix()), key_id)
    return len(files)


def upload(client: Any, path: Path, location: S3Location, key_id: str | None) -> None:
    """Upload one file."""
    with path.open("rb") as body:
        client.put_object(Bucket=location.bucket, Key=location.key, Body=body, **encryption(key_id))


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of a gzipped tar below `folder`.

    Raises
    ------
    ArchiveError
        If it is no gzipped tar, or a member would land outside `folder` or is no plain file or folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                write_member(tar, member, root)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArchiveError(f"{archive.name} must be a gzipped tar archive: {error}") from error


def write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Write one member below `root`, a resolved path. Python has a filter for this from 3.11.4 on only.

    Raises
    ------
    ArchiveError
        If it would land outside, or is no plain file or folder.
    """
    target = (root / member.name).resolve()
    if not target.is_relative_to(root):
        raise ArchiveError(f"archive members must stay inside their folder, got {member.name!r}")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isreg() else None
    if source is None:
        raise ArchiveError(f"archive members must be plain files or folders, got {member.name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("wb") as output:
        shutil.copyfileobj(source, output)


def pack(folder: Path, archive: Path) -> None:
    """Write everything below `folder` into a gzipped tar, with names relative to `folder`; symlinks are left out."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(folder.rglob("*")):
            if not path.is_symlink():
                tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
