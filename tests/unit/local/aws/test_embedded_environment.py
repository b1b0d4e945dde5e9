import os
from pathlib import Path

import pytest

from plumbline.local.aws.settings import ServerSettings
from plumbline.local.embedded import client_environment

PYTHON = Path("/venv/bin/python")


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings(4566, tmp_path, None, 1.0)


def test_users_profile_is_hidden(settings: ServerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/x.pem")
    made = client_environment(settings, PYTHON)
    assert not {"AWS_PROFILE", "AWS_CA_BUNDLE"} & set(made)
    assert made["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_docker_stand_in_is_a_program(settings: ServerSettings) -> None:
    program = Path(client_environment(settings, PYTHON)["CDK_DOCKER"])
    assert os.access(program, os.X_OK)
    assert 'exec "/venv/bin/python" -P -m plumbline.local.aws.images.docker "$@"' in program.read_text()


def test_cli_remembers_accounts_below_the_state_folder(settings: ServerSettings) -> None:
    assert Path(client_environment(settings, PYTHON)["CDK_HOME"]).is_relative_to(settings.state)
