"""Unpacking a baseline's archive without trusting it."""

import shutil
import zipfile
import zlib
from pathlib import Path

from drift.errors import BaselineError

_MOST_BYTES = 2**30
_MOST_MEMBERS = 1000


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
    if n_bytes > _MOST_BYTES or len(members) > _MOST_MEMBERS:
        raise BaselineError(
            f"{archive} must unpack to {_MOST_BYTES} bytes in {_MOST_MEMBERS} files at most, got {n_bytes} in "
            f"{len(members)}; a baseline is a few files"
        )
