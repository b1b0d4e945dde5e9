import subprocess
import sys
from importlib.metadata import version

import pytest

from plumbline import cli
from plumbline.commands import COMMANDS
from plumbline.data.choices import Format, ScenarioName
from plumbline.data.scenarios import SCENARIOS
from plumbline.exit_codes import CommandError

HEAVY = {"numpy", "scipy", "matplotlib", "boto3", "botocore", "rich", "sklearn", "local", "pydantic", "aws_cdk"}
REPORT = ["report", "--results", "in", "--output", "out"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let the report command fail as the test's parameter says."""

    def run(arguments: object) -> int:
        raise request.param

    command = COMMANDS["report"]
    monkeypatch.setitem(COMMANDS, "report", type(command)(command.summary, "", command.add_arguments, run))


LOOP = ["champion", "promote", "rollback", "retrain"]


def test_commands_are_those_of_the_specification() -> None:
    assert list(COMMANDS) == ["baseline", "monitor", "accept", "report", "traffic", "labels", "check", *LOOP, "demo"]


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from plumbline.cli import help_texts; list(help_texts()); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "plumbline" in loaded
    assert HEAVY & set(loaded) == set()


def test_help_describes_every_argument() -> None:
    texts = dict(cli.help_texts())
    assert list(texts) == ["plumbline --help", *(f"plumbline {name} --help" for name in COMMANDS)]
    for option in ("--dataset-source DIR", "--start-time T", "--alpha P", "--fail-on-violation", "--isolation-forest"):
        assert option in texts["plumbline monitor --help"]
    assert "exit codes: 0 finished" in texts["plumbline --help"]


def test_help_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(cli.help_texts())
    monkeypatch.setenv("COLUMNS", "40")
    assert list(cli.help_texts()) == before


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"]])
def test_help_ends_with_success(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out == dict(cli.help_texts())[" ".join(["plumbline", *arguments])]


def test_version_is_the_installed_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"plumbline {version('plumbline')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "plumbline: error: the following arguments are required: COMMAND; see plumbline --help\n"),
        (
            ["report", "--results", "x"],
            "plumbline report: error: the following arguments are required: --output; see plumbline report --help\n",
        ),
        (
            ["demo", "--hours", "0"],
            "plumbline demo: error: argument --hours: must be 1 or more, got 0; see plumbline demo --help\n",
        ),
        (
            [*REPORT, "--resulst", "y"],
            "plumbline: error: unrecognized arguments: --resulst y; see plumbline --help\n",
        ),
    ],
)
def test_wrong_arguments_are_shown_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("failing", "code", "message"),
    [
        (CommandError("a must be b,\n got c; do d"), 2, "plumbline report: error: a must be b, got c; do d\n"),
        (
            PermissionError(13, "Permission denied", "/out"),
            2,
            "plumbline report: error: [Errno 13] Permission denied: '/out'; check the path, its permissions and the "
            "space left\n",
        ),
        (KeyboardInterrupt(), 130, "plumbline: interrupted\n"),
    ],
    indirect=["failing"],
)
@pytest.mark.usefixtures("failing")
def test_failures_end_in_one_line_and_their_code(code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(REPORT) == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("failing", [ZeroDivisionError("boom")], indirect=True)
@pytest.mark.usefixtures("failing")
def test_our_own_fault_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(REPORT) == 3
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "ZeroDivisionError: boom" in shown
    assert shown.endswith("plumbline report: internal error: please report the lines above\n")


def test_help_names_every_scenario_and_format() -> None:
    assert list(SCENARIOS) == list(ScenarioName)
    text = dict(cli.help_texts())["plumbline traffic --help"]
    assert f"{{{','.join(Format)}}}" in text
    assert f"{{{','.join(ScenarioName)}}}" in text
