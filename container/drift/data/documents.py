"""Text files of a run. JSON documents of ours have one line per fact, a version and a checksum over all lines."""

import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import read_json
from plumbline.drift.errors import PublishError, StorageError

_WAITING = ".{}.partial"
"""Folder of files that are not complete yet, beside those that they are for: renaming works within one disk only."""
_FULL = (
    "free space on it, or give the job a larger volume (monitor.volume_gb, retraining.volume_gb); TMPDIR names another "
    "folder for temporary files"
)
_NOT_OURS = (
    "check the folder's or mount's owner and its permissions, name another folder (TMPDIR for temporary files), or "
    "another user in container/Dockerfile"
)
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _NOT_OURS,
    errno.EPERM: _NOT_OURS,
    errno.EROFS: _NOT_OURS,
    errno.ENOENT: _NOT_OURS,
    errno.EEXIST: "remove or rename what is there under that name",
    errno.ENOTDIR: "remove or rename what is there under that name",
    errno.EISDIR: "remove or rename what is there under that name",
    errno.ENAMETOOLONG: "shorten the path",
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "raise the limit of open files",
}
STORAGE_ERRORS = frozenset(_REMEDIES) - {errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR} | {errno.EIO}
"""What the system says of a machine's disk, wherever it says it, and not of one file that is missing."""

_SPECIAL = frozenset(',"\r\n')
_CHECKSUM_LINE = re.compile('^  "checksum": "[0-9a-f]{64}",\n', re.MULTILINE)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def signed(document: Mapping[str, Any], before: str) -> str:
    """Return the document's text, with a checksum in the line before the key `before`.

    The checksum is the SHA-256 of the text without the checksum's own line.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    body = "{\n" + ",\n".join(f'  "{key}": {_pretty(value)}' for key, value in document.items()) + "\n}\n"
    return body.replace(f'\n  "{before}": ', f'\n  "checksum": "{sha256(body)}",\n  "{before}": ', 1)


def read_signed(text: str, *versions: int) -> dict[str, Any]:
    """Return the document whose text `signed` made, of one of the `versions`.

    Raises
    ------
    ValueError
        If the text is no JSON, of another version, or altered since it was written.
    """
    try:
        document: Any = read_json(text)
    except ValueError as error:
        raise ValueError(f"must be JSON, got {error}") from error
    found = document.get("version") if isinstance(document, dict) else None
    if found not in versions:
        raise ValueError(f"must be of version {' or '.join(map(str, versions))}, got {found!r}")
    if document.get("checksum") != sha256(_CHECKSUM_LINE.sub("", text, count=1)):
        raise ValueError("must have the content it was written with, got another checksum: it was edited or damaged")
    return document  # type: ignore[no-any-return]


def _pretty(value: Any) -> str:
    """Return JSON with one line per entry of a list, unless all are texts, and no deeper breaks."""
    if not isinstance(value, list) or all(isinstance(entry, str) for entry in value):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    lines = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False, allow_nan=False)}" for entry in value)
    return f"[\n{lines}\n  ]"


def storage_remedy(error: OSError) -> str:
    """Return what to do about a disk that does not take a file."""
    return _REMEDIES.get(error.errno or 0, "check the disk")


def storage_error(what: str, error: OSError) -> StorageError:
    """Return the error of `what`, a place on this machine's disk, with the remedy."""
    return StorageError(f"{what} must take this run's files, got {error.strerror or error}; {storage_remedy(error)}")


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn what the system says of `what`, a place on this machine's disk, into a StorageError."""
    try:
        yield
    except OSError as error:
        raise storage_error(what, error) from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder that goes with the block.

    Raises
    ------
    StorageError
        If there is no place for one.
    """
    with storing("the temporary folder"):
        folder = tempfile.TemporaryDirectory(prefix="plumbline-")
    with folder as name:
        yield Path(name)


def write_text(file: Path, text: str) -> None:
    """Write one file and the folders above it: all of it, or nothing.

    Raises
    ------
    PublishError
        If that fails, for example because the platform mounted the folder for another user.
    """
    write_together(file.parent, {file.name: text})


def write_together(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files that belong together: they appear in their order, once all of them are on the disk.

    The last one is the one that readers wait for. It goes first where it was there before, so that nobody finds an
    earlier one beside files of this time.

    Raises
    ------
    PublishError
        If that fails. The folder then has its earlier files, or lacks the last one.
    """
    *_, last = texts
    waiting = folder / _WAITING.format(last)
    try:
        try:
            # Left by a run that was killed.
            shutil.rmtree(waiting, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            waiting.mkdir()
            for name, text in texts.items():
                (waiting / name).write_bytes(text.encode())
            (folder / last).unlink(missing_ok=True)
            for name in texts:
                (waiting / name).replace(folder / name)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
    except OSError as error:
        raise PublishError(
            f"{folder / last} must be writable by the container's user, got {error.strerror or error}; "
            f"{storage_remedy(error)}"
        ) from error


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text cells as CSV, which `csv.reader` reads back cell for cell."""
    # A row of one empty cell would be a blank line, which is no row.
    return "".join((",".join(map(_quoted, row)) or '""') + "\n" for row in rows)


def _quoted(cell: str) -> str:
    # csv.writer leaves a carriage return bare when lines end otherwise, and csv.reader takes it for a line's end.
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.intersection(cell) else cell
