"""Local path or S3 URI -> a local file or folder: the only module that calls S3."""

import hashlib
import math
import shutil
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from plumbline.contract.names import ReportFile
from plumbline.contract.rejection import RejectionReason
from plumbline.contract.s3 import is_s3_uri, split_s3_uri
from plumbline.drift.aws import Connect, as_config_error
from plumbline.drift.data.documents import storing, temporary_folder
from plumbline.drift.data.times import DAY, HOUR, hour_folder
from plumbline.drift.errors import BaselineError, ConfigError
from plumbline.drift.read.folder import SUFFIXES, is_readable_name, printable

_DIGEST = "plumbline-sha256"
"""Metadata of an object. Its ETag is no checksum of its bytes where a KMS key encrypts it."""
_CONNECTIONS = 10
"""Objects fetched at a time, as many as a client of boto3 has connections: captures are many small files."""
_MAX_NAME_BYTES = 255
_LATE_MINUTE = 50
"""A capture file is named by its first event and holds events for a minute or two: only late files reach over."""


@dataclass(frozen=True)
class CaptureFile:
    """One capture file of a window: its path relative to the folder or prefix, and where it is, a path or an S3 URI.

    With an `oddity` it is passed over, and counted as rejected.
    """

    name: str
    location: str
    n_bytes: int
    oddity: RejectionReason | None = None


def fetch(source: str, folder: Path, connect: Connect) -> Path:
    """Return a local file or folder with what `source` names; an archive (.zip) is unpacked.

    A local path is used where it is. An S3 URI whose last part has a suffix is one object, any other a prefix;
    both are stored below `folder`.

    Raises
    ------
    ConfigError
        If there is nothing at `source`, or it cannot be read.
    """
    path = _download(source, folder, connect) if is_s3_uri(source) else Path(source)
    if not path.exists():
        raise ConfigError(f"{source} must exist, got no such file or folder; check the path")
    if path.suffix != ".zip":
        return path
    return extract(path, folder / "unpacked")


def fetch_if_present(source: str, folder: Path, connect: Connect) -> Path | None:
    """Return what `fetch` does of one file or object, or None where there is none; raise ConfigError as it does."""
    if not is_s3_uri(source):
        return fetch(source, folder, connect) if Path(source).exists() else None
    bucket, key = _split(source)
    with as_config_error(source):
        present = any(entry["Key"] == key for entry in _listed(connect(), "Contents", bucket, Prefix=key))
    return fetch(source, folder, connect) if present else None


def list_captures(capture_uri: str, start: datetime, end: datetime, connect: Connect) -> list[CaptureFile]:
    """Return the capture files of the hours from `start` up to `end`, for every variant.

    The key's hour is that of a file's first event, so the last files of the hour before come along: their later
    events may belong to the window.

    Raises
    ------
    ConfigError
        If the destination cannot be read.
    """
    bucket, prefix = _split(capture_uri.rstrip("/") + "/")
    first = start.replace(minute=0, second=0, microsecond=0)
    hours = [first + n * HOUR for n in range(-1, math.ceil((end - first) / HOUR))]
    with as_config_error(capture_uri):
        client = connect()
        variants = [
            group["Prefix"] for group in _listed(client, "CommonPrefixes", bucket, Prefix=prefix, Delimiter="/")
        ]
        found = [
            entry
            for variant in variants
            for hour in hours
            for entry in _objects(client, bucket, f"{variant}{hour_folder(hour)}/")
            if hour >= first or _is_late(entry["Key"])
        ]
    return [_capture_file(bucket, entry, prefix) for entry in found]


def _capture_file(bucket: str, entry: Any, prefix: str) -> CaptureFile:
    name, uri = _name(bucket, entry["Key"], prefix), f"s3://{bucket}/{entry['Key']}"
    if not is_readable_name(name):
        return CaptureFile(printable(name), uri, 0, RejectionReason.UNREADABLE_NAME)
    return CaptureFile(name, uri, entry["Size"])


def fetch_captures(capture_uri: str, start: datetime, end: datetime, folder: Path, connect: Connect) -> Path:
    """Store the capture files of the hours from `start` up to `end` (`list_captures`) below `folder`; return `folder`.

    Hours without files leave an empty folder.

    Raises
    ------
    ConfigError
        If the destination cannot be read.
    """
    bucket, prefix = _split(capture_uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    keys = [_split(file.location)[1] for file in list_captures(capture_uri, start, end, connect)]
    with as_config_error(capture_uri):
        _store(connect(), bucket, prefix, keys, folder)
    return folder


def fetch_hours(uri: str, start: datetime, end: datetime, folder: Path, connect: Connect) -> Path:
    """Store the objects of the hours from `start` up to `end`, which lie in folders ``yyyy/mm/dd/hh``; return `folder`.

    Raises
    ------
    ConfigError
        If they cannot be read.
    """
    bucket, prefix = _split(uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    with as_config_error(uri):
        client = connect()
        _store(client, bucket, prefix, _between(client, bucket, prefix, start, end), folder)
    return folder


def fetch_variant_hours(uri: str, start: datetime, end: datetime, folder: Path, connect: Connect) -> Path:
    """Store the objects of the hours from `start` up to `end` of every variant, whose folders lie below `uri`.

    The objects are stored below `folder`, which is returned; none leave it empty.

    Raises
    ------
    ConfigError
        If they cannot be read.
    """
    bucket, prefix = _split(uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    with as_config_error(uri):
        groups = [*_listed(connect(), "CommonPrefixes", bucket, Prefix=prefix, Delimiter="/")]
    for group in groups:
        variant = _name(bucket, group["Prefix"], prefix)
        fetch_hours(f"s3://{bucket}/{group['Prefix']}", start, end, folder / variant, connect)
    return folder


def store_folder(folder: Path, uri: str, connect: Connect) -> None:
    """Store the files below `folder` under their own paths below an S3 prefix.

    An object that holds the same bytes already is left: a versioned bucket keeps every copy.

    Raises
    ------
    ConfigError
        If one cannot be written.
    """
    bucket, prefix = _split(uri.rstrip("/") + "/")
    with as_config_error(uri, "writable"):
        client = connect()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            key = prefix + path.relative_to(folder).as_posix()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if _digest(client, bucket, key) != digest:
                client.upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {_DIGEST: digest}})


def _digest(client: Any, bucket: str, key: str) -> str | None:
    """Return the checksum that an object was stored with; None where there is no such object."""
    # For a missing key S3 answers "not found" only to callers that may list the bucket, and "forbidden" to others.
    if all(entry["Key"] != key for entry in _listed(client, "Contents", bucket, Prefix=key)):
        return None
    return str(client.head_object(Bucket=bucket, Key=key)["Metadata"].get(_DIGEST))


_STATE_AGE = 8 * DAY
"""How old a state may be that a run goes on from: a week of missing runs, at a run a day."""
_STATE_FILES = 8
"""States that are fetched: the newest may be this window's own, or of a run that was repeated."""


def fetch_window_states(uri: str, start: datetime, folder: Path, connect: Connect) -> Path:
    """Store the last states that runs before the hour from `start` left (`judge.window_state`); return `folder`.

    The hour in a report's key is the window's in our layout, and may be the run's in the platform's, so that which
    window ended when is in the files.

    Parameters
    ----------
    uri
        Root of the schedule's reports: below it keys begin with year, month, day and hour.

    Raises
    ------
    ConfigError
        If the reports cannot be read.
    """
    hours = start - _STATE_AGE, start + HOUR
    return _fetch_reports(uri, ReportFile.WINDOW_STATE, hours, folder, connect, n_last=_STATE_FILES)


def fetch_window_counts_within(uri: str, start: datetime, end: datetime, folder: Path, connect: Connect) -> Path:
    """Store what runs left of their windows from `start` until `end` below `folder`; return `folder`.

    Runs of other windows may come along: the hour in a report's key is the window's or the run's.

    Parameters
    ----------
    uri
        Root of the schedule's reports: below it keys begin with year, month, day and hour.

    Raises
    ------
    ConfigError
        If the reports cannot be read.
    """
    # The longest window is a day, and is judged soon after its end.
    return _fetch_reports(uri, ReportFile.WINDOW_COUNTS, (start - HOUR, end + DAY + HOUR), folder, connect)


def _fetch_reports(
    uri: str, name: str, hours: tuple[datetime, datetime], folder: Path, connect: Connect, *, n_last: int | None = None
) -> Path:
    """Store the files of one name that the runs of some hours left, all or the last ones, below `folder`; return it."""
    bucket, prefix = _split(uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    with as_config_error(uri):
        client = connect()
        found = [key for key in _between(client, bucket, prefix, *hours) if key.endswith(f"/{name}")]
        _store(client, bucket, prefix, found if n_last is None else found[-n_last:], folder)
    return folder


def fetch_last(uri: str, is_one: Callable[[str], bool], folder: Path, connect: Connect, n_last: int = 1) -> Path:
    """Store the last objects below a prefix, in the order of their keys, below `folder`; return `folder`.

    None leave it empty. A local folder is used where it is.

    Parameters
    ----------
    is_one
        Whether an object of this name, relative to the prefix, counts.

    Raises
    ------
    ConfigError
        If they cannot be read.
    """
    if not is_s3_uri(uri):
        return Path(uri)
    bucket, prefix = _split(uri.rstrip("/") + "/")
    folder.mkdir(parents=True, exist_ok=True)
    with as_config_error(uri):
        client = connect()
        keys = [
            entry["Key"] for entry in _objects(client, bucket, prefix) if is_one(_name(bucket, entry["Key"], prefix))
        ]
        _store(client, bucket, prefix, keys[-n_last:], folder)
    return folder


@contextmanager
def local_copy(location: str, connect: Connect) -> Iterator[Path]:
    """Yield a file as a local path: its own, or that of a copy which goes with the block.

    Raises
    ------
    ConfigError
        If an S3 object cannot be read.
    """
    if not is_s3_uri(location):
        yield Path(location)
        return
    bucket, key = _split(location)
    with temporary_folder() as folder:
        copy = folder / "capture.jsonl"
        with as_config_error(location):
            connect().download_file(bucket, key, str(copy))
        yield copy


def _is_late(key: str) -> bool:
    """Return whether a file, named MM-SS-mmm-uuid, starts late in its hour; one named otherwise may."""
    minute = key.rsplit("/", 1)[-1].split("-", 1)[0]
    return not minute.isdecimal() or int(minute) >= _LATE_MINUTE


def _download(source: str, folder: Path, connect: Connect) -> Path:
    bucket, key = _split(source)
    name = key.rsplit("/", 1)[-1]
    with as_config_error(source):
        client = connect()
        if "." in name:
            _store(client, bucket, key.removesuffix(name), [key], folder)
            return folder / name
        prefix = key if key.endswith("/") or not key else f"{key}/"
        keys = [entry["Key"] for entry in _objects(client, bucket, prefix)]
        if not keys:
            raise ConfigError(f"{source} must hold objects, got none; upload them or correct the URI")
        _store(client, bucket, prefix, keys, folder)
        return folder


def _split(uri: str) -> tuple[str, str]:
    try:
        return split_s3_uri(uri)
    except ValueError as error:
        raise ConfigError(f"{error}; correct it") from error


def _objects(client: Any, bucket: str, prefix: str) -> Iterator[Any]:
    """Yield the objects below `prefix`, without the markers that consoles leave for folders."""
    objects = _listed(client, "Contents", bucket, Prefix=prefix)
    return (entry for entry in objects if not entry["Key"].endswith("/"))


def _between(client: Any, bucket: str, prefix: str, start: datetime, end: datetime) -> list[str]:
    """Return the keys of the hours from `start` up to `end`, which follow the prefix as ``yyyy/mm/dd/hh/``."""
    first, last = (f"{prefix}{hour_folder(hour)}/" for hour in (start, end))
    listed = _listed(client, "Contents", bucket, Prefix=prefix, StartAfter=first)
    keys = (entry["Key"] for entry in takewhile(lambda entry: entry["Key"] < last, listed))
    return [key for key in keys if not key.endswith("/")]


def _listed(client: Any, group: str, bucket: str, **filters: str) -> Iterator[Any]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, **filters):
        yield from page.get(group, [])


def _store(client: Any, bucket: str, prefix: str, keys: Iterable[str], folder: Path) -> None:
    def fetch_one(key: str) -> None:
        file = folder / _name(bucket, key, prefix)
        file.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, key, str(file))

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        deque(pool.map(fetch_one, keys), maxlen=0)


def _name(bucket: str, key: str, prefix: str) -> str:
    """Return the key relative to the prefix; one that would leave a folder is refused.

    What no file can be named, a key may be: such a part of it becomes its hash.
    """
    parts = key.removeprefix(prefix).split("/")
    if ".." in parts or (not parts[0] and len(parts) > 1):
        raise ConfigError(f"s3://{bucket}/{key} must stay below its prefix, got '..' in it; rename the object")
    return "/".join(map(_file_name, parts))


def _file_name(part: str) -> str:
    n_bytes = len(part.encode(errors="surrogatepass"))
    if n_bytes <= _MAX_NAME_BYTES and "\0" not in part:
        return part
    suffix = next((ending for ending in reversed(SUFFIXES) if part.endswith(ending)), "")
    return hashlib.sha256(part.encode(errors="surrogatepass")).hexdigest() + suffix


_MAX_BYTES = 2**30
_MAX_MEMBERS = 1000


def extract(archive: Path, folder: Path) -> Path:
    """Unpack a .zip below `folder` and return `folder`.

    Raises
    ------
    BaselineError
        If the file is no whole archive, a member would land outside `folder`, or it unpacks to more than 1 GiB.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(archive, members, folder)
            for member in members:
                file = folder / member.filename
                with storing(str(folder)):
                    file.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(member) as source, file.open("wb") as target:
                        shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BaselineError(
            f"{archive} must be a readable zip archive, got {error}; write the baseline again"
        ) from error
    return folder


def _check(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    for member in members:
        if not (folder / member.filename).resolve().is_relative_to(folder.resolve()):
            raise BaselineError(f"{archive} must hold paths below its root, got {member.filename!r}; pack it again")
    # zipfile stops a member at the size that its header declares, so the declared sizes are a bound.
    n_bytes = sum(member.file_size for member in members)
    if n_bytes > _MAX_BYTES or len(members) > _MAX_MEMBERS:
        raise BaselineError(
            f"{archive} must unpack to {_MAX_BYTES} bytes in {_MAX_MEMBERS} files at most, got {n_bytes} in "
            f"{len(members)}; a baseline is a few files"
        )
