import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from local.aws.archives import ArchiveError, pack, unpack

MakeArchive = Callable[[Mapping[str, str]], bytes]


def test_packed_folder_unpacks_to_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "file").write_text("text")

    pack(tmp_path / "in", tmp_path / "archive.tar.gz")
    unpack(tmp_path / "archive.tar.gz", tmp_path / "out")

    assert (tmp_path / "out" / "deep" / "file").read_text() == "text"


@pytest.mark.parametrize("name", ["../escape", "/etc/escape", "deep/../../escape"])
def test_fails_when_a_member_leaves_the_folder(tmp_path: Path, archive: MakeArchive, name: str) -> None:
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(archive({name: "text"}))

    with pytest.raises(ArchiveError, match="stay inside"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "escape").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_fails_when_a_member_is_no_plain_file(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("member")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)

    with pytest.raises(ArchiveError, match="plain files or folders, got 'member'"):
        unpack(path, tmp_path / "out")


def test_fails_for_something_else_than_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(io.BytesIO(b"no archive").getvalue())

    with pytest.raises(ArchiveError, match=r"model\.tar\.gz must be a gzipped tar"):
        unpack(path, tmp_path / "out")
