"""Builders of events as AWS sends them, and a SageMaker that lives in memory."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from retraining.decision import Job
from retraining.training_job import JobExistsError

from contract.names import RetrainingVariable

ALARM = "plumbline-dev-drift"
QUALITY_ALARM = "plumbline-dev-quality"
CHANGED_AT = "2026-03-01T05:20:12.345+0000"


def alarm_message(**changes: object) -> dict[str, object]:
    """Return the message CloudWatch puts into SNS, as recorded in the CloudWatch User Guide's example."""
    message: dict[str, object] = {
        "AlarmName": ALARM,
        "AlarmDescription": None,
        "AWSAccountId": "000000000000",
        "AlarmConfigurationUpdatedTimestamp": "2026-02-28T09:00:00.000+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [1.0] was greater than or equal to 1.0",
        "StateChangeTime": CHANGED_AT,
        "Region": "EU (Frankfurt)",
        "AlarmArn": f"arn:aws:cloudwatch:eu-central-1:000000000000:alarm:{ALARM}",
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "DriftVerdict", "Namespace": "Plumbline", "Dimensions": []},
    }
    return message | changes


def sns_event(message: object) -> dict[str, object]:
    """Return the event Lambda gets for one SNS message."""
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification", "Message": text}}]
    }


@dataclass
class FakeJobs:
    """SageMaker's training jobs in memory: names are unique, as the service has it."""

    now: datetime = datetime(2026, 3, 1, 5, 20, 30, tzinfo=UTC)
    jobs: list[Job] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    fresh_objects: bool = False

    def listed(self, prefix: str) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.name.startswith(f"{prefix}-"))

    def holds_objects(self, uri: str) -> bool:
        assert uri.startswith("s3://")
        return self.fresh_objects

    def create(self, request: dict[str, Any]) -> None:
        name = request["TrainingJobName"]
        if any(job.name == name for job in self.jobs):
            raise JobExistsError(name)
        self.requests.append(request)
        self.jobs.append(Job(name, in_progress=True, created_at=self.now))


def environment() -> dict[str, str]:
    """Return the function's environment as the stack sets it."""
    return {
        "AWS_REGION": "eu-central-1",
        RetrainingVariable.ENVIRONMENT: "dev",
        RetrainingVariable.TRIGGER_ALARM_NAMES: f"{ALARM},{QUALITY_ALARM}",
        RetrainingVariable.TRAINING_IMAGE: "000000000000.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        RetrainingVariable.TRAINING_ROLE_ARN: "arn:aws:iam::000000000000:role/plumbline-dev-training",
        RetrainingVariable.TRAINING_INSTANCE_TYPE: "ml.m5.large",
        RetrainingVariable.TRAINING_MAX_RUNTIME_SECONDS: "3600",
        RetrainingVariable.TRAIN_S3_URI: "s3://artifacts/training-data/train/",
        RetrainingVariable.TEST_S3_URI: "s3://artifacts/training-data/test/",
        RetrainingVariable.FRESH_S3_URI: "s3://artifacts/training-data/fresh/",
        RetrainingVariable.SOURCE_S3_URI: "s3://artifacts/source.tar.gz",
        RetrainingVariable.OUTPUT_S3_URI: "s3://artifacts/models",
        RetrainingVariable.KMS_KEY_ARN: "arn:aws:kms:eu-central-1:000000000000:key/00000000",
        RetrainingVariable.TARGET_LABEL: "income",
        RetrainingVariable.SEGMENT_COLUMN: "sex",
        RetrainingVariable.COOLDOWN_HOURS: "24",
        RetrainingVariable.SUBNET_IDS: "",
        RetrainingVariable.SECURITY_GROUP_IDS: "",
    }
