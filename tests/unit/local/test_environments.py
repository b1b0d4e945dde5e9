from collections.abc import Sequence
from pathlib import Path

import pytest

from plumbline.local import environments
from plumbline.local.environments import EnvironmentSetupError


class _Uv:
    """Stands for uv: makes the interpreter's file, and can fail at a step."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str | Path]) -> None:
        words = [str(word) for word in command]
        self.commands.append(words)
        if self.fails_at and self.fails_at in words:
            raise EnvironmentSetupError("no such package")
        if "venv" in words:
            python = Path(words[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("six==1.17.0 --hash=sha256:00\n")
    return file


def test_environment_is_made_once(lock: Path, tmp_path: Path) -> None:
    uv = _Uv()
    first = environments.ensure(lock, name="emulator", cache=tmp_path / "venvs", run=uv)
    again = environments.ensure(lock, name="emulator", cache=tmp_path / "venvs", run=uv)
    assert first == again
    assert first.exists()
    assert len(uv.commands) == 2
    assert "--require-hashes" in uv.commands[1]


def test_later_lock_files_are_built_with_what_the_first_installed(lock: Path, tmp_path: Path) -> None:
    uv, later = _Uv(), tmp_path / "later.txt"
    later.write_text("seven==7 --hash=sha256:00\n")

    both = environments.ensure(lock, later, name="image", cache=tmp_path / "venvs", run=uv)

    assert ["--no-build-isolation" in command for command in uv.commands] == [False, False, True]
    assert [command[-1] for command in uv.commands[1:]] == [str(lock), str(later)]
    assert environments.ensure(lock, name="image", cache=tmp_path / "venvs", run=_Uv()) != both


def test_changed_lock_file_is_another_environment(lock: Path, tmp_path: Path) -> None:
    first = environments.ensure(lock, name="emulator", cache=tmp_path / "venvs", run=_Uv())
    lock.write_text("six==1.16.0 --hash=sha256:00\n")
    assert environments.ensure(lock, name="emulator", cache=tmp_path / "venvs", run=_Uv()) != first


def test_failed_install_leaves_no_half_environment(lock: Path, tmp_path: Path) -> None:
    cache = tmp_path / "venvs"
    with pytest.raises(EnvironmentSetupError):
        environments.ensure(lock, name="emulator", cache=cache, run=_Uv(fails_at="pip"))
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_missing_lock_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentSetupError, match=r"lock file must be readable, got '.*nothing.txt'"):
        environments.ensure(tmp_path / "nothing.txt", name="emulator", cache=tmp_path, run=_Uv())


def test_missing_uv_says_what_to_run(lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "UV", tmp_path / "no-uv")
    with pytest.raises(EnvironmentSetupError, match="run `make setup`"):
        environments.ensure(lock, name="emulator", cache=tmp_path / "venvs")
