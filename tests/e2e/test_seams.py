"""Every private name of MiniStack that we touch exists in the pinned version and still needs our hand.

When one of these tests fails after an upgrade, either the name moved (adapt local/aws/seams.py) or MiniStack now
does it right (delete the patch).
"""

import importlib.metadata
import inspect
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from plumbline.local.aws.seams import Seam
from plumbline.local.aws.settings import ROOT

pytestmark = pytest.mark.e2e

ACCOUNT = "000000000000"
REGION = "us-east-1"


@pytest.fixture
def scope() -> Iterator[None]:
    with Seam.REQUEST_SCOPE.take()(ACCOUNT, REGION):
        yield


def _alarm(**more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a",
        "Namespace": "SeamTest",
        "MetricName": "m",
        "Dimensions": [{"Name": "Endpoint", "Value": "mine"}],
        "Period": 60,
        "EvaluationPeriods": 3,
        "Statistic": "Maximum",
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "StateValue": "INSUFFICIENT_DATA",
        **more,
    }


@pytest.fixture
def breaching_stranger(scope: None) -> Iterator[None]:
    """One breaching data point of the alarm's metric, under another endpoint's dimension."""
    metrics = Seam.CW_METRICS.take()
    dimensions = {"Endpoint": "other"}
    key = ("SeamTest", "m", Seam.CW_DIMENSIONS.take()(dimensions))
    metrics[key] = [{"Timestamp": time.time(), "Value": 9.0, "Unit": "None", "Dimensions": dimensions}]
    yield
    del metrics[key]


@pytest.mark.parametrize("seam", list(Seam), ids=lambda seam: f"{seam.module}.{seam.attribute}")
def test_name_exists(seam: Seam) -> None:
    assert seam.take() is not None


def test_ministack_is_the_pinned_one() -> None:
    lock = (ROOT / "requirements" / "emulator.txt").read_text(encoding="utf-8")
    pinned = re.search(r"^ministack==(\S+)", lock, re.MULTILINE)
    assert pinned
    assert importlib.metadata.version("ministack") == pinned.group(1)


def test_sagemaker_is_no_service_of_ministack() -> None:
    assert "sagemaker" not in Seam.HANDLERS.take()
    assert "sagemaker" not in Seam.ROUTES.take()
    assert not [name for name in Seam.CFN_HANDLERS.take() if name.startswith("AWS::SageMaker::")]


def test_application_auto_scaling_is_no_service_of_ministack() -> None:
    assert "application-autoscaling" not in Seam.HANDLERS.take()
    assert "application-autoscaling" not in Seam.ROUTES.take()
    assert not [name for name in Seam.CFN_HANDLERS.take() if name.startswith("AWS::ApplicationAutoScaling::")]


def test_vanilla_alarm_mixes_dimensions_and_needs_one_point_of_three(breaching_stranger: None) -> None:
    alarm = _alarm()
    Seam.CW_EVALUATE.take()(alarm)
    assert alarm["StateValue"] == "ALARM"


def test_vanilla_alarm_ignores_the_missing_data_policy(scope: None) -> None:
    alarm = _alarm(MetricName="silent", TreatMissingData="breaching")
    Seam.CW_EVALUATE.take()(alarm)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"


def test_vanilla_notification_lacks_the_alarms_arn(scope: None, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(f"{Seam.SNS_FANOUT.module}.{Seam.SNS_FANOUT.attribute}", lambda *args: sent.append(args[2]))
    alarm = _alarm(AlarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:t"])
    Seam.CW_DISPATCH.take()(alarm, "OK", "ALARM", "because")
    message = json.loads(sent[0])
    assert "AlarmArn" not in message
    assert "Name" in message["Trigger"]["Dimensions"][0]


def test_vanilla_stacks_drop_reserved_concurrency() -> None:
    assert "ReservedConcurrentExecutions" not in inspect.getsource(importlib.import_module(Seam.CFN_HANDLERS.module))


def test_vanilla_registry_has_no_error_for_an_unknown_image(scope: None) -> None:
    repositories = Seam.ECR_REPOSITORIES.take()
    repositories["seam-test"] = {"repositoryName": "seam-test", "images": [], "imageDetails": []}
    try:
        request = {"repositoryName": "seam-test", "imageIds": [{"imageTag": "never-pushed"}]}
        status, _, body = Seam.ECR_DESCRIBE.take()(request)
    finally:
        del repositories["seam-test"]
    assert (status, json.loads(body)["imageDetails"]) == (200, [])


def test_vanilla_alarm_drops_its_warm_up_period(scope: None) -> None:
    request = {**_alarm(AlarmName="warm-seam"), "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}}
    del request["StateValue"], request["AlarmArn"]
    assert "WarmUpConfiguration" not in Seam.CFN_ALARM.take()("warm-seam", request)
    status, *_ = Seam.CW_PUT.take()({}, request, False, True)
    try:
        assert status == 200
        assert "WarmUpConfiguration" not in Seam.CW_ALARMS.take()["warm-seam"]
    finally:
        del Seam.CW_ALARMS.take()["warm-seam"]


def test_vanilla_queue_has_no_metric(scope: None) -> None:
    queues = Seam.SQS_QUEUES.take()
    before = set(Seam.CW_METRICS.take())
    queues["seam-test"] = {"name": "seam-test", "messages": []}
    try:
        Seam.CW_EVALUATE_ALL.take()()
        assert set(Seam.CW_METRICS.take()) == before
    finally:
        del queues["seam-test"]


@pytest.mark.parametrize("seam", [Seam.CW_ALARMS, Seam.SCHEDULES, Seam.SQS_QUEUES])
def test_store_shows_every_accounts_records(seam: Seam, scope: None) -> None:
    store = seam.take()
    store["seam-test"] = {}
    try:
        assert (ACCOUNT, REGION, "seam-test") in store._data
    finally:
        del store["seam-test"]


def test_vanilla_scheduler_ticks_too_seldom_for_a_compressed_clock() -> None:
    assert Seam.SCHEDULER_TICK.take() == Seam.EVENTS_TICK.take() == 10


def test_vanilla_iam_context_lacks_the_metric_namespace() -> None:
    body = json.dumps({"Namespace": "Plumbline", "MetricData": []}).encode()
    assert "cloudwatch:namespace" not in Seam.IAM_CONTEXT.take()("monitoring", "cloudwatch:PutMetricData", body, {})


def test_vanilla_bucket_type_drops_encryption(scope: None) -> None:
    handlers = Seam.CFN_HANDLERS.take()["AWS::S3::Bucket"]
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    properties = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}
    name, _ = handlers["create"]("Bucket", properties, "seam-test")
    try:
        assert Seam.S3_ENCRYPTION.take().get(name) is None
    finally:
        handlers["delete"](name, properties)
