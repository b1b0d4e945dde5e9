"""What IAM refuses on the running server, where MiniStack alone would let it pass or refuse too much."""

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from plumbline.local.embedded import EmbeddedAws

pytestmark = pytest.mark.e2e

ROLE_OF_JOB = "arn:aws:iam::000000000000:role/authorization-job"


class Caller:
    """A role that may do what its statements say, and clients that act as it."""

    def __init__(self, aws: EmbeddedAws, name: str, *statements: dict[str, Any]) -> None:
        self._aws = aws
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
            "Action": "sts:AssumeRole",
        }
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        iam = aws.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))
        self._credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._aws.url,
            region_name=self._aws.region,
            aws_access_key_id=self._credentials["AccessKeyId"],
            aws_secret_access_key=self._credentials["SecretAccessKey"],
            aws_session_token=self._credentials["SessionToken"],
            config=Config(s3={"addressing_style": "path"}),
        )


def _denied(action: str) -> Any:
    return pytest.raises(ClientError, match=rf"(AccessDenied|not authorized to perform: {action})")


def _training_job(name: str, **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE_OF_JOB,
        "AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://nowhere/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


CREATE_JOBS = {
    "Action": "sagemaker:CreateTrainingJob",
    "Resource": "arn:aws:sagemaker:us-east-1:000000000000:training-job/allowed-*",
}
PASS_ROLE = {
    "Action": "iam:PassRole",
    "Resource": ROLE_OF_JOB,
    "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
}


def test_metric_namespace_is_a_condition(aws: EmbeddedAws) -> None:
    condition = {"StringEquals": {"cloudwatch:namespace": "Plumbline"}}
    statement = {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition}
    cloudwatch = Caller(aws, "namespace", statement).client("cloudwatch")
    datum = [{"MetricName": "m", "Value": 1.0}]
    cloudwatch.put_metric_data(Namespace="Plumbline", MetricData=datum)
    with _denied("cloudwatch:PutMetricData"):
        cloudwatch.put_metric_data(Namespace="Other", MetricData=datum)


def test_encrypted_objects_need_rights_on_the_key(aws: EmbeddedAws) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="authorization-kms")
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket="authorization-kms", ServerSideEncryptionConfiguration={"Rules": [default]})
    objects = {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::authorization-kms/*"}
    without = Caller(aws, "kms-without", objects).client("s3")
    writer = Caller(aws, "kms-writer", objects, {"Action": "kms:GenerateDataKey", "Resource": key}).client("s3")
    with _denied("kms:GenerateDataKey"):
        without.put_object(Bucket="authorization-kms", Key="k", Body=b"x")
    writer.put_object(Bucket="authorization-kms", Key="k", Body=b"x")
    with _denied("kms:Decrypt"):
        writer.get_object(Bucket="authorization-kms", Key="k")


def test_bucket_that_denies_plain_http_takes_loopback_for_tls(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="authorization-tls")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::authorization-tls/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(
        Bucket="authorization-tls", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    s3.put_object(Bucket="authorization-tls", Key="k", Body=b"x")


def test_role_must_be_passed_to_a_job(aws: EmbeddedAws) -> None:
    sagemaker = Caller(aws, "pass-role-without", CREATE_JOBS).client("sagemaker")
    with _denied("iam:PassRole"):
        sagemaker.create_training_job(**_training_job("allowed-a"))


def test_job_name_is_the_resource(aws: EmbeddedAws) -> None:
    sagemaker = Caller(aws, "job-name", CREATE_JOBS, PASS_ROLE).client("sagemaker")
    with _denied("sagemaker:CreateTrainingJob"):
        sagemaker.create_training_job(**_training_job("other-a"))
    made = sagemaker.create_training_job(**_training_job("allowed-b"))
    assert made["TrainingJobArn"].endswith(":training-job/allowed-b")


def test_tags_on_a_job_need_add_tags(aws: EmbeddedAws) -> None:
    tags = [{"Key": "project", "Value": "plumbline"}]
    sagemaker = Caller(aws, "job-tags", CREATE_JOBS, PASS_ROLE).client("sagemaker")
    with _denied("sagemaker:AddTags"):
        sagemaker.create_training_job(**_training_job("allowed-c", Tags=tags))


def test_endpoint_is_the_resource_of_an_invocation(aws: EmbeddedAws) -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/mine"
    runtime = Caller(aws, "invoker", {"Action": "sagemaker:InvokeEndpoint", "Resource": arn}).client(
        "sagemaker-runtime"
    )
    with _denied("sagemaker:InvokeEndpoint"):
        runtime.invoke_endpoint(EndpointName="other", Body=b"1")
    with pytest.raises(ClientError, match="not found"):
        runtime.invoke_endpoint(EndpointName="mine", Body=b"1")


def test_repository_is_the_resource_of_describe_repositories(aws: EmbeddedAws) -> None:
    arn = aws.client("ecr").create_repository(repositoryName="authorization")["repository"]["repositoryArn"]
    ecr = Caller(aws, "repositories", {"Action": "ecr:DescribeRepositories", "Resource": arn}).client("ecr")
    assert ecr.describe_repositories(repositoryNames=["authorization"])["repositories"][0]["repositoryArn"] == arn
    with _denied("ecr:DescribeRepositories"):
        ecr.describe_repositories(repositoryNames=["another"])


def test_alarm_is_the_resource_of_describe_alarms(aws: EmbeddedAws) -> None:
    arn = f"arn:aws:cloudwatch:{aws.region}:{aws.account}:alarm:mine"
    cloudwatch = Caller(aws, "alarms", {"Action": "cloudwatch:DescribeAlarms", "Resource": arn}).client("cloudwatch")
    assert cloudwatch.describe_alarms(AlarmNames=["mine"])["MetricAlarms"] == []
    with _denied("cloudwatch:DescribeAlarms"):
        cloudwatch.describe_alarms(AlarmNames=["another"])
