"""The function's environment, parsed once; the only place that knows how it is spelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from contract.names import RetrainingVariable, training_job_prefix
from retraining.decision import Rule

JOB_NAME_MAX = 63
"""CreateTrainingJob: TrainingJobName, 1 to 63 characters."""
_JOB_NAME_SUFFIX = len("-20260101-000000-01234567")


class SettingsError(Exception):
    """Raised when a variable of the function is missing or breaks its rule."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack told the function. URIs are s3://; optional settings are None or empty when absent."""

    environment: str
    region: str
    alarm_names: tuple[str, ...]
    training_image: str
    training_role_arn: str
    instance_type: str
    max_runtime_seconds: int
    train_s3_uri: str
    test_s3_uri: str
    fresh_s3_uri: str | None
    source_s3_uri: str
    output_s3_uri: str
    kms_key_arn: str | None
    target_label: str
    segment_column: str | None
    cooldown: timedelta
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables.

        Raises
        ------
        SettingsError
            If a required variable is missing or empty, or a number cannot be read.
        """
        return cls(
            environment=_required(environ, RetrainingVariable.ENVIRONMENT),
            region=_required(environ, "AWS_REGION"),
            alarm_names=_required_items(environ, RetrainingVariable.TRIGGER_ALARM_NAMES),
            training_image=_required(environ, RetrainingVariable.TRAINING_IMAGE),
            training_role_arn=_required(environ, RetrainingVariable.TRAINING_ROLE_ARN),
            instance_type=_required(environ, RetrainingVariable.TRAINING_INSTANCE_TYPE),
            max_runtime_seconds=int(_number(environ, RetrainingVariable.TRAINING_MAX_RUNTIME_SECONDS)),
            train_s3_uri=_required(environ, RetrainingVariable.TRAIN_S3_URI),
            test_s3_uri=_required(environ, RetrainingVariable.TEST_S3_URI),
            fresh_s3_uri=environ.get(RetrainingVariable.FRESH_S3_URI) or None,
            source_s3_uri=_required(environ, RetrainingVariable.SOURCE_S3_URI),
            output_s3_uri=_required(environ, RetrainingVariable.OUTPUT_S3_URI),
            kms_key_arn=environ.get(RetrainingVariable.KMS_KEY_ARN) or None,
            target_label=_required(environ, RetrainingVariable.TARGET_LABEL),
            segment_column=environ.get(RetrainingVariable.SEGMENT_COLUMN) or None,
            cooldown=timedelta(hours=_number(environ, RetrainingVariable.COOLDOWN_HOURS)),
            subnet_ids=_items(environ, RetrainingVariable.SUBNET_IDS),
            security_group_ids=_items(environ, RetrainingVariable.SECURITY_GROUP_IDS),
        )

    def __post_init__(self) -> None:
        """Refuse an environment name that leaves no room for a job's name."""
        if len(self.job_prefix) + _JOB_NAME_SUFFIX > JOB_NAME_MAX:
            raise SettingsError(
                f"training job names must have at most {JOB_NAME_MAX} characters, got the prefix "
                f"{self.job_prefix!r} and {_JOB_NAME_SUFFIX} more; shorten the environment's name"
            )

    @property
    def job_prefix(self) -> str:
        """Prefix of this environment's training jobs."""
        return training_job_prefix(self.environment)

    @property
    def rule(self) -> Rule:
        """What the decision needs of the settings."""
        return Rule(self.alarm_names, self.job_prefix, self.cooldown)


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(
            f"environment variable {name} must be set, got {value!r}; deploy the monitoring stack again"
        )
    return value


def _number(environ: Mapping[str, str], name: str) -> float:
    text = _required(environ, name)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SettingsError(f"environment variable {name} must be a number of 0 or more, got {text!r}")
    return number


def _items(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in environ.get(name, "").split(",") if item.strip())


def _required_items(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    items = _items(environ, name)
    if not items:
        raise SettingsError(
            f"environment variable {name} must name at least one, got {environ.get(name, '')!r}; deploy the monitoring "
            "stack again"
        )
    return items
