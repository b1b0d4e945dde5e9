from datetime import UTC, datetime
from pathlib import Path

import pytest

from plumbline.local.aws.settings import ServerSettings, environment, parse


def test_command_line_is_read(tmp_path: Path) -> None:
    settings = parse(["--port", "4566", "--state", str(tmp_path), "--start", "2026-01-01T00:00:00Z", "--speed", "60"])
    assert settings == ServerSettings(4566, tmp_path.resolve(), datetime(2026, 1, 1, tzinfo=UTC), 60.0)
    assert settings.url == "http://127.0.0.1:4566"


def test_start_needs_an_offset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--port", "1", "--state", "s", "--start", "2026-01-01T00:00:00"])
    assert "must have a UTC offset" in capsys.readouterr().err


def test_server_knows_nothing_of_the_users_set_up(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_CA_BUNDLE": "/x.pem",
        "DOCKER_HOST": "unix:///var/run/docker.sock",
    }
    made = environment(ServerSettings(4566, tmp_path, None, 1.0), inherited)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"} & set(made)
    assert made["DOCKER_HOST"] == f"unix://{tmp_path}/no-docker.sock"
    assert made["PATH"] == "/bin"


def test_iam_is_enforced_unless_switched_off(tmp_path: Path) -> None:
    settings = ServerSettings(4566, tmp_path, None, 1.0)
    assert environment(settings, {})["AUTH"] == "true"
    assert environment(settings, {"AUTH": "false"})["AUTH"] == "false"


def test_every_folder_is_below_the_state_folder(tmp_path: Path) -> None:
    made = environment(ServerSettings(4566, tmp_path, None, 1.0), {})
    assert all(Path(made[name]).is_relative_to(tmp_path) for name in ("TMPDIR", "STATE_DIR", "S3_DATA_DIR"))
