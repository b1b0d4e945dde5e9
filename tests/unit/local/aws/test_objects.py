import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from plumbline.local.aws.objects import (
    ArchiveError,
    S3Location,
    download_prefix,
    encryption,
    pack,
    relative_name,
    unpack,
    upload_folder,
)
from tests.unit.local.aws.fakes import FakeS3


@pytest.mark.parametrize(
    ("prefix", "key", "expected"),
    [
        ("data/train", "data/train/a.csv", "a.csv"),
        ("data/train/", "data/train/deep/a.csv", "deep/a.csv"),
        ("data/train.csv", "data/train.csv", "train.csv"),
        ("data/tr", "data/train/a.csv", "train/a.csv"),
        ("", "a.csv", "a.csv"),
    ],
)
def test_downloaded_names_start_below_the_prefix(prefix: str, key: str, expected: str) -> None:
    assert relative_name(prefix, key) == expected


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "https://bucket/key"])
def test_fails_for_anything_but_an_s3_uri(uri: str) -> None:
    with pytest.raises(ValueError, match="S3 URI must look like"):
        S3Location.parse(uri)


def test_joined_locations_have_single_slashes() -> None:
    assert (
        str(S3Location.parse("s3://bucket/reports/").joined("/endpoint/", "hour"))
        == "s3://bucket/reports/endpoint/hour"
    )


def test_prefix_download_reads_every_page_and_skips_folder_markers(tmp_path: Path) -> None:
    s3 = FakeS3({("b", f"in/{name}"): name.encode() for name in ("1", "2", "3")} | {("b", "in/"): b""})

    assert download_prefix(s3, S3Location("b", "in"), tmp_path) == 3
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"1": "1", "2": "2", "3": "3"}


def test_folder_upload_keeps_names_and_key_and_leaves_symlinks_out(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "file")
    s3 = FakeS3()

    assert upload_folder(s3, tmp_path, S3Location("b", "out"), "key-arn") == 1
    assert s3.objects == {("b", "out/deep/file"): b"text"}
    assert s3.encryption["out/deep/file"] == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-arn"}


def test_no_key_leaves_encryption_to_the_bucket() -> None:
    assert encryption(None) == {}


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
