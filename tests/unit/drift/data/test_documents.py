"""Files on this machine's disk: all or nothing, and what to do where it does not take them."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plumbline.drift.data.documents import storing, temporary_folder, write_together
from plumbline.drift.errors import BaselineError, ConfigError, PublishError, StorageError
from plumbline.drift.read.capture import count_folder, plan_of
from plumbline.drift.read.s3 import extract, fetch
from plumbline.drift.reference.baseline import load, save
from tests.unit.drift.builders import record, write_capture
from tests.unit.drift.fake_s3 import FakeS3
from tests.unit.drift.read.kernel.test_isolation import BASELINE

TREE = Path(__file__).parents[4]
TEXTS = {"first.json": "1", "second.json": "2", "report.json": "3"}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def failing_at(number: int, code: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """The real method, whose call with this number fails."""
    calls = [0]

    def method(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    return method


def test_files_that_belong_together_appear_together(tmp_path: Path) -> None:
    write_together(tmp_path / "new", TEXTS)
    assert contents(tmp_path / "new") == TEXTS


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_disk_that_fills_up_leaves_the_earlier_files(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(tmp_path, dict.fromkeys(TEXTS, "old"))
    monkeypatch.setattr(Path, "write_bytes", failing_at(number, errno.ENOSPC, Path.write_bytes))
    with pytest.raises(PublishError, match=r"report\.json must be writable.*No space left on device; free space on it"):
        write_together(tmp_path, TEXTS)
    assert contents(tmp_path) == dict.fromkeys(TEXTS, "old")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_failed_rerun_leaves_no_old_report_beside_new_files(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(tmp_path, dict.fromkeys(TEXTS, "old"))
    monkeypatch.setattr(Path, "replace", failing_at(number, errno.EIO, Path.replace))
    with pytest.raises(PublishError, match="check the disk"):
        write_together(tmp_path, TEXTS)
    assert "report.json" not in contents(tmp_path)
    monkeypatch.undo()
    write_together(tmp_path, TEXTS)
    assert contents(tmp_path) == TEXTS


def test_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".report.json.partial").mkdir()
    (tmp_path / ".report.json.partial" / "first.json").touch()
    write_together(tmp_path, TEXTS)
    assert contents(tmp_path) == TEXTS


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free space on it, or give the job a larger volume"),
        (errno.EDQUOT, "free space on it"),
        (errno.EROFS, "check the folder's or mount's owner"),
        (errno.EACCES, "check the folder's or mount's owner"),
        (errno.ENAMETOOLONG, "shorten the path"),
        (errno.EMFILE, "raise the limit of open files"),
        (errno.EIO, "check the disk"),
    ],
)
def test_each_fault_of_a_disk_has_its_remedy(code: int, remedy: str) -> None:
    with pytest.raises(StorageError, match=remedy), storing("the disk"):
        raise OSError(code, os.strerror(code))


def test_no_place_for_temporary_files_is_the_operators_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(StorageError, match="No usable temporary directory found.*TMPDIR"), temporary_folder():
        pytest.fail("there is no folder")


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_while_events_are_noted_is_no_fault_of_the_captures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_capture(tmp_path, [record(event_id="a")])
    real = Path.open

    def opened(path: Path, *given: Any, **named: Any) -> Any:
        return full() if path.suffix == ".events" else real(path, *given, **named)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(StorageError, match="the temporary folder must take this run's files, got No space left"):
        count_folder(tmp_path, plan_of(BASELINE))


def test_a_full_disk_while_objects_are_fetched_is_no_fault_of_the_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = FakeS3({"key.csv": "a"})
    monkeypatch.setattr(s3, "download_file", full)
    with pytest.raises(StorageError, match=r"the copy of s3://bucket/key\.csv must take.*larger volume"):
        fetch("s3://bucket/key.csv", tmp_path, lambda: s3)


def test_a_connection_that_breaks_is_no_fault_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    s3 = FakeS3({"key.csv": "a"})
    monkeypatch.setattr(s3, "download_file", broken)
    with pytest.raises(ConfigError, match=r"s3://bucket/key\.csv must be readable, got .*reset by peer"):
        fetch("s3://bucket/key.csv", tmp_path, lambda: s3)


def test_a_full_disk_while_a_baseline_is_unpacked_is_no_fault_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("baseline.json", "{}")
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(StorageError, match="No space left"):
        extract(tmp_path / "a.zip", tmp_path / "to")


def test_a_failed_baseline_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(BASELINE, tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BaselineError, match="must be writable"):
        save(BASELINE, tmp_path)
    monkeypatch.undo()
    assert load(tmp_path).n_rows == BASELINE.n_rows


def test_a_run_on_a_full_disk_ends_with_exit_code_2_and_no_report(tmp_path: Path) -> None:
    save(BASELINE, tmp_path / "baseline")
    write_capture(tmp_path / "captures", [record(event_id=str(number)) for number in range(300)])
    arguments = ["--dataset-source", "captures", "--baseline", "baseline", "--output", "out"]
    result = subprocess.run(
        [sys.executable, "-m", "plumbline.cli", "monitor", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TREE), "PYTHONDONTWRITEBYTECODE": "1"},
        # No file may have more than this: what a full disk says, as far as a process can tell.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 2, result.stderr
    assert "File too large" in result.stderr
    assert "larger volume" in result.stderr
    assert not list((tmp_path / "out").glob("**/*")), json.dumps(result.stdout)
