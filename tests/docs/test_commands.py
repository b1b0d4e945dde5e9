"""Every command on the pages exists, takes its options, and the short ones are run."""

import argparse
import functools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ServiceModel

from plumbline.cli import help_page, main
from plumbline.commands import COMMANDS
from plumbline.local.demo.first_model import first_training
from plumbline.stacks.config.file import load_environment, parse_environment
from plumbline.stacks.config.schedule import Engine
from plumbline.stacks.naming import Naming
from tests.docs.pages import (
    CLI,
    CONFIGURATION,
    DEPLOYING,
    FIRST_MODEL,
    PAGES,
    README,
    ROOT,
    RUNBOOK,
    blocks,
    commands,
    section,
)
from tests.unit.stacks.synthesis import ENVIRONMENTS, PARTS, document

LINES = [(page.name, line.strip()) for page in PAGES for line in commands(page)]
PLUMBLINE = [(page, line) for page, line in LINES if line.startswith(".venv/bin/plumbline ")]
CDK = [(page, line) for page, line in LINES if line.startswith("npx cdk ")]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_command_line_page_is_the_help_of_every_command() -> None:
    assert CLI.read_text() == help_page()


@pytest.mark.parametrize(("page", "line"), PLUMBLINE)
def test_program_takes_the_command(page: str, line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    COMMANDS[name].add_arguments(parser)
    parser.parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_passing_exist(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"`plumbline ([a-z]\w*)", text)) <= set(COMMANDS)
    made = re.findall(r"^make (?:\w+=\S+ )*([\w -]+?)(?: \w+=\S+)?$", "\n".join(commands(page)), re.MULTILINE)
    made += re.findall(r"`make (?:\w+=\S+ )*([\w -]+?)(?: \w+=\S+)?`", text)
    assert {target for targets in made for target in targets.split()} <= TARGETS


def test_readme_starts_with_the_two_commands() -> None:
    assert [line for _, line in LINES if line in ("make demo", "make test")] == ["make demo", "make test"]


@pytest.mark.parametrize(("page", "line"), CDK)
def test_cdk_command_names_what_exists(page: str, line: str) -> None:
    words = shlex.split(line)
    assert words[2] in ("bootstrap", "synth", "diff", "deploy", "destroy")
    stacks = {Naming(name).stack(part) for name in ENVIRONMENTS for part in PARTS}
    assert {word for word in words if word.startswith("plumbline-")} <= stacks
    assert {word.partition("=")[2] for word in words if word.startswith("environment=")} <= set(ENVIRONMENTS)
    assert {word.partition("=")[2] for word in words if word.startswith("engine=")} <= set(Engine)


def test_deployment_begins_with_the_choice_of_the_engine() -> None:
    deploy = section(README, "Deploy to AWS")
    choice = deploy.index("`-c engine=scheduler`")
    assert choice < deploy.index("plumbline check") < deploy.index("cdk bootstrap") < deploy.index("cdk deploy")


@functools.cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


SUGAR = {
    ("s3", "cp"): set(),
    ("s3", "ls"): set(),
    ("s3", "sync"): set(),
    ("logs", "tail"): {"since", "log-stream-name-prefix"},
}
"""Commands that the AWS CLI adds to the API, with their options that we use."""
OF_THE_CLI = {"query", "output", "max-items", "cli-input-json", "cli-binary-format"}


def aws_calls() -> Iterator[tuple[str, str, frozenset[str]]]:
    text = "\n".join(line for page in (README, RUNBOOK, FIRST_MODEL) for line in commands(page))
    for call in re.findall(r"\baws ([a-z0-9-]+ [a-z0-9-]+(?:(?!\baws )[^\n])*)", text):
        name, operation, rest = (*call.split(maxsplit=2), "")[:3]
        yield name, operation, frozenset(re.findall(r"(?<![\w-])--([a-z-]+)", rest)) - OF_THE_CLI


@pytest.mark.parametrize(("name", "operation", "options"), sorted(set(aws_calls()), key=str))
def test_aws_command_is_one_of_the_api(name: str, operation: str, options: frozenset[str]) -> None:
    if operation == "wait":
        assert options == {"training-job-name"}
        return
    if (name, operation) in SUGAR:
        assert options <= SUGAR[name, operation]
        return
    known = {xform_name(entry, "-"): entry for entry in service(name).operation_names}
    shape = service(name).operation_model(known[operation]).input_shape
    assert shape is not None
    assert options <= {xform_name(member, "-") for member in shape.members}


def test_waiter_exists() -> None:
    waits = re.findall(r"aws (\w+) wait ([\w-]+)", "\n".join(line for _, line in LINES))
    assert waits
    for name, waiter in waits:
        known = botocore.session.get_session().get_waiter_model(name).waiter_names
        assert waiter in {xform_name(entry, "-") for entry in known}


def own_files(folder: Path) -> list[str]:
    """Run the example's preparation in `folder`, and return its plumbline commands."""
    for name in ("starter", "docs"):
        (folder / name).symlink_to(ROOT / name)
    prepare, judge = blocks(README, "sh")[2:4]
    script = prepare.replace(".venv/bin/python", shlex.quote(sys.executable))
    subprocess.run(["bash", "-euc", script], cwd=folder, check=True, capture_output=True)
    return re.sub(r"\\\n\s*", "", judge).splitlines()


def test_own_files_are_judged_as_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = own_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0
    assert capsys.readouterr().out in blocks(README, "text")
    assert "<html" in (tmp_path / "try" / "report" / "report.html").read_text()


@pytest.mark.parametrize("quoted", [False, True])
def test_example_makes_capture_files_of_any_csv(quoted: bool, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    place = '"Springfield, Ohio"' if quoted else "Springfield"
    rows.write_text(f"age,place,label,probability\n41,{place},yes,0.25\n?,,no,0.75\n")
    example = ROOT / "docs" / "examples" / "capture_from_csv.py"
    subprocess.run([sys.executable, example, rows, tmp_path / "made", "--leave-out", "label"], check=True)
    made = [json.loads(line) for line in (tmp_path / "made" / "capture.jsonl").read_text().splitlines()]
    sides = [record["captureData"] for record in made]
    assert [json.loads(side["endpointInput"]["data"]) for side in sides] == [
        [{"age": "41", "place": place.strip('"')}],
        [{"age": "?", "place": ""}],
    ]
    assert [side["endpointOutput"]["data"] for side in sides] == ["0.25", "0.75"]


FAKE_AWS = """#!/usr/bin/env bash
[[ "$1" == cloudformation ]] && sed -E "s/.*OutputKey=='([A-Za-z]+)'.*/value of \\1/" <<< "$*"
exit 0
"""


def test_training_by_hand_asks_for_what_the_demo_asks_for(tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(FAKE_AWS)
    aws.chmod(0o755)
    (script,) = [block for block in blocks(FIRST_MODEL, "sh") if "first-model.json" in block]
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=environment, check=True, capture_output=True)

    asked = json.loads((tmp_path / "first-model.json").read_text())

    assert asked == first_training(load_environment("dev", ROOT), ValueOf())


class ValueOf(dict[str, str]):
    """Outputs of a stack as the fake program prints them."""

    def __missing__(self, key: str) -> str:
        return f"value of {key}"


def test_outputs_named_on_the_pages_are_those_of_the_stacks() -> None:
    snapshots = ROOT / "tests" / "snapshot" / "__snapshots__" / "test_stacks"
    text = "\n".join(line for page in (RUNBOOK, FIRST_MODEL) for line in commands(page))
    named = set(re.findall(r"output (foundation|serving|monitoring) (\w+)", text))
    assert len(named) > 5
    for part, key in named:
        assert f"output {key}:" in (snapshots / f"test_environment[dev-{part}].txt").read_text()


@pytest.mark.parametrize("page", [DEPLOYING, CONFIGURATION], ids=lambda page: page.name)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_one_line_changes_the_engine_of_a_committed_file(name: str, page: Path) -> None:
    (lines,) = [block for block in blocks(page, "toml") if "scheduler" in block]
    ((key, value),) = re.findall(r'^(\w+) = "(.+)"$', lines, re.MULTILINE)
    assert parse_environment(document(name, monitor={key: value}), f"{name}.toml").monitor.engine is Engine.SCHEDULER
