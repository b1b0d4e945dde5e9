"""model.tar.gz, output.tar.gz and source archives."""

import shutil
import tarfile
from pathlib import Path


class ArchiveError(Exception):
    """Raised when an archive cannot be read or holds a member that must not be written."""


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
