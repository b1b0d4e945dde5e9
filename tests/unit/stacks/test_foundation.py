from typing import Any

import pytest

from tests.unit.stacks.synthesis import ENVIRONMENTS, PARTS, champion, environment, full, statement_of, statements, text

BUCKETS = ("Artifacts", "Capture", "Reports")


def bucket(name: str, env: str = "dev") -> dict[str, Any]:
    ((_, found),) = (
        item for item in environment(env).resources("foundation", "AWS::S3::Bucket").items() if item[0].startswith(name)
    )
    return found


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_is_encrypted_with_our_key(name: str) -> None:
    (rule,) = bucket(name)["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    assert (default["SSEAlgorithm"], text(default["KMSMasterKeyID"])) == ("aws:kms", "<DataKey17AFBB84.Arn>")


@pytest.mark.parametrize("name", [*BUCKETS, "AccessLogs"])
def test_bucket_is_versioned(name: str) -> None:
    assert bucket(name)["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize("name", [*BUCKETS, "AccessLogs"])
def test_bucket_blocks_public_access(name: str) -> None:
    block = bucket(name)["Properties"]["PublicAccessBlockConfiguration"]
    assert len(block) == 4
    assert all(value is True for value in block.values())


@pytest.mark.parametrize("name", [*BUCKETS, "AccessLogs"])
def test_bucket_denies_plain_http(name: str) -> None:
    (policy,) = (
        entry["Properties"]["PolicyDocument"]["Statement"]
        for key, entry in environment().resources("foundation", "AWS::S3::BucketPolicy").items()
        if key.startswith(f"{name}Bucket")
    )
    (denied,) = [entry for entry in policy if entry["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (denied["Action"], denied["Principal"]) == ("s3:*", {"AWS": "*"})


@pytest.mark.parametrize("name", BUCKETS)
def test_bucket_logs_accesses_under_its_name(name: str) -> None:
    logging = bucket(name)["Properties"]["LoggingConfiguration"]
    assert logging["LogFilePrefix"] == f"{name.lower()}/"
    assert text(logging["DestinationBucketName"]).startswith("<AccessLogs")


@pytest.mark.parametrize(("name", "days"), [("Capture", 90), ("Reports", 365), ("AccessLogs", 365)])
def test_records_expire_after_the_environments_retention(name: str, days: int) -> None:
    (rule,) = bucket(name, "prod")["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["Status"]) == (days, "Enabled")


def test_models_do_not_expire() -> None:
    (rule,) = bucket("Artifacts")["Properties"]["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in rule


def test_keys_rotate() -> None:
    for part in ("foundation", "monitoring"):
        assert environment().only(part, "AWS::KMS::Key")["EnableKeyRotation"] is True


@pytest.mark.parametrize(("name", "policy"), [("dev", "Delete"), ("staging", "Delete"), ("prod", "Retain")])
def test_data_goes_or_stays_with_its_stack(name: str, policy: str) -> None:
    kinds = {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::DynamoDB::Table"}
    held = [
        resource
        for part in PARTS
        for resource in environment(name).templates[part]["Resources"].values()
        if resource["Type"] in kinds
    ]
    assert len(held) == 9
    assert {resource["DeletionPolicy"] for resource in held} == {policy}


def test_training_reads_fresh_rows_and_writes_models_and_nothing_else_of_our_buckets() -> None:
    granted = {
        (str(entry["Action"]), text(arn))
        for entry in statements(environment(), "foundation", "TrainingRole")
        for arn in (entry["Resource"] if isinstance(entry["Resource"], list) else [entry["Resource"]])
        if text(arn).startswith("<ArtifactsBucket") or "CaptureBucket" in text(arn) or "ReportsBucket" in text(arn)
    }
    assert granted == {
        ("s3:ListBucket", "<ArtifactsBucket88671897.Arn>"),
        ("s3:GetObject", "<ArtifactsBucket88671897.Arn>/retraining/*/fresh/*"),
        ("s3:PutObject", "<ArtifactsBucket88671897.Arn>/models/*"),
    }


def test_training_may_use_the_key_as_create_training_job_asks() -> None:
    allowed = statement_of(environment(), "foundation", "TrainingRole", "kms:Encrypt")
    assert set(allowed["Action"]) == {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}
    assert text(allowed["Resource"]) == "<DataKey17AFBB84.Arn>"


def test_training_pulls_only_the_xgboost_image() -> None:
    pull = statement_of(environment(), "foundation", "TrainingRole", "ecr:BatchGetImage")
    assert pull["Resource"] == "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"


def test_training_reads_below_its_s3_prefixes_only() -> None:
    granted = [
        text(arn)
        for entry in statements(full(), "foundation", "TrainingRole")
        if entry["Action"] == "s3:GetObject"
        for arn in entry["Resource"]
        if ":::rows" in text(arn)
    ]
    assert sorted(granted) == ["arn:aws:s3:::rows/census/test/*", "arn:aws:s3:::rows/census/train/*"]


@pytest.mark.parametrize(("name", "uri"), [("artifact", ".tar.gz"), ("baseline", ".zip")])
def test_parameters_say_what_serves_first(name: str, uri: str) -> None:
    value = champion(environment(), name)
    assert value.startswith("s3://")
    assert value.endswith(uri)


def test_parameters_name_a_model_in_s3_as_the_file_does() -> None:
    assert champion(full(), "artifact") == "s3://models/census/model.tar.gz"
    assert champion(full(), "baseline") == "s3://models/census/baseline/"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_outputs_tell_what_training_by_hand_needs(name: str) -> None:
    outputs = set(environment(name).templates["foundation"]["Outputs"])
    assert {
        "ArtifactsBucketName",
        "CaptureBucketName",
        "ReportsBucketName",
        "DataKeyArn",
        "TrainingRoleArn",
        "TrainingImageUri",
        "SourceArchiveUri",
        "TrainDataUri",
        "TestDataUri",
        "ModelsUri",
    } <= outputs
