import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from retraining.decision import Job
from retraining.settings import Settings
from retraining.training_job import JobExistsError, TrainingJobs, training_request

from contract.names import RetrainingVariable
from tests.unit.retraining.builders import environment

SETTINGS = Settings.from_environment(environment())
NAME = "plumbline-dev-train-20260301-052012-01234567"
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def test_hyperparameters_are_json_as_script_mode_reads_them() -> None:
    hyperparameters = training_request(SETTINGS, NAME, with_fresh_data=False)["HyperParameters"]
    assert hyperparameters["sagemaker_program"] == '"train.py"'
    assert hyperparameters["sagemaker_submit_directory"] == '"s3://artifacts/source.tar.gz"'
    assert hyperparameters["sagemaker_region"] == '"eu-central-1"'
    assert hyperparameters["sagemaker_container_log_level"] == "20"
    assert json.loads(hyperparameters["target_label"]) == "income"
    assert json.loads(hyperparameters["segment_column"]) == "sex"


def test_without_segments_the_script_is_told_of_none() -> None:
    request = training_request(dataclasses.replace(SETTINGS, segment_column=None), NAME, with_fresh_data=False)
    assert "segment_column" not in request["HyperParameters"]


def test_output_is_encrypted_with_our_key() -> None:
    output = training_request(SETTINGS, NAME, with_fresh_data=False)["OutputDataConfig"]
    assert output == {"S3OutputPath": "s3://artifacts/models", "KmsKeyId": SETTINGS.kms_key_arn}


def test_without_key_the_bucket_decides() -> None:
    request = training_request(dataclasses.replace(SETTINGS, kms_key_arn=None), NAME, with_fresh_data=False)
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://artifacts/models"}


def test_vpc_is_passed_only_when_set() -> None:
    assert "VpcConfig" not in training_request(SETTINGS, NAME, with_fresh_data=False)
    inside = Settings.from_environment(
        environment() | {RetrainingVariable.SUBNET_IDS: "subnet-1", RetrainingVariable.SECURITY_GROUP_IDS: "sg-1"}
    )
    assert training_request(inside, NAME, with_fresh_data=False)["VpcConfig"] == {
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
    }


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from _stubbed("sagemaker", monkeypatch)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from _stubbed("s3", monkeypatch)


def _stubbed(service: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client(service, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")

    def make(name: str, region_name: str) -> Any:
        assert (name, region_name) == (service, "eu-central-1")
        return client

    monkeypatch.setattr(boto3, "client", make)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _summary(name: str, status: str) -> dict[str, object]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:eu-central-1:000000000000:training-job/{name}",
        "CreationTime": CREATED,
        "TrainingJobStatus": status,
    }


def test_jobs_of_every_page_are_listed_and_namesakes_left_out(sagemaker: Stubber) -> None:
    query = {"NameContains": "plumbline-dev-train", "SortBy": "CreationTime", "SortOrder": "Descending"}
    first = [_summary("plumbline-dev-train-a", "InProgress"), _summary("my-plumbline-dev-train-b", "InProgress")]
    second = [_summary("plumbline-dev-train-c", "Failed"), _summary("plumbline-dev-trainer-d", "InProgress")]
    sagemaker.add_response("list_training_jobs", {"TrainingJobSummaries": first, "NextToken": "more"}, query)
    sagemaker.add_response("list_training_jobs", {"TrainingJobSummaries": second}, query | {"NextToken": "more"})
    assert TrainingJobs("eu-central-1").listed("plumbline-dev-train") == (
        Job("plumbline-dev-train-a", True, CREATED),
        Job("plumbline-dev-train-c", False, CREATED),
    )


def test_existing_name_is_told_apart_from_faults(sagemaker: Stubber) -> None:
    request = training_request(SETTINGS, NAME, with_fresh_data=False)
    sagemaker.add_client_error("create_training_job", "ResourceInUse", expected_params=request)
    sagemaker.add_client_error("create_training_job", "ResourceLimitExceeded", expected_params=request)
    sagemaker.add_response("create_training_job", {"TrainingJobArn": _summary(NAME, "")["TrainingJobArn"]}, request)
    jobs = TrainingJobs("eu-central-1")
    with pytest.raises(JobExistsError, match=NAME):
        jobs.create(request)
    with pytest.raises(Exception, match="ResourceLimitExceeded"):
        jobs.create(request)
    jobs.create(request)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [([], False), ([{"Key": "training-data/fresh/", "Size": 0}], False), ([{"Key": "a.csv", "Size": 1}], True)],
    ids=["nothing", "folder marker", "file"],
)
def test_only_objects_with_content_count_as_data(
    s3: Stubber, contents: list[dict[str, object]], expected: bool
) -> None:
    query = {"Bucket": "artifacts", "Prefix": "training-data/fresh/"}
    s3.add_response("list_objects_v2", {"Contents": contents} if contents else {}, query)
    assert TrainingJobs("eu-central-1").holds_objects("s3://artifacts/training-data/fresh/") is expected
