"""The door: `npx cdk synth` calls app.py with the context in its environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

from plumbline.stacks.config.schedule import Engine
from tests.unit.stacks.synthesis import CONTEXT, ROOT, environment

OFFLINE = """
import runpy, socket, sys

def refused(*_: object, **__: object) -> None:
    raise AssertionError("synthesis opened a socket")

socket.socket.connect = refused
socket.getaddrinfo = refused
sys.argv = ["app.py"]
runpy.run_path("app.py", run_name="__main__")
"""


def run(arguments: list[str], folder: Path, **context: str) -> subprocess.CompletedProcess[str]:
    nowhere = folder / "bin"
    nowhere.mkdir()
    node = Path(subprocess.run(["node", "-p", "process.execPath"], capture_output=True, text=True, check=True).stdout)
    (nowhere / "node").symlink_to(str(node).strip())
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            # Neither docker nor the AWS CLI can be found, and no credentials.
            "PATH": str(nowhere),
            "HOME": str(Path.home()),
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "CDK_OUTDIR": str(folder / "out"),
            "CDK_CONTEXT_JSON": json.dumps(CONTEXT | context),
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": "",
            **({"TMPDIR": os.environ["TMPDIR"]} if "TMPDIR" in os.environ else {}),
        },
    )


def test_synthesis_needs_no_network_no_docker_and_no_credentials(tmp_path: Path) -> None:
    result = run(["-c", OFFLINE], tmp_path, environment="prod")
    assert result.returncode == 0, result.stderr
    for part in ("foundation", "serving", "monitoring"):
        written = json.loads((tmp_path / "out" / f"plumbline-prod-{part}.template.json").read_text())
        assert set(written["Resources"]) == set(environment("prod").templates[part]["Resources"])


def test_engine_of_the_context_takes_the_files_place_and_the_app_says_who_can_deploy_it(tmp_path: Path) -> None:
    result = run(["-c", OFFLINE], tmp_path, environment="dev", engine="scheduler")
    assert result.returncode == 0, result.stderr
    written = json.loads((tmp_path / "out" / "plumbline-dev-monitoring.template.json").read_text())
    assert set(written["Resources"]) == set(environment("dev", "scheduler").templates["monitoring"]["Resources"])
    metadata = json.loads((tmp_path / "out" / "plumbline-dev-monitoring.metadata.json").read_text())
    notes = [note for note in metadata["/plumbline-dev-monitoring"] if note["type"] == "aws:cdk:info"]
    assert notes == [{"type": "aws:cdk:info", "data": Engine.SCHEDULER.sentence}]


def test_an_engine_that_does_not_exist_ends_with_one_message(tmp_path: Path) -> None:
    result = run(["app.py"], tmp_path, engine="sagemaker")
    assert result.returncode == 1
    assert result.stderr == (
        "error: engine must be model_monitor or scheduler, got 'sagemaker'; pass it as -c engine=scheduler\n"
    )


def test_a_wrong_setting_ends_with_one_message_and_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text((ROOT / "environments" / "dev.toml").read_text().replace("sampling_percent", "sampling"))
    result = run(["app.py"], tmp_path, environment=str(file))
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        "error: capture.sampling_percent must be set, got nothing; add it to wrong.toml",
        "capture.sampling must be a known key, got 'sampling'; allowed there: sampling_percent; "
        "correct it in wrong.toml",
    ]


def test_app_stays_a_door() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) <= 40


def test_importing_the_app_imports_no_client() -> None:
    program = "import app, sys; print(*sorted({'boto3', 'botocore', 'numpy', 'cdk_nag'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "\n"
