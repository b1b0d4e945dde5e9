"""What the retraining loop gets from the rest of an environment, so that its constructs know no stack."""

from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from plumbline.stacks.constructs.alarms.alert_topic import AlertTopic, DeadLetters
from plumbline.stacks.constructs.monitor.drift_image import DriftImage
from plumbline.stacks.constructs.storage.input_source import InputSource
from plumbline.stacks.constructs.storage.secure_bucket import SecureBucket
from plumbline.stacks.context import Context


@dataclass(frozen=True, kw_only=True)
class RetrainingInputs:
    """Settings, data, roles and alerts of the retraining loop.

    `artifacts` and `capture` are buckets; `train_data`, `test_data` and `model` are inputs of the environment file, and
    `source_uri` is the model's code. `data_key` encrypts what the pipeline writes. `training_role` runs training jobs
    and `serving_role` the endpoint. `image` holds the pipeline's own jobs. Alerts go to `alerts`, and what could not be
    handled to `dead_letters`.
    """

    context: Context
    artifacts: SecureBucket
    capture: SecureBucket
    train_data: InputSource
    test_data: InputSource
    model: InputSource
    source_uri: str
    data_key: kms.IKey
    training_role: iam.IRole
    serving_role: iam.IRole
    image: DriftImage
    alerts: AlertTopic
    dead_letters: DeadLetters
