"""Root hands the mounts over, and is then gone for good."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from plumbline.drift.settings import privileges
from plumbline.drift.settings.privileges import USER_ID, drop


@dataclass
class FakeSystem:
    """Records what is asked of the system, in order."""

    user: int = 0
    refuses: str = ""
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def geteuid(self) -> int:
        return self.user

    def chown(self, path: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        self._note("chown", path, user, group)

    def setgroups(self, groups: list[int]) -> None:
        self._note("setgroups", *groups)

    def setgid(self, group: int) -> None:
        self._note("setgid", group)

    def setuid(self, user: int) -> None:
        self._note("setuid", user)

    def _note(self, name: str, *values: object) -> None:
        if name == self.refuses:
            raise PermissionError(name)
        self.calls.append((name, *values))


def test_mounts_are_handed_over_before_root_is_given_up(tmp_path: Path) -> None:
    output = tmp_path / "processing" / "output"
    output.mkdir(parents=True)
    (output / "report.json").touch()
    system = FakeSystem()

    assert drop([tmp_path / "processing"], system)

    handed_over = {call[1] for call in system.calls if call[0] == "chown"}
    assert handed_over == {tmp_path / "processing", output, output / "report.json"}
    assert all(call[2:] == (USER_ID, USER_ID) for call in system.calls if call[0] == "chown")
    # Groups first: after setuid they could no longer be changed.
    assert [call for call in system.calls if call[0] != "chown"] == [
        ("setgroups",),
        ("setgid", USER_ID),
        ("setuid", USER_ID),
    ]


def test_a_mount_that_is_missing_is_made(tmp_path: Path) -> None:
    drop([tmp_path / "output"], FakeSystem())

    assert (tmp_path / "output").is_dir()


def test_an_ordinary_user_changes_nothing(tmp_path: Path) -> None:
    system = FakeSystem(user=1000)

    assert not drop([tmp_path / "output"], system)
    assert system.calls == []
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("step", ["chown", "setgroups", "setgid", "setuid"])
def test_fails_rather_than_going_on_as_root(tmp_path: Path, step: str) -> None:
    with pytest.raises(PermissionError, match=step):
        drop([tmp_path], FakeSystem(refuses=step))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")
def test_root_does_not_come_back(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from plumbline.drift.settings.privileges import drop
folder = Path({str(tmp_path)!r}) / "output"
drop([folder], os)
try:
    os.setuid(0)
except PermissionError:
    print(os.getuid(), os.getgid(), os.getgroups())
"""
    path = os.pathsep.join(sys.path)
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )

    assert finished.stdout.split() == [str(USER_ID), str(USER_ID), "[]"]
    assert (tmp_path / "output").stat().st_uid == USER_ID


def test_nothing_is_dropped_outside_a_processing_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "PLATFORM_ROOT", str(tmp_path))

    assert not privileges.drop_on_platform()
