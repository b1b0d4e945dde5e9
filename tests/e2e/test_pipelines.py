"""Pipelines on the embedded AWS: steps run as real jobs with the pipeline role's rights, and the registry learns."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.local.demo.inbox import make_queue
from plumbline.local.embedded import EmbeddedAws
from tests.e2e.local_account import BUCKET, XGBOOST_IMAGE, LocalAccount, eventually
from tests.e2e.test_authorization import Caller

pytestmark = pytest.mark.e2e

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/pipelines:1"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"
PIPELINE = "pipelines-e2e"
GROUP = "pipelines-e2e"
PREFIX = "pipelines-e2e-retrain"
OUTPUT = f"s3://{BUCKET}/pipelines"
PROGRAM = """\
import json, pathlib, sys, time
folder, score, seconds = sys.argv[1:]
time.sleep(float(seconds))
pathlib.Path(folder, "metrics.json").write_text(json.dumps({"score": {"value": float(score)}}))
"""
DOCKERFILE = f'FROM python@sha256:{"0" * 64}\nCOPY judge.py /judge.py\nENTRYPOINT ["python", "/judge.py"]\n'


def execution_variable(name: str) -> dict[str, str]:
    return {"Get": f"Execution.{name}"}


def join(*values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


def judging(role: str) -> dict[str, Any]:
    """A Processing step that leaves the score it is given, after so many seconds."""
    folder = "/opt/ml/processing/output"
    uri = join(OUTPUT, execution_variable("PipelineExecutionId"))
    output = {"S3Uri": uri, "LocalPath": folder, "S3UploadMode": "EndOfJob"}
    arguments = [folder, {"Get": "Parameters.Score"}, {"Get": "Parameters.Seconds"}]
    return {
        "Name": "Judge",
        "Type": "Processing",
        "Arguments": {
            "ProcessingJobName": PREFIX,
            "RoleArn": role,
            "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": arguments},
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "metrics", "S3Output": output}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        },
        "PropertyFiles": [{"PropertyFileName": "Metrics", "OutputName": "metrics", "FilePath": "metrics.json"}],
    }


def registering(name: str, status: str) -> dict[str, Any]:
    where = {"Get": "Steps.Judge.ProcessingOutputConfig.Outputs['metrics'].S3Output.S3Uri"}
    statistics = {"ContentType": "application/json", "S3Uri": join(where, "metrics.json")}
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": GROUP,
            "ModelApprovalStatus": status,
            "InferenceSpecification": {
                "Containers": [{"Image": XGBOOST_IMAGE, "ModelDataUrl": f"{OUTPUT}/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
            "CustomerMetadataProperties": {"cause": {"Get": "Parameters.Cause"}},
        },
    }


def definition(role: str) -> str:
    score = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Judge.PropertyFiles.Metrics"}, "Path": "score.value"}}
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": score, "RightValue": 0.5}],
            "IfSteps": [registering("Accept", "Approved")],
            "ElseSteps": [registering("Reject", "Rejected")],
        },
    }
    parameters = [
        {"Name": "Score", "Type": "String"},
        {"Name": "Seconds", "Type": "String", "DefaultValue": "0"},
        {"Name": "Cause", "Type": "String", "DefaultValue": "by hand"},
    ]
    # The order of the steps says nothing: the reference to the property file does.
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [gate, judging(role)]})


@pytest.fixture(scope="module")
def account(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> LocalAccount:
    account = LocalAccount(aws)
    context = tmp_path_factory.mktemp("context")
    write(context, {"Dockerfile": DOCKERFILE, "judge.py": PROGRAM})
    aws.client("ecr").create_repository(repositoryName="pipelines")
    account.docker("build", "--tag", IMAGE, ".", cwd=context)
    account.docker("push", IMAGE, cwd=context)
    account.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    return account


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def rights(job_role: str) -> dict[str, dict[str, Any]]:
    """What the pipeline's role needs, statement by statement."""
    jobs = f"{ARN}:processing-job/{PREFIX}-*"
    packages = [f"{ARN}:model-package-group/{GROUP}", f"{ARN}:model-package/{GROUP}/*"]
    passing = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return {
        "create": {"Action": ["sagemaker:CreateProcessingJob", "sagemaker:AddTags"], "Resource": jobs},
        "follow": {"Action": ["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"], "Resource": jobs},
        "pass": {"Action": "iam:PassRole", "Resource": job_role, "Condition": passing},
        "read": {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/pipelines/*"},
        "register": {
            "Action": ["sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"],
            "Resource": packages,
        },
    }


def create_pipeline(account: LocalAccount, name: str, *, without: str = "") -> None:
    """Create a pipeline whose role lacks one statement."""
    iam = account.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    kept = [{"Effect": "Allow", **right} for key, right in rights(account.role).items() if key != without]
    policy = json.dumps({"Version": "2012-10-17", "Statement": kept})
    iam.put_role_policy(RoleName=name, PolicyName="pipeline", PolicyDocument=policy)
    account.sagemaker.create_pipeline(
        PipelineName=name, RoleArn=role, PipelineDefinition=definition(account.role), ClientRequestToken="0" * 32
    )


@pytest.fixture(scope="module")
def pipeline(account: LocalAccount) -> str:
    create_pipeline(account, PIPELINE)
    return PIPELINE


@pytest.fixture(scope="module")
def events(account: LocalAccount) -> str:
    """URL of a queue that gets the events of pipelines and packages."""
    url, queue = make_queue(account.aws, "pipelines-e2e")
    kinds = [{"prefix": "SageMaker Model "}]
    bus = account.aws.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail-type": kinds}
    bus.put_rule(Name="pipelines-e2e", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule="pipelines-e2e", Targets=[{"Id": "queue", "Arn": queue}])
    return url


def start(account: LocalAccount, name: str, token: str, **parameters: str) -> str:
    arn: str = account.sagemaker.start_pipeline_execution(
        PipelineName=name,
        ClientRequestToken=token * 32,
        PipelineParameters=[{"Name": key, "Value": value} for key, value in parameters.items()],
    )["PipelineExecutionArn"]
    return arn


def ended(account: LocalAccount, arn: str) -> dict[str, Any]:
    return eventually(
        lambda: account.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn),
        lambda answer: answer["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped"),
    )


def steps(account: LocalAccount, arn: str) -> dict[str, dict[str, Any]]:
    rows = account.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {row["StepName"]: row for row in rows}


@pytest.fixture(scope="module")
def accepted(account: LocalAccount, events: str, pipeline: str) -> str:
    """ARN of an execution whose challenger is good."""
    arn = start(account, pipeline, "a", Score="0.9", Cause="an alarm")
    assert ended(account, arn)["PipelineExecutionStatus"] == "Succeeded", steps(account, arn)
    return arn


def test_execution_registers_on_the_branch_that_the_property_file_decides(account: LocalAccount, accepted: str) -> None:
    ran = steps(account, accepted)
    assert {name: row["StepStatus"] for name, row in ran.items()} == {
        "Judge": "Succeeded",
        "Gate": "Succeeded",
        "Accept": "Succeeded",
    }
    assert ran["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    identity = accepted.rsplit("/", 1)[-1]
    job = ran["Judge"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"{PREFIX}-{identity}-")
    package = account.sagemaker.describe_model_package(
        ModelPackageName=ran["Accept"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"] == {"cause": "an alarm"}
    assert package["MetadataProperties"] == {"GeneratedBy": accepted}
    metrics = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert metrics == f"{OUTPUT}/{identity}/metrics.json"
    assert json.loads(account.get(metrics.removeprefix(f"s3://{BUCKET}/"))) == {"score": {"value": 0.9}}


def test_jobs_carry_the_tag_of_their_execution(account: LocalAccount, accepted: str) -> None:
    job = steps(account, accepted)["Judge"]["Metadata"]["ProcessingJob"]["Arn"]
    tags = {tag["Key"]: tag["Value"] for tag in account.sagemaker.list_tags(ResourceArn=job)["Tags"]}
    assert tags == {"sagemaker:pipeline-execution-arn": accepted, "sagemaker:pipeline-step-name": "Judge"}


def test_same_token_is_the_same_execution(account: LocalAccount, accepted: str, pipeline: str) -> None:
    assert start(account, pipeline, "a", Score="0.9", Cause="an alarm") == accepted
    listed = account.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [row["PipelineExecutionArn"] for row in listed if row["PipelineExecutionArn"] == accepted] == [accepted]
    given = account.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=accepted)
    assert given["PipelineParameters"] == [
        {"Name": "Cause", "Value": "an alarm"},
        {"Name": "Score", "Value": "0.9"},
        {"Name": "Seconds", "Value": "0"},
    ]


def test_bad_challenger_is_registered_as_rejected(account: LocalAccount, pipeline: str) -> None:
    arn = start(account, pipeline, "b", Score="0.1")
    assert ended(account, arn)["PipelineExecutionStatus"] == "Succeeded"
    ran = steps(account, arn)
    assert set(ran) == {"Judge", "Gate", "Reject"}
    package = account.sagemaker.describe_model_package(
        ModelPackageName=ran["Reject"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["ModelApprovalStatus"] == "Rejected"


def test_events_tell_of_execution_steps_and_package(account: LocalAccount, accepted: str, events: str) -> None:
    found: list[dict[str, Any]] = []
    sqs = account.aws.client("sqs")

    def drained() -> dict[str, Any]:
        messages = sqs.receive_message(QueueUrl=events, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(json.loads(message["Body"]) for message in messages)
        return {"told": [told["detail"] for told in found]}

    def is_complete(answer: dict[str, Any]) -> bool:
        over = [detail for detail in answer["told"] if detail.get("currentPipelineExecutionStatus") == "Succeeded"]
        return any(detail["pipelineExecutionArn"] == accepted for detail in over)

    eventually(drained, is_complete)
    told = [event["detail"] for event in found if event["detail"].get("pipelineExecutionArn") == accepted]
    execution = [detail for detail in told if "currentPipelineExecutionStatus" in detail]
    assert [detail["currentPipelineExecutionStatus"] for detail in execution] == ["Executing", "Succeeded"]
    assert execution[1]["previousPipelineExecutionStatus"] == "Executing"
    assert execution[1]["executionEndTime"] >= execution[1]["executionStartTime"] == execution[0]["executionStartTime"]
    gate = [detail for detail in told if detail.get("stepName") == "Gate"]
    assert [detail["currentStepStatus"] for detail in gate] == ["Starting", "Executing", "Succeeded"]
    packages = [event for event in found if event["detail-type"] == "SageMaker Model Package State Change"]
    registered = [event for event in packages if event["detail"].get("MetadataProperties") == {"GeneratedBy": accepted}]
    assert [event["detail"]["ModelApprovalStatus"] for event in registered] == ["Approved"]
    assert registered[0]["resources"] == [registered[0]["detail"]["ModelPackageArn"]]


@pytest.mark.parametrize(
    ("right", "step", "action"),
    [
        ("create", "Judge", "sagemaker:CreateProcessingJob"),
        ("follow", "Judge", "sagemaker:DescribeProcessingJob"),
        ("pass", "Judge", "iam:PassRole"),
        ("read", "Gate", "s3:GetObject"),
        ("register", "Accept", "sagemaker:CreateModelPackage"),
    ],
)
def test_step_fails_without_the_roles_right(account: LocalAccount, right: str, step: str, action: str) -> None:
    name = f"pipelines-e2e-no-{right}"
    create_pipeline(account, name, without=right)
    arn = start(account, name, "c", Score="0.9")
    assert ended(account, arn)["FailureReason"] == "Step failure: One or multiple steps failed."
    failed = steps(account, arn)[step]
    assert failed["StepStatus"] == "Failed"
    assert "AccessDenied" in failed["FailureReason"]
    assert f"not authorized to perform: {action}" in failed["FailureReason"]


def test_stopped_execution_stops_its_job(account: LocalAccount, pipeline: str) -> None:
    arn = start(account, pipeline, "d", Score="0.9", Seconds="600")
    eventually(lambda: steps(account, arn), lambda rows: rows.get("Judge", {}).get("StepStatus") == "Executing")
    account.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="0" * 32)
    assert ended(account, arn)["PipelineExecutionStatus"] == "Stopped"
    ran = steps(account, arn)
    assert {name: row["StepStatus"] for name, row in ran.items()} == {"Judge": "Stopped"}
    job = ran["Judge"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert account.sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="ConflictException"):
        account.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="1" * 32)


def test_pipeline_and_execution_are_resources_of_their_own(account: LocalAccount, accepted: str) -> None:
    only = [f"{ARN}:pipeline/{PIPELINE}", f"{ARN}:pipeline/{PIPELINE}/execution/*"]
    starting = {"Action": "sagemaker:StartPipelineExecution", "Resource": only[0]}
    looking = {"Action": "sagemaker:DescribePipelineExecution", "Resource": only[1]}
    starter = Caller(account.aws, "pipelines-starter", starting).client("sagemaker")
    looker = Caller(account.aws, "pipelines-looker", looking).client("sagemaker")
    score = [{"Name": "Score", "Value": "0.9"}]
    same = {"ClientRequestToken": "a" * 32, "PipelineParameters": score}
    assert starter.start_pipeline_execution(PipelineName=PIPELINE, **same)["PipelineExecutionArn"] == accepted
    assert looker.describe_pipeline_execution(PipelineExecutionArn=accepted)["PipelineArn"] == only[0]
    with pytest.raises(ClientError, match="AccessDenied"):
        starter.start_pipeline_execution(PipelineName="pipelines-e2e-other", **same)
    with pytest.raises(ClientError, match="AccessDenied"):
        starter.describe_pipeline_execution(PipelineExecutionArn=accepted)


def test_package_updates_tell_what_changed(account: LocalAccount, accepted: str, events: str) -> None:
    arn = steps(account, accepted)["Accept"]["Metadata"]["RegisterModel"]["Arn"]
    account.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    sqs = account.aws.client("sqs")
    found: list[list[str]] = []

    def drained() -> dict[str, Any]:
        messages = sqs.receive_message(QueueUrl=events, MaxNumberOfMessages=10).get("Messages", [])
        details = [json.loads(message["Body"])["detail"] for message in messages]
        found.extend(detail["UpdatedModelPackageFields"] for detail in details if "UpdatedModelPackageFields" in detail)
        return {"found": found}

    eventually(drained, lambda answer: bool(answer["found"]))
    assert found == [["ModelApprovalStatus"]]


def test_group_with_versions_is_kept(account: LocalAccount, accepted: str) -> None:
    with pytest.raises(ClientError, match="ConflictException.*still contains versions"):
        account.sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)
