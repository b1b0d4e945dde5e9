"""Guarded updates of an endpoint: two fleets answer, alarms and broken containers bring the old one back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.local.demo.inbox import make_queue
from tests.e2e import messages
from tests.e2e.local_account import LocalAccount, eventually, local_account

pytestmark = pytest.mark.e2e

START = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ENDPOINT = "guarded"
ALARM = "guarded-errors"
SOURCE = """
def model_fn(folder):
    return open(folder + "/answer").read()

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    if model == "bad":
        raise ValueError("bad model")
    return model

def output_fn(prediction, accept):
    return prediction
"""
"""Answers with the text in its artifact."""
POLICY = {
    "TrafficRoutingConfiguration": {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 600,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    },
    "TerminationWaitInSeconds": 300,
    "MaximumExecutionTimeoutInSeconds": 1800,
}
GUARDED = {"BlueGreenUpdatePolicy": POLICY, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]}}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with local_account(tmp_path_factory.mktemp("state"), START) as account:
        source = account.put_archive("source.tar.gz", {"inference.py": SOURCE})
        for name in ("one", "two", "bad"):
            model = account.put_archive(f"{name}.tar.gz", {"answer": name})
            account.create_model(name, model=model, source=source)
            create_config(account, name)
        account.aws.client("iam").put_role_policy(
            RoleName=account.role.rsplit("/", 1)[-1], PolicyName="alarms", PolicyDocument=alarm_policy(account)
        )
        account.aws.client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/SageMaker",
            MetricName="InvocationModelErrors",
            Dimensions=[{"Name": "EndpointName", "Value": ENDPOINT}, {"Name": "VariantName", "Value": "AllTraffic"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        account.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="one")
        assert account.settled(ENDPOINT)["EndpointStatus"] == "InService"
        yield account


def alarm_policy(account: LocalAccount) -> str:
    resource = f"arn:aws:cloudwatch:{account.aws.region}:{account.aws.account}:alarm:guarded-*"
    statement = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_config(account: LocalAccount, name: str) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1,
    }
    account.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def ask(account: LocalAccount) -> str:
    answer = account.runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body=b"1")
    text: str = answer["Body"].read().decode()
    return text


def await_baking(account: LocalAccount, capacity: str) -> dict[str, Any]:
    def describe() -> dict[str, Any]:
        answer: dict[str, Any] = account.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
        return answer

    return eventually(describe, lambda answer: f"{capacity} capacity" in json.dumps(answer, default=str))


def test_alarm_on_the_new_models_errors_rolls_back(account: LocalAccount) -> None:
    account.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="bad", DeploymentConfig=GUARDED)
    await_baking(account, "canary")
    for _ in range(20):
        try:
            ask(account)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ModelError"

    endpoint = account.settled(ENDPOINT)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "one")
    assert f"alarm {ALARM} is in ALARM" in endpoint["FailureReason"]
    assert {ask(account) for _ in range(10)} == {"one"}
    account.aws.advance(300)
    cloudwatch = account.aws.client("cloudwatch")
    eventually(
        lambda: cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"][0], lambda a: a["StateValue"] == "OK"
    )


def test_canary_answers_beside_the_old_fleet_and_then_alone(account: LocalAccount) -> None:
    events = account.aws.client("events")
    url, arn = make_queue(account.aws, "endpoint-events")
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
    events.put_rule(Name="endpoint-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="endpoint-events", Targets=[{"Id": "queue", "Arn": arn}])
    account.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="two", DeploymentConfig=GUARDED)
    during = await_baking(account, "canary")
    assert (during["EndpointStatus"], during["EndpointConfigName"]) == ("Updating", "one")
    assert {ask(account) for _ in range(40)} == {"one", "two"}

    account.aws.advance(600)
    await_baking(account, "full")
    assert {ask(account) for _ in range(10)} == {"two"}
    account.aws.advance(300)

    endpoint = account.settled(ENDPOINT)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", "two")
    assert endpoint["LastDeploymentConfig"] == GUARDED
    told: list[str] = []

    def told_all() -> bool:
        told.extend(json.loads(body)["detail"]["EndpointStatus"] for body in messages.received(account.aws, url))
        return {"UPDATING", "IN_SERVICE"} <= set(told)

    messages.eventually(told_all, "both changes of status must reach the queue")


def test_role_that_may_not_see_the_alarm_is_refused(account: LocalAccount) -> None:
    hidden = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "hidden"}]}}
    account.aws.client("cloudwatch").put_metric_alarm(
        AlarmName="hidden",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    with pytest.raises(ClientError, match="may not perform cloudwatch:DescribeAlarms"):
        account.sagemaker.update_endpoint(EndpointName=ENDPOINT, EndpointConfigName="one", DeploymentConfig=hidden)
