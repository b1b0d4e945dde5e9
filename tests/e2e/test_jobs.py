"""Training, processing and monitoring on the embedded AWS with the project's own script and container."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plumbline.stacks.constructs.monitor.drift_image import copy_context
from tests.e2e.local_account import BUCKET, ROOT, XGBOOST_IMAGE, LocalAccount, eventually, local_account

pytestmark = pytest.mark.e2e

START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ENDPOINT = "census"
SCHEDULE = "census-hourly"
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{REGISTRY}/drift:1"
TARGET = "income"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with local_account(tmp_path_factory.mktemp("state"), START) as account:
        yield account


@pytest.fixture(scope="module")
def events(account: LocalAccount) -> str:
    """URL of a queue that gets every SageMaker event."""
    sqs, sns, bus = (account.aws.client(service) for service in ("sqs", "sns", "events"))
    url: str = sqs.create_queue(QueueName="events")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="events")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": queue}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    pattern = {"source": ["aws.sagemaker"], "detail-type": [{"suffix": " Job State Change"}]}
    bus.put_rule(Name="sagemaker", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule="sagemaker", Targets=[{"Id": "topic", "Arn": topic}])
    return url


@pytest.fixture(scope="module")
def image(account: LocalAccount, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URI of the drift container, built from its own Dockerfile and pushed."""
    context = tmp_path_factory.mktemp("context")
    copy_context(ROOT, context)
    account.aws.client("ecr").create_repository(repositoryName="drift")
    account.docker("build", "--tag", "drift", "--file", "container/Dockerfile", ".", cwd=context)
    account.docker("tag", "drift", IMAGE, cwd=context)
    account.docker("push", IMAGE, cwd=context)
    return IMAGE


def train(account: LocalAccount, name: str, train_uri: str, **hyperparameters: str) -> dict[str, Any]:
    """Run a training job to its end."""
    account.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=account.role,
        AlgorithmSpecification={"TrainingImage": XGBOOST_IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(account.model_source()),
            "target_label": TARGET,
            **hyperparameters,
        },
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                "ContentType": "text/csv",
            }
            for channel, uri in (("train", train_uri), ("test", f"s3://{BUCKET}/data/test.csv"))
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models", "KmsKeyId": account.key},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return eventually(
        lambda: account.sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
    )


@pytest.fixture(scope="module")
def trained(account: LocalAccount, events: str) -> dict[str, Any]:
    for name in ("train", "test"):
        account.put(f"data/{name}.csv", (ROOT / "starter" / "data" / f"{name}.csv").read_bytes())
    return train(account, "plumbline-e2e-1", f"s3://{BUCKET}/data/train.csv")


def test_training_job_leaves_a_model_and_its_predictions(account: LocalAccount, trained: dict[str, Any]) -> None:
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    assert trained["SecondaryStatus"] == "Completed"
    model = f"s3://{BUCKET}/models/plumbline-e2e-1/output/model.tar.gz"
    assert trained["ModelArtifacts"] == {"S3ModelArtifacts": model}
    assert trained["TrainingEndTime"] >= trained["TrainingStartTime"]
    assert account.keys("models/") == [
        "models/plumbline-e2e-1/output/model.tar.gz",
        "models/plumbline-e2e-1/output/output.tar.gz",
    ]
    head = account.s3.head_object(Bucket=BUCKET, Key="models/plumbline-e2e-1/output/output.tar.gz")
    assert head["SSEKMSKeyId"] == account.key


def test_channel_without_objects_fails_the_job_in_sagemakers_words(
    account: LocalAccount, trained: dict[str, Any]
) -> None:
    job = train(account, "plumbline-e2e-empty", f"s3://{BUCKET}/data/absent/")

    assert job["TrainingJobStatus"] == "Failed"
    assert f'No S3 objects found under S3 URL "s3://{BUCKET}/data/absent/"' in job["FailureReason"]


def test_script_that_refuses_its_hyperparameters_fails_the_job(account: LocalAccount, trained: dict[str, Any]) -> None:
    job = train(account, "plumbline-e2e-bad", f"s3://{BUCKET}/data/train.csv", unknown_setting="1")

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError")
    assert job["FailureReason"].endswith("exit code: 2")


@pytest.fixture(scope="module")
def monitored(account: LocalAccount, trained: dict[str, Any], image: str) -> dict[int, dict[str, Any]]:
    """Executions by simulated hour: one hour of traffic, then an hour without."""
    account.create_model(
        "trained", model=trained["ModelArtifacts"]["S3ModelArtifacts"], source=f"s3://{BUCKET}/source.tar.gz"
    )
    account.create_config("trained", "trained")
    account.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="trained")
    assert account.settled(ENDPOINT)["EndpointStatus"] == "InService"
    for path in (ROOT / "starter" / "baseline").iterdir():
        account.put(f"baseline/{path.name}", path.read_bytes())
    create_schedule(account, image)
    with (ROOT / "starter" / "data" / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = [",".join(row[:-1]) for row in list(csv.reader(file))[1:401]]
    for start in range(0, len(rows), 10):
        body = "\n".join(rows[start : start + 10]).encode()
        account.runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body=body)
    account.aws.advance(3600)
    executions(account, 1)
    account.aws.advance(3600)
    return {row["ScheduledTime"].astimezone(UTC).hour: row for row in executions(account, 2)}


def create_schedule(account: LocalAccount, image: str) -> None:
    account.sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=SCHEDULE,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinition": {
                "MonitoringAppSpecification": {
                    "ImageUri": image,
                    "ContainerArguments": [
                        "--baseline_s3_uri",
                        f"s3://{BUCKET}/baseline",
                        "--target_label",
                        TARGET,
                    ],
                },
                "MonitoringInputs": [
                    {"EndpointInput": {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input/endpoint"}}
                ],
                "MonitoringOutputConfig": {
                    "KmsKeyId": account.key,
                    "MonitoringOutputs": [
                        {
                            "S3Output": {
                                "S3Uri": f"s3://{BUCKET}/reports",
                                "LocalPath": "/opt/ml/processing/output",
                                "S3UploadMode": "EndOfJob",
                            }
                        }
                    ],
                },
                "MonitoringResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
                },
                "RoleArn": account.role,
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            },
        },
    )


def executions(account: LocalAccount, count: int) -> list[dict[str, Any]]:
    """Return the executions once `count` of them have ended."""

    def listed() -> dict[str, Any]:
        answer: dict[str, Any] = account.sagemaker.list_monitoring_executions(MonitoringScheduleName=SCHEDULE)
        return answer

    def ended(answer: dict[str, Any]) -> bool:
        rows = answer["MonitoringExecutionSummaries"]
        return len(rows) == count and all(row["MonitoringExecutionStatus"] != "InProgress" for row in rows)

    rows: list[dict[str, Any]] = eventually(listed, ended)["MonitoringExecutionSummaries"]
    return rows


def test_execution_reports_the_captured_hour(account: LocalAccount, monitored: dict[int, dict[str, Any]]) -> None:
    execution = monitored[11]
    assert execution["MonitoringExecutionStatus"] == "Completed", execution

    key = f"reports/{ENDPOINT}/{SCHEDULE}/2026/11/25/10/drift_report.json"
    report = json.loads(account.get(key))
    assert report["window"] == {"start": "2026-11-25T10:00:00Z", "end": "2026-11-25T11:00:00Z"}
    assert (report["records"]["read"], report["records"]["used"], report["n_rows"]) == (40, 40, 400)
    assert report["verdict"] == "no_drift"
    assert account.s3.head_object(Bucket=BUCKET, Key=key)["SSEKMSKeyId"] == account.key


def test_processing_job_tells_its_message_and_schedule(
    account: LocalAccount, monitored: dict[int, dict[str, Any]]
) -> None:
    name = monitored[11]["ProcessingJobArn"].rpartition("/")[2]
    job = account.sagemaker.describe_processing_job(ProcessingJobName=name)

    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"].startswith("Completed")
    assert job["MonitoringScheduleArn"].endswith(f"monitoring-schedule/{SCHEDULE}")
    assert job["Environment"]["publish_cloudwatch_metrics"] == "Enabled"


def test_metrics_of_the_container_arrive_in_both_namespaces(
    account: LocalAccount, monitored: dict[int, dict[str, Any]]
) -> None:
    cloudwatch = account.aws.client("cloudwatch")

    def names(namespace: str) -> set[str]:
        return {metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}

    assert {"MonitorRuns", "DriftVerdict", "FeatureDriftScore"} <= names("Plumbline")
    assert "DriftVerdict" in names("aws/sagemaker/Endpoints/data-metrics")


def test_hour_without_data_fails_without_a_container(
    account: LocalAccount, monitored: dict[int, dict[str, Any]]
) -> None:
    execution = monitored[12]

    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"].startswith("Job inputs had no data")
    assert account.keys(f"reports/{ENDPOINT}/{SCHEDULE}/2026/11/25/11/") == []


def test_events_tell_the_end_of_every_job(
    account: LocalAccount, events: str, monitored: dict[int, dict[str, Any]]
) -> None:
    sqs = account.aws.client("sqs")
    seen: set[tuple[str, str]] = set()
    wanted = {
        ("SageMaker Training Job State Change", "Completed"),
        ("SageMaker Processing Job State Change", "Completed"),
        ("SageMaker Processing Job State Change", "Failed"),
    }

    def read() -> dict[str, Any]:
        for message in sqs.receive_message(QueueUrl=events, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            detail = event["detail"]
            assert detail["RoleArn"] == account.role
            seen.add((event["detail-type"], detail.get("TrainingJobStatus") or detail["ProcessingJobStatus"]))
        return {"seen": seen}

    eventually(read, lambda answer: wanted <= answer["seen"], seconds=20)


def test_stopped_job_ends_stopped(account: LocalAccount, image: str, tmp_path: Path) -> None:
    context = tmp_path
    (context / "Dockerfile").write_text(f'FROM python@sha256:{"0" * 64}\nENTRYPOINT ["python", "-c"]\n')
    account.docker("build", "--tag", f"{REGISTRY}/drift:sleep", ".", cwd=context)

    def start(name: str, limit: int) -> dict[str, Any]:
        account.sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=account.role,
            AppSpecification={
                "ImageUri": f"{REGISTRY}/drift:sleep",
                "ContainerArguments": ["import time; time.sleep(60)"],
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            StoppingCondition={"MaxRuntimeInSeconds": limit},
        )
        if limit > 1:
            account.sagemaker.stop_processing_job(ProcessingJobName=name)
        return eventually(
            lambda: account.sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
            seconds=20,
        )

    assert start("by-hand", 600)["ProcessingJobStatus"] == "Stopped"
    assert start("by-limit", 1)["ProcessingJobStatus"] == "Stopped"
