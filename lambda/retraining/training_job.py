"""Training jobs: the request, and the only boto3 calls of the function."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from contract.training import CHANNEL_FRESH, CHANNEL_TEST, CHANNEL_TRAIN
from retraining.decision import Job
from retraining.settings import Settings

VOLUME_SIZE_GB = 30
LOG_LEVEL_INFO = 20


class JobExistsError(Exception):
    """Raised when a job of that name exists: the same event started it."""


def training_request(settings: Settings, job_name: str, *, with_fresh_data: bool) -> dict[str, Any]:
    """Return the CreateTrainingJob request of SageMaker's XGBoost image in script mode.

    The source archive is fetched by the image itself, so the job keeps its network. The volume has no key of its
    own: instance types with local storage refuse one, and all of them encrypt.
    """
    channels = {CHANNEL_TRAIN: settings.train_s3_uri, CHANNEL_TEST: settings.test_s3_uri}
    if with_fresh_data and settings.fresh_s3_uri:
        channels[CHANNEL_FRESH] = settings.fresh_s3_uri
    output = {"S3OutputPath": settings.output_s3_uri}
    request: dict[str, Any] = {
        "TrainingJobName": job_name,
        "RoleArn": settings.training_role_arn,
        "AlgorithmSpecification": {"TrainingImage": settings.training_image, "TrainingInputMode": "File"},
        "HyperParameters": _hyperparameters(settings),
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
        "OutputDataConfig": output | ({"KmsKeyId": settings.kms_key_arn} if settings.kms_key_arn else {}),
        "ResourceConfig": {
            "InstanceType": settings.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_SIZE_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.max_runtime_seconds},
        "Tags": [{"Key": "plumbline:environment", "Value": settings.environment}],
    }
    if settings.subnet_ids:
        request["VpcConfig"] = {
            "Subnets": list(settings.subnet_ids),
            "SecurityGroupIds": list(settings.security_group_ids),
        }
    return request


def _hyperparameters(settings: Settings) -> dict[str, str]:
    """Return them as the script-mode toolkit reads them: each value JSON, the rest arguments of the script."""
    values: dict[str, str | int] = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": settings.source_s3_uri,
        "sagemaker_region": settings.region,
        "sagemaker_container_log_level": LOG_LEVEL_INFO,
        "target_label": settings.target_label,
    }
    if settings.segment_column:
        values["segment_column"] = settings.segment_column
    return {name: json.dumps(value) for name, value in values.items()}


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }


class TrainingJobs:
    """SageMaker's training jobs of one environment; clients are made on first use."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._clients: dict[str, Any] = {}

    def listed(self, prefix: str) -> tuple[Job, ...]:
        """Return every job whose name starts with `prefix` and a dash, newest first."""
        pages = self._client("sagemaker").get_paginator("list_training_jobs")
        return tuple(
            Job(
                summary["TrainingJobName"],
                summary["TrainingJobStatus"] in ("InProgress", "Stopping"),
                summary["CreationTime"],
            )
            for page in pages.paginate(NameContains=prefix, SortBy="CreationTime", SortOrder="Descending")
            for summary in page["TrainingJobSummaries"]
            if summary["TrainingJobName"].startswith(f"{prefix}-")
        )

    def holds_objects(self, uri: str) -> bool:
        """Return whether an object with content is below the URI: a channel without any fails the job."""
        parts = urlsplit(uri)
        pages = self._client("s3").get_paginator("list_objects_v2")
        return any(
            entry["Size"] > 0
            for page in pages.paginate(Bucket=parts.netloc, Prefix=parts.path.lstrip("/"))
            for entry in page.get("Contents", ())
        )

    def create(self, request: Mapping[str, Any]) -> None:
        """Start the job.

        Raises
        ------
        JobExistsError
            If the account has a job of that name.
        """
        client = self._client("sagemaker")
        try:
            client.create_training_job(**request)
        except client.exceptions.ResourceInUse as error:
            raise JobExistsError(request["TrainingJobName"]) from error

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._region)
        return self._clients[service]
