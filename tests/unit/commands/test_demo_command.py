import argparse
from pathlib import Path

import pytest

from plumbline.cli import main
from plumbline.local.demo import main as demo


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """Return what the demo, which takes minutes, would have been called with."""
    calls: list[argparse.Namespace] = []

    def run(arguments: argparse.Namespace) -> int:
        calls.append(arguments)
        return 0

    monkeypatch.setattr(demo, "run", run)
    return calls


def test_defaults_are_those_of_make_demo(played: list[argparse.Namespace]) -> None:
    assert main(["demo"]) == 0
    (arguments,) = played
    assert vars(arguments) == {
        "command": "demo",
        "data": None,
        "synthetic": False,
        "hours": 10,
        "rows_per_hour": 2000,
        "scenario": "regime",
        "engine": "model_monitor",
        "seed": 0,
        "output": Path("demo-output"),
    }


def test_options_reach_the_demo(played: list[argparse.Namespace]) -> None:
    assert main(["demo", "--data", "d", "--hours", "3", "--scenario", "overwrite", "--output", "o"]) == 0
    (arguments,) = played
    assert (arguments.data, arguments.hours, arguments.scenario) == (Path("d"), 3, "overwrite")


def test_engine_reaches_the_demo_and_must_be_one(
    played: list[argparse.Namespace], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--engine", "scheduler"]) == 0
    assert played[0].engine == "scheduler"
    with pytest.raises(SystemExit):
        main(["demo", "--engine", "sagemaker"])
    assert "invalid choice: 'sagemaker'" in capsys.readouterr().err


def test_own_data_and_synthetic_data_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--data", "d", "--synthetic"])
    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_failing_step_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(arguments: argparse.Namespace) -> int:
        raise demo.DemoError("the deployment failed; see demo-output/cdk.log")

    monkeypatch.setattr(demo, "run", run)
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == "plumbline demo: error: the deployment failed; see demo-output/cdk.log\n"
