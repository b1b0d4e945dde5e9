"""The demo clears what an earlier demo left, and nothing else."""

from pathlib import Path

import pytest

from plumbline.local.demo.main import DemoError, Folders


def test_an_earlier_demos_files_are_removed(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "demo-output")
    folders.clear()
    (folders.output / "summary.json").touch()

    folders.clear()

    assert not (folders.output / "summary.json").exists()


def test_fails_on_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(DemoError, match="must be a new folder or an earlier demo's"):
        Folders(tmp_path).clear()
    assert (tmp_path / "thesis.tex").exists()


def test_fails_on_a_file(tmp_path: Path) -> None:
    file = tmp_path / "thesis.tex"
    file.touch()

    with pytest.raises(DemoError, match="must be a new folder or an earlier demo's"):
        Folders(file).clear()
    assert file.exists()


def test_logs_outlive_the_state(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    folders.state.mkdir()
    (folders.state / "server.log").write_text("ready")

    folders.keep_logs()

    assert (tmp_path / "server.log").read_text() == "ready"
    assert not folders.state.exists()
