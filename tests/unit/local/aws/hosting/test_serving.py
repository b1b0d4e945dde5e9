import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.hosting.serving import HostingError, Launcher, last_words
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import FakeS3

ROLE = "arn:aws:iam::000000000000:role/endpoint"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-cpu-py3"
VARIANT = {"VariantName": "AllTraffic"}
SCRIPT_MODE = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/source.tar.gz"}
MakeArchive = Callable[[Mapping[str, str]], bytes]


@pytest.fixture
def launcher(processes: Processes, s3: FakeS3, archive: MakeArchive) -> Launcher:
    s3.objects["b", "model.tar.gz"] = archive({"model.json": "{}"})
    s3.objects["b", "source.tar.gz"] = archive({"inference.py": "def input_fn(data, content_type): return data\n"})
    return Launcher(processes, lambda role: s3, lambda role: {}, lambda: Path(sys.executable))


def model(environment: Mapping[str, str] = SCRIPT_MODE, **container: Any) -> dict[str, Any]:
    primary = {"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz", "Environment": environment, **container}
    return {"ExecutionRoleArn": ROLE, "PrimaryContainer": primary}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (model(Image="registry/mine:1"), "sagemaker-xgboost images only, got 'registry/mine:1'"),
        (model(environment={}), "must set SAGEMAKER_PROGRAM"),
        ({"ExecutionRoleArn": ROLE, "Containers": [{}, {}]}, "one container per model, got 2"),
    ],
)
def test_fails_by_name_for_a_model_it_does_not_serve(
    launcher: Launcher, tmp_path: Path, record: dict[str, Any], words: str
) -> None:
    with pytest.raises(HostingError, match=words):
        launcher.launch(record, VARIANT, tmp_path)


@pytest.mark.parametrize("denied", ["model.tar.gz", "source.tar.gz"])
def test_refused_download_names_object_and_role(launcher: Launcher, s3: FakeS3, tmp_path: Path, denied: str) -> None:
    s3.denied = (denied,)

    with pytest.raises(HostingError, match=f"Could not access model data at s3://b/{denied}.*{ROLE}.*AccessDenied"):
        launcher.launch(model(), VARIANT, tmp_path)


def test_fails_for_model_data_that_is_no_archive(launcher: Launcher, s3: FakeS3, tmp_path: Path) -> None:
    s3.objects["b", "model.tar.gz"] = b"no archive"

    with pytest.raises(HostingError, match=r"Failed to extract model data from s3://b/model\.tar\.gz"):
        launcher.launch(model(), VARIANT, tmp_path)


def test_container_that_dies_tells_its_last_words(launcher: Launcher, tmp_path: Path) -> None:
    with pytest.raises(HostingError, match="Please provide a model_fn implementation"):
        launcher.launch(model(), VARIANT, tmp_path)


def test_code_may_lie_in_the_model_archive(
    launcher: Launcher, s3: FakeS3, archive: MakeArchive, tmp_path: Path
) -> None:
    s3.objects["b", "model.tar.gz"] = archive({"code/inference.py": "raise RuntimeError('found me')"})
    inside = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}

    with pytest.raises(HostingError, match="found me"):
        launcher.launch(model(environment=inside), VARIANT, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "none"),
        ("Traceback:\n  File x\nValueError: bad value\n", "ValueError: bad value"),
        ("Error: bad model\nStack trace:\n  [bt] (0) lib.so\n  [bt] (1) lib.so: x\n", "Error: bad model"),
        ("killed", "killed"),
    ],
)
def test_last_words_are_the_error_and_not_the_stack(text: str, expected: str) -> None:
    assert last_words(text) == expected
