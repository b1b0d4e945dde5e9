"""Folder -> its capture or label files in order, and what else lies there under such a name.

Nothing is opened here: whoever opens a pipe waits for its writer.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.rejection import RejectionReason
from plumbline.drift.errors import ConfigError

SUFFIXES = (".jsonl", ".jsonl.gz")
"""Endings of capture files' names; other files of the folder are not read."""
_MANIFEST = re.compile(r"(^|/)\d{4}/\d{2}/\d{2}/\d{2}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$")
"""Where a batch transform with data capture leaves the names of its files, in place of captures.

Source: SageMaker Developer Guide, "Capture data from batch transform job"; the ending is that of AWS's examples.
"""
_UNREADABLE_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends and the stand-ins for bytes that are no UTF-8: no report or log can show them."""


@dataclass(frozen=True)
class Listing:
    """Files to be read, each with its path relative to the folder, with ``/``; and the rest, each with why it is not.

    Both in the order of the paths. The names of `odd` are printable. `manifests` are the names of what a batch
    transform captured.
    """

    files: tuple[tuple[Path, str], ...]
    odd: tuple[tuple[str, RejectionReason], ...] = ()
    manifests: tuple[str, ...] = ()


def listed(folder: Path) -> Listing:
    """Return the capture or label files below a folder, at any depth.

    Links to folders are not followed: one that stays in the folder leads to files that are found anyway, and any other
    is listed as unusable.

    Raises
    ------
    ConfigError
        If `folder` is no folder, or one below it cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"dataset_source must be a folder of capture files, got {str(folder)!r}; check the path")
    root = folder.resolve()
    files: list[tuple[Path, str]] = []
    odd: list[tuple[str, RejectionReason]] = []
    manifests: list[str] = []
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in _named(folder, root)):
        reason = oddity(path, folder, root)
        if _MANIFEST.search(name):
            manifests.append(printable(name))
        elif reason is None:
            files.append((path, name))
        else:
            odd.append((printable(name), reason))
    return Listing(tuple(files), tuple(odd), tuple(manifests))


def oddity(path: Path, folder: Path, root: Path) -> RejectionReason | None:
    """Return why something below `folder`, which is `root` without links, is no file to read; None: it is one."""
    if not is_readable_name(str(path.relative_to(folder))):
        return RejectionReason.UNREADABLE_NAME
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            target = path.resolve(strict=True)
            if not target.is_relative_to(root):
                return RejectionReason.UNUSABLE_LINK
            mode = target.lstat().st_mode
    except (OSError, RuntimeError):  # broken, or a link to itself
        return RejectionReason.UNUSABLE_LINK
    return None if stat.S_ISREG(mode) else RejectionReason.NOT_A_FILE


def is_readable_name(name: str) -> bool:
    """Return whether reports and logs can show a path as it is."""
    return _UNREADABLE_NAME.search(name) is None


def printable(name: str) -> str:
    r"""Return a name with everything that no report can show escaped.

    Examples
    --------
    >>> print(printable("a\nb"))
    a\nb
    """
    return _UNREADABLE_NAME.sub(lambda found: found[0].encode("unicode_escape").decode(), name)


def _named(folder: Path, root: Path) -> Iterator[Path]:
    """Yield what has the name of a capture file or of a batch transform's, and links to folders outside."""
    waiting = [folder]
    while waiting:
        for path in _entries(waiting.pop()):
            is_link = path.is_symlink()
            if not is_link and path.is_dir():
                waiting.append(path)
            is_named = path.name.endswith(SUFFIXES) or _MANIFEST.search(path.relative_to(folder).as_posix())
            if is_named or (is_link and _leads_to_folder_outside(path, root)):
                yield path


def _entries(folder: Path) -> list[Path]:
    try:
        return [*folder.iterdir()]
    except OSError as error:
        # Left out silently, an hour that may not be read would be an hour without traffic.
        raise ConfigError(f"{folder} must be readable, got {error.strerror or error}; check its permissions") from error


def _leads_to_folder_outside(link: Path, root: Path) -> bool:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_dir() and not target.is_relative_to(root)
