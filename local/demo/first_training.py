"""The first model's training job: the request, as docs/first_model.md has it for people."""

import json
from collections.abc import Mapping
from typing import Any

from contract.names import training_job_prefix
from contract.training import CHANNEL_TEST, CHANNEL_TRAIN
from stacks.config import EnvironmentConfig

VOLUME_GB = 30
LOG_LEVEL_INFO = 20


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
    return {name: json.dumps(value) for name, value in values.items()}


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }
