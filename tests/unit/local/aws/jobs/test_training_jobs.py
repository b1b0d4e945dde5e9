import io
import json
import sys
import tarfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from plumbline.local.aws.jobs.engine import Job, JobError
from plumbline.local.aws.jobs.training_jobs import TrainingWork
from plumbline.local.aws.processes import Processes
from tests.unit.local.aws.fakes import FakeS3

ROLE = "arn:aws:iam::000000000000:role/training"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5-cpu-py3"
SCRIPT = """
import os, pathlib, sys
rows = (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.csv").read_text()
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(rows + " ".join(sys.argv[1:]))
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "metrics.json").write_text("{}")
"""
MakeArchive = Callable[[Mapping[str, str]], bytes]


@pytest.fixture
def work(s3: FakeS3) -> TrainingWork:
    return TrainingWork(lambda role: s3, lambda role: {}, lambda: Path(sys.executable))


@pytest.fixture
def job(folder: Path, processes: Processes, s3: FakeS3, archive: MakeArchive) -> Callable[..., Job]:
    """Return a function that makes a job of a script, with members of its request replaced."""

    def make(script: str = SCRIPT, **members: Any) -> Job:
        s3.objects["b", "source.tar.gz"] = archive({"train.py": script})
        s3.objects["b", "data/train/rows.csv"] = b"1,2;"
        record = {
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {
                "sagemaker_program": json.dumps("train.py"),
                "sagemaker_submit_directory": json.dumps("s3://b/source.tar.gz"),
                "eta": "0.2",
            },
            "InputDataConfig": [channel()],
            "OutputDataConfig": {"S3OutputPath": "s3://b/models/", "KmsKeyId": "key-arn"},
            **members,
        }
        return Job("job", record, folder / "job", processes, threading.Event())

    return make


def channel(kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": kind, "S3Uri": "s3://b/data/train"}}
    return {"ChannelName": "train", "DataSource": source, "ContentType": "text/csv"}


def members(archive: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read().decode() for name, file in files.items() if file is not None}


def test_trained_model_and_output_are_uploaded_with_the_key(
    work: TrainingWork, job: Callable[..., Job], s3: FakeS3
) -> None:
    assert work(job()) == {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/models/job/output/model.tar.gz"}}

    assert members(s3.objects["b", "models/job/output/model.tar.gz"]) == {"model.json": "1,2;--eta 0.2"}
    assert members(s3.objects["b", "models/job/output/output.tar.gz"]) == {"metrics.json": "{}"}
    assert s3.encryption["models/job/output/model.tar.gz"]["SSEKMSKeyId"] == "key-arn"


def test_no_output_archive_without_output(work: TrainingWork, job: Callable[..., Job], s3: FakeS3) -> None:
    work(job("pass"))

    assert ("b", "models/job/output/output.tar.gz") not in s3.objects


def test_failing_script_fails_the_job_with_its_own_reason(
    work: TrainingWork, job: Callable[..., Job], s3: FakeS3
) -> None:
    script = "import os; open(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('too few rows'); raise SystemExit(4)"

    with pytest.raises(JobError, match="AlgorithmError: too few rows, exit code: 4"):
        work(job(script))
    assert not any(key.startswith("models/") for _, key in s3.objects)


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"AlgorithmSpecification": {"TrainingImage": "other"}}, "sagemaker-xgboost images only, got 'other'"),
        ({"HyperParameters": {}}, "must have sagemaker_program, sagemaker_submit_directory"),
        ({"InputDataConfig": [channel("ManifestFile")]}, "S3Prefix channels in File mode only, not 'train'"),
    ],
)
def test_fails_by_name_for_what_it_does_not_run(
    work: TrainingWork, job: Callable[..., Job], replaced: dict[str, Any], words: str
) -> None:
    with pytest.raises(JobError, match=words):
        work(job(**replaced))


def test_fails_when_the_source_asks_for_libraries(
    work: TrainingWork, job: Callable[..., Job], s3: FakeS3, archive: MakeArchive
) -> None:
    run = job()
    s3.objects["b", "source.tar.gz"] = archive({"train.py": "", "requirements.txt": "pandas"})

    with pytest.raises(JobError, match=r"installs no requirements\.txt"):
        work(run)


def test_refused_upload_fails_the_job(work: TrainingWork, job: Callable[..., Job], s3: FakeS3) -> None:
    s3.denied = ("models/",)

    with pytest.raises(JobError, match="Failed to upload artifacts to s3://b/models/job/output"):
        work(job())
