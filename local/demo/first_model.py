"""The first model: a SageMaker training job, requested as docs/first_model.md describes it, and its baseline."""

import io
import json
import tarfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plumbline.contract.names import training_job_prefix
from plumbline.contract.training import CHANNEL_TEST, CHANNEL_TRAIN, OUTPUT_BASELINE, OUTPUT_HISTORY
from plumbline.drift.errors import ShortPastError
from plumbline.drift.projection.learn_history import with_history
from plumbline.drift.reference.baseline import load, save
from plumbline.local.aws.objects import S3Location, write_member
from plumbline.local.embedded import EmbeddedAws
from plumbline.stacks.config.environment import EnvironmentConfig

POLL_SECONDS = 0.2
VOLUME_GB = 30
LOG_LEVEL_INFO = 20
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
    fetch_baseline(aws, artifact.removesuffix("model.tar.gz") + "output.tar.gz", folder, config.training.time_column)
    return FirstModel(artifact, folder / OUTPUT_BASELINE)


def wait_for_training(aws: EmbeddedAws, name: str) -> Mapping[str, Any]:
    """Return the job's description once it has ended."""
    while True:
        job: Mapping[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in TERMINAL:
            return job
        time.sleep(POLL_SECONDS)


def fetch_baseline(aws: EmbeddedAws, uri: str, folder: Path, time_column: str | None = None) -> None:
    """Take the baseline of the rows that were trained on out of the job's output archive, into a folder of `folder`.

    With a `time_column` it learns what the past shows that the job predicted, where there is enough of it.

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
        members += [member for member in archive if time_column and member.name == OUTPUT_HISTORY]
        for member in members:
            write_member(archive, member, folder.resolve())
    if time_column and (folder / OUTPUT_HISTORY).exists():
        learned = load(folder / OUTPUT_BASELINE)
        with suppress(ShortPastError):
            save(with_history(learned, folder / OUTPUT_HISTORY, time_column), folder / OUTPUT_BASELINE)


def first_training(config: EnvironmentConfig, outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the CreateTrainingJob request of SageMaker's XGBoost image in script mode.

    `outputs` are the foundation stack's.
    """
    channels = {CHANNEL_TRAIN: outputs["TrainDataUri"], CHANNEL_TEST: outputs["TestDataUri"]}
    return {
        "TrainingJobName": f"{training_job_prefix(config.name)}-first",
        "RoleArn": outputs["TrainingRoleArn"],
        "AlgorithmSpecification": {"TrainingImage": outputs["TrainingImageUri"], "TrainingInputMode": "File"},
        "HyperParameters": _hyperparameters(config, outputs["SourceArchiveUri"]),
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": outputs["ModelsUri"], "KmsKeyId": outputs["DataKeyArn"]},
        "ResourceConfig": {
            "InstanceType": config.training.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": config.training.max_runtime_seconds},
        "Tags": [{"Key": "plumbline:environment", "Value": config.name}],
    }


def _hyperparameters(config: EnvironmentConfig, source: str) -> dict[str, str]:
    """Return them as the script-mode toolkit reads them: each value JSON, the rest arguments of the script."""
    values: dict[str, str | int] = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": source,
        "sagemaker_region": config.region,
        "sagemaker_container_log_level": LOG_LEVEL_INFO,
        "target_label": config.training.target_label,
    }
    if config.training.segment_column:
        values["segment_column"] = config.training.segment_column
    if config.training.time_column:
        values["time_column"] = config.training.time_column
    if config.training.missing_values is not None:
        values["missing_values"] = config.training.missing_argument
    if config.feature_types_argument:
        values["feature_types"] = config.feature_types_argument
    return {name: json.dumps(value) for name, value in values.items()}


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }
