from datetime import timedelta

import pytest
from retraining.settings import Settings, SettingsError

from contract.names import RetrainingVariable
from tests.unit.retraining.builders import ALARM, QUALITY_ALARM, environment


def test_environment_is_read() -> None:
    settings = Settings.from_environment(environment())
    assert settings.job_prefix == "plumbline-dev-train"
    assert settings.rule.alarm_names == (ALARM, QUALITY_ALARM)
    assert settings.cooldown == timedelta(hours=24)
    assert settings.max_runtime_seconds == 3600
    assert settings.subnet_ids == ()


def test_lists_are_split_at_commas() -> None:
    settings = Settings.from_environment(environment() | {RetrainingVariable.SUBNET_IDS: "subnet-1, subnet-2,"})
    assert settings.subnet_ids == ("subnet-1", "subnet-2")


def test_optional_variables_may_be_empty_or_absent() -> None:
    environ = environment() | {RetrainingVariable.KMS_KEY_ARN: "", RetrainingVariable.SEGMENT_COLUMN: ""}
    del environ[RetrainingVariable.FRESH_S3_URI]
    settings = Settings.from_environment(environ)
    assert settings.kms_key_arn is None
    assert settings.segment_column is None
    assert settings.fresh_s3_uri is None


@pytest.mark.parametrize("name", [RetrainingVariable.TRAINING_IMAGE, RetrainingVariable.COOLDOWN_HOURS, "AWS_REGION"])
def test_missing_variable_is_named(name: str) -> None:
    environ = environment()
    del environ[name]
    with pytest.raises(SettingsError, match=f"environment variable {name} must be set, got ''"):
        Settings.from_environment(environ)


@pytest.mark.parametrize("text", ["", " , "])
def test_function_without_an_alarm_to_hear_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=f"TRIGGER_ALARM_NAMES must name at least one, got '{text}'"):
        Settings.from_environment(environment() | {RetrainingVariable.TRIGGER_ALARM_NAMES: text})


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_cooldown_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=f"COOLDOWN_HOURS must be a number of 0 or more, got '{text}'"):
        Settings.from_environment(environment() | {RetrainingVariable.COOLDOWN_HOURS: text})


def test_environment_name_without_room_for_a_job_name_is_refused() -> None:
    longest = "e" * 22
    assert Settings.from_environment(environment() | {RetrainingVariable.ENVIRONMENT: longest}).environment == longest
    with pytest.raises(SettingsError, match="shorten the environment's name"):
        Settings.from_environment(environment() | {RetrainingVariable.ENVIRONMENT: longest + "e"})
