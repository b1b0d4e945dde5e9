"""`plumbline check` as a person calls it before the first deployment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from plumbline.cli import main
from plumbline.stacks.config.schedule import Engine
from tests.unit.stacks.synthesis import ENVIRONMENTS, ROOT

ACCOUNT = "123456789012"


class NotThereError(Exception):
    """SSM's answer to a parameter that does not exist."""


class FakeAccount:
    """The three services that are looked at; every call is noted."""

    def __init__(self) -> None:
        self.exceptions = self
        self.ParameterNotFound = NotThereError
        self.bootstrap: str | None = "21"
        self.schedules: list[Mapping[str, Any]] = []
        self.calls: list[str] = []
        self.regions: set[str | None] = set()
        self.failure: Exception | None = None

    def client(self, service: str, *, region_name: str | None, endpoint_url: str | None) -> "FakeAccount":
        self.regions.add(region_name)
        return self

    def get_caller_identity(self) -> Mapping[str, str]:
        self.calls.append("get_caller_identity")
        if self.failure:
            raise self.failure
        return {"Account": ACCOUNT}

    def get_parameter(self, *, Name: str) -> Mapping[str, Any]:
        self.calls.append(f"get_parameter {Name}")
        if self.bootstrap is None:
            raise NotThereError
        return {"Parameter": {"Value": self.bootstrap}}

    def list_monitoring_schedules(self, *, MaxResults: int) -> Mapping[str, Any]:
        self.calls.append("list_monitoring_schedules")
        return {"MonitoringScheduleSummaries": self.schedules[:MaxResults]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    found = FakeAccount()
    monkeypatch.setattr(boto3, "client", found.client)
    return found


def file(folder: Path, **replacements: str) -> str:
    text = (ROOT / "environments" / "dev.toml").read_text()
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "own.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("engine", Engine)
def test_each_committed_file_is_valid_on_both_engines_and_nobody_is_called(
    name: str, engine: Engine, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--environment", name, "--engine", engine.value]) == 0

    valid, sentence, unseen = capsys.readouterr().out.splitlines()
    assert valid.startswith(f"environment file: valid; {name} in us-east-1, a window of 1 hour, cron(")
    assert sentence == f"engine: {engine.sentence}"
    assert unseen == "account: not looked at; --aws does, with read-only calls"
    assert account.calls == []


def test_engine_is_the_files_where_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--environment", file(tmp_path, model_monitor="scheduler")]) == 0
    assert Engine.SCHEDULER.sentence in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--environment", "qa"], "environment must name one of dev, prod, staging"),
        (["--engine", "sagemaker"], "engine must be model_monitor or scheduler, got 'sagemaker'"),
    ],
)
def test_a_wrong_name_is_the_operators_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_file_ends_with_its_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--environment", file(tmp_path, sampling_percent="sampling")]) == 2
    assert "capture.sampling must be a known key, got 'sampling'" in capsys.readouterr().err


def test_an_account_with_schedules_can_deploy_model_monitor(
    account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.schedules = [{"MonitoringScheduleName": "theirs"}]

    assert main(["check", "--aws"]) == 0

    assert capsys.readouterr().out.splitlines()[2:] == [
        f"account: {ACCOUNT}",
        "CDK bootstrap: version 21",
        "Model Monitor: in use here, so that the engine model_monitor can be deployed",
    ]
    assert account.regions == {"us-east-1"}


def test_an_account_without_a_schedule_is_no_proof_that_it_may_make_one(
    account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--aws"]) == 1
    assert "Model Monitor: nothing shows that the account can use it" in capsys.readouterr().out


def test_model_monitor_is_not_looked_for_where_it_is_not_used(account: FakeAccount) -> None:
    assert main(["check", "--aws", "--engine", "scheduler"]) == 0
    assert "list_monitoring_schedules" not in account.calls


def test_an_account_that_is_not_bootstrapped_is_told_the_command(
    account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.bootstrap = None
    assert main(["check", "--aws", "--engine", "scheduler", "--region", "eu-west-1"]) == 1
    assert f"CDK bootstrap: none; run npx cdk bootstrap aws://{ACCOUNT}/eu-west-1" in capsys.readouterr().out


def test_another_account_than_the_files_is_named(
    tmp_path: Path, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    own = file(tmp_path, **{'region = "us-east-1"': 'region = "us-east-1"\naccount = "999999999999"'})
    assert main(["check", "--aws", "--engine", "scheduler", "--environment", own]) == 1
    assert f"account: {ACCOUNT}, but the file is for 999999999999" in capsys.readouterr().out


@pytest.mark.parametrize(
    "failure",
    [NoCredentialsError(), ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetCallerIdentity")],
)
def test_an_account_that_answers_nothing_is_the_operators_error(
    failure: Exception, account: FakeAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.failure = failure
    assert main(["check", "--aws"]) == 2
    assert "plumbline check: error: " in capsys.readouterr().err
