import json
import subprocess
import sys
from pathlib import Path

import pytest

from plumbline.local.aws.jobs import training_toolkit

SCRIPT = Path(training_toolkit.__file__)


def test_platform_parameters_do_not_reach_the_script() -> None:
    platform, user = training_toolkit.hyperparameters({"sagemaker_program": '"train.py"', "eta": "0.2", "name": "text"})

    assert platform == {"sagemaker_program": "train.py"}
    assert user == {"eta": 0.2, "name": "text"}


# Expected forms: aws/sagemaker-containers, _mapping.to_cmd_args.
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"b": 1, "alpha": 0.2}, ["--alpha", "0.2", "-b", "1"]),
        ({"flag": True}, ["--flag", "True"]),
        ({"none": None}, ["--none", ""]),
        ({"map": {"y": 2, "x": 1}}, ["--map", "x=1,y=2"]),
    ],
)
def test_hyperparameters_become_sorted_arguments(parameters: dict[str, object], expected: list[str]) -> None:
    assert training_toolkit.arguments(parameters) == expected


def job(tmp_path: Path, script: str) -> Path:
    """Return the platform folder of a job with one channel."""
    config = tmp_path / "input" / "config"
    for folder in (config, tmp_path / "code", tmp_path / "model", tmp_path / "output" / "data"):
        folder.mkdir(parents=True)
    raw = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://b/source.tar.gz"', "rounds": "5"}
    (config / "hyperparameters.json").write_text(json.dumps(raw))
    (config / "inputdataconfig.json").write_text(json.dumps({"train": {}}))
    (tmp_path / "code" / "train.py").write_text(script)
    return tmp_path


def run(root: Path) -> "subprocess.CompletedProcess[bytes]":
    environment = {"SAGEMAKER_BASE_DIR": str(root), "PATH": "/usr/bin:/bin"}
    return subprocess.run([sys.executable, "-P", str(SCRIPT)], env=environment, check=False, capture_output=True)


def test_script_gets_arguments_and_the_sm_environment(tmp_path: Path) -> None:
    root = job(
        tmp_path,
        "import json, os, sys\n"
        "seen = {'argv': sys.argv[1:], **{k: v for k, v in os.environ.items() if k.startswith('SM_')}}\n"
        "open(os.environ['SM_MODEL_DIR'] + '/seen.json', 'w').write(json.dumps(seen))\n",
    )

    assert run(root).returncode == 0
    seen = json.loads((root / "model" / "seen.json").read_text())
    assert seen["argv"] == ["--rounds", "5"]
    assert seen["SM_CHANNEL_TRAIN"] == str(root / "input" / "data" / "train")
    assert seen["SM_OUTPUT_DATA_DIR"] == str(root / "output" / "data")
    assert (seen["SM_HPS"], seen["SM_HP_ROUNDS"], seen["SM_CHANNELS"]) == ('{"rounds":5}', "5", '["train"]')


def test_failing_script_leaves_its_command_as_reason(tmp_path: Path) -> None:
    root = job(tmp_path, "raise SystemExit(3)")

    assert run(root).returncode == 3
    reason = (root / "output" / "failure").read_text()
    assert reason == 'ExecuteUserScriptError:\nCommand "python -m train --rounds 5"'


def test_reason_that_the_script_left_is_kept(tmp_path: Path) -> None:
    root = job(tmp_path, f"open('{tmp_path}/output/failure', 'w').write('my reason')\nraise SystemExit(1)")

    assert run(root).returncode == 1
    assert (root / "output" / "failure").read_text() == "my reason"
