"""Physical names stay within what AWS accepts."""

import re
import tomllib
from pathlib import Path

import pytest

from plumbline.contract.names import VERSION, Prefix, alarm_name, resource_prefix, training_job_prefix
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind

SAGEMAKER_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def test_version_is_the_packages() -> None:
    project = Path(__file__).parents[3] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize("name", [resource_prefix("staging"), training_job_prefix("staging")])
def test_names_match_sagemakers_pattern(name: str) -> None:
    assert SAGEMAKER_NAME.fullmatch(name)


def test_alarm_names_differ_by_kind_and_environment() -> None:
    names = {alarm_name(environment, kind) for environment in ("dev", "prod") for kind in AlarmKind}
    assert len(names) == 2 * len(AlarmKind)


@pytest.mark.parametrize("prefix", list(Prefix))
def test_prefixes_join_without_double_slashes(prefix: Prefix) -> None:
    assert prefix == prefix.strip("/")
