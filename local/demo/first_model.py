"""The first model: a SageMaker training job on the foundation stack's role and buckets, and its baseline."""

import io
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.training import OUTPUT_BASELINE
from local.aws.objects import S3Location, write_member
from local.demo.first_training import first_training
from local.embedded import EmbeddedAws
from stacks.config import EnvironmentConfig

POLL_SECONDS = 0.2
TERMINAL = ("Completed", "Failed", "Stopped")


class TrainingError(Exception):
    """Raised when the first training job does not complete."""


@dataclass(frozen=True)
class FirstModel:
    """What serves first: the model's s3:// URI, and the folder of its baseline."""

    artifact: str
    baseline: Path


def make(aws: EmbeddedAws, config: EnvironmentConfig, outputs: Mapping[str, str], folder: Path) -> FirstModel:
    """Train, and take the baseline that the job learned.

    `outputs` are the foundation stack's; `folder` takes the baseline.

    Raises
    ------
    TrainingError
        If the job fails.
    """
    request = first_training(config, outputs)
    name = request["TrainingJobName"]
    aws.client("sagemaker").create_training_job(**request)
    job = wait_for_training(aws, name)
    if job["TrainingJobStatus"] != "Completed":
        raise TrainingError(f"training job {name} is {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    artifact: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    fetch_baseline(aws, artifact.removesuffix("model.tar.gz") + "output.tar.gz", folder)
    return FirstModel(artifact, folder / OUTPUT_BASELINE)


def wait_for_training(aws: EmbeddedAws, name: str) -> Mapping[str, Any]:
    """Return the job's description once it has ended."""
    while True:
        job: Mapping[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in TERMINAL:
            return job
        time.sleep(POLL_SECONDS)


def fetch_baseline(aws: EmbeddedAws, uri: str, folder: Path) -> None:
    """Take the baseline of the rows that were trained on out of the job's output archive, into a folder of `folder`.

    Raises
    ------
    TrainingError
        If the archive has none.
    """
    source = S3Location.parse(uri)
    body = aws.client("s3").get_object(Bucket=source.bucket, Key=source.key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        members = [member for member in archive if member.name.startswith(f"{OUTPUT_BASELINE}/")]
        if not members:
            raise TrainingError(f"{uri} must hold {OUTPUT_BASELINE}/")
        for member in members:
            write_member(archive, member, folder.resolve())
