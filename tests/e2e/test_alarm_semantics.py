"""Alarms of the running server: what their evaluation sees, when it happens, and whom it tells."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.local.demo.inbox import make_queue
from plumbline.local.embedded import EmbeddedAws
from tests.e2e import messages

pytestmark = pytest.mark.e2e

NAMESPACE = "AlarmSemantics"
HOUR = 3600


WARM_UP = {"WarmUpPeriodDurationInMinutes": 180}


class Alarms:
    """Makes alarms and data points of one test's own metrics."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self._cloudwatch = aws.client("cloudwatch")

    def create(self, name: str, **more: Any) -> None:
        defaults = {
            "Namespace": NAMESPACE,
            "MetricName": name,
            "Dimensions": [{"Name": "Endpoint", "Value": "mine"}],
            "Statistic": "Maximum",
            "Period": HOUR,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }
        self._cloudwatch.put_metric_alarm(AlarmName=name, **{**defaults, **more})

    def put(self, name: str, value: float, endpoint: str = "mine", at: datetime | None = None) -> None:
        datum: dict[str, Any] = {
            "MetricName": name,
            "Dimensions": [{"Name": "Endpoint", "Value": endpoint}],
            "Value": value,
        }
        if at:
            datum["Timestamp"] = at
        self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    def state(self, name: str) -> str:
        found = self._cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def becomes(self, name: str, state: str) -> None:
        messages.eventually(lambda: self.state(name) == state, f"{name} must become {state}, is {self.state(name)}")

    def evaluated(self, sentinel: str) -> None:
        """Return when every alarm made before was evaluated: alarms are evaluated in the order of their creation."""
        self.create(sentinel)
        self.put(sentinel, 9)
        self.becomes(sentinel, "ALARM")


@pytest.fixture
def alarms(aws: EmbeddedAws) -> Alarms:
    return Alarms(aws)


def test_another_dimension_does_not_count(alarms: Alarms) -> None:
    alarms.create("dimensions")
    alarms.put("dimensions", 9, endpoint="other")
    alarms.evaluated("dimensions-sentinel")
    assert alarms.state("dimensions") == "INSUFFICIENT_DATA"


def test_one_breach_of_three_is_no_alarm(alarms: Alarms) -> None:
    alarms.create("one-of-three", EvaluationPeriods=3)
    alarms.put("one-of-three", 9)
    alarms.becomes("one-of-three", "OK")


def test_two_breaches_of_three_hours_are_one(aws: EmbeddedAws, alarms: Alarms) -> None:
    alarms.create("two-of-three", EvaluationPeriods=3, DatapointsToAlarm=2)
    for value in (9, 0, 9):
        alarms.put("two-of-three", value)
        if value == 0:
            alarms.becomes("two-of-three", "OK")
        aws.advance(HOUR)
    alarms.becomes("two-of-three", "ALARM")


@pytest.mark.parametrize(("policy", "state"), [("breaching", "ALARM"), ("notBreaching", "OK")])
def test_metric_without_data_is_what_the_policy_says(alarms: Alarms, policy: str, state: str) -> None:
    alarms.create(f"silent-{policy}", TreatMissingData=policy)
    alarms.becomes(f"silent-{policy}", state)


def test_silence_keeps_the_state_only_under_ignore(aws: EmbeddedAws, alarms: Alarms) -> None:
    for policy in ("ignore", "missing"):
        alarms.create(f"silence-{policy}", TreatMissingData=policy)
        alarms.put(f"silence-{policy}", 9)
        alarms.becomes(f"silence-{policy}", "ALARM")
    aws.advance(5 * HOUR)
    alarms.becomes("silence-missing", "INSUFFICIENT_DATA")
    assert alarms.state("silence-ignore") == "ALARM"


def test_point_of_the_future_does_not_count_yet(aws: EmbeddedAws, alarms: Alarms) -> None:
    alarms.create("future")
    alarms.put("future", 9, at=aws.now() + timedelta(minutes=50))
    alarms.evaluated("future-sentinel")
    assert alarms.state("future") == "INSUFFICIENT_DATA"
    aws.advance(HOUR)
    alarms.becomes("future", "ALARM")


def test_alarm_acts_once_for_an_episode(aws: EmbeddedAws, alarms: Alarms) -> None:
    topic, queue = messages.topic_with_queue(aws, "episode")
    alarms.create("episode", TreatMissingData="ignore", AlarmActions=[topic])
    before = aws.now()
    for _ in range(3):
        alarms.put("episode", 9)
        alarms.becomes("episode", "ALARM")
        aws.advance(HOUR)
    alarms.evaluated("episode-sentinel")
    sent = [json.loads(json.loads(body)["Message"]) for body in messages.received(aws, queue)]
    assert [message["NewStateValue"] for message in sent] == ["ALARM"]
    changed = datetime.strptime(sent[0]["StateChangeTime"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert before <= changed < before + timedelta(minutes=5)
    assert sent[0]["Trigger"]["Dimensions"] == [{"value": "mine", "name": "Endpoint"}]


def test_state_change_is_an_event(aws: EmbeddedAws, alarms: Alarms) -> None:
    queue, queue_arn = make_queue(aws, "alarm-events")
    events = aws.client("events")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["announced"], "state": {"value": ["ALARM"]}}}
    events.put_rule(Name="alarm-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarm-events", Targets=[{"Id": "queue", "Arn": queue_arn}])
    alarms.create("announced")
    alarms.put("announced", 9)
    event = json.loads(messages.first(aws, queue))
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]
    assert metric == {"namespace": NAMESPACE, "name": "announced", "dimensions": {"Endpoint": "mine"}}


def test_warm_up_keeps_silence_quiet_until_its_end(aws: EmbeddedAws, alarms: Alarms) -> None:
    topic, queue = messages.topic_with_queue(aws, "warm")
    alarms.create(
        "warm", EvaluationPeriods=3, TreatMissingData="breaching", WarmUpConfiguration=WARM_UP, AlarmActions=[topic]
    )
    aws.advance(3 * HOUR - 60)
    alarms.evaluated("warm-sentinel")
    assert alarms.state("warm") == "INSUFFICIENT_DATA"
    assert messages.received(aws, queue) == []
    aws.advance(60)
    alarms.becomes("warm", "ALARM")
    assert json.loads(json.loads(messages.first(aws, queue))["Message"])["AlarmName"] == "warm"


def test_warm_up_ends_when_the_window_is_full(aws: EmbeddedAws, alarms: Alarms) -> None:
    alarms.create("early", EvaluationPeriods=2, TreatMissingData="breaching", WarmUpConfiguration=WARM_UP)
    alarms.put("early", 0)
    alarms.evaluated("early-sentinel")
    assert alarms.state("early") == "INSUFFICIENT_DATA"
    aws.advance(HOUR)
    alarms.put("early", 0)
    alarms.becomes("early", "OK")


def test_warm_up_is_described_and_checked(alarms: Alarms, aws: EmbeddedAws) -> None:
    alarms.create("described", WarmUpConfiguration=WARM_UP)
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=["described"])["MetricAlarms"]
    assert found["WarmUpConfiguration"] == WARM_UP
    with pytest.raises(ClientError, match="less than or equal to 2880"):
        alarms.create("endless", WarmUpConfiguration={"WarmUpPeriodDurationInMinutes": 2881})


def test_queue_alarm_hears_of_a_message(aws: EmbeddedAws, alarms: Alarms) -> None:
    queue, _ = make_queue(aws, "letters")
    alarms.create(
        "letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "letters"}],
        Period=300,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    alarms.becomes("letters", "OK")
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="undelivered")
    aws.advance(60)
    alarms.becomes("letters", "ALARM")
    assert messages.received(aws, queue) == ["undelivered"]
    aws.client("sqs").purge_queue(QueueUrl=queue)
    aws.advance(600)
    alarms.becomes("letters", "OK")


def test_jump_of_the_clock_is_followed_at_once(aws: EmbeddedAws, alarms: Alarms) -> None:
    alarms.create("prompt", TreatMissingData="breaching")
    alarms.put("prompt", 0)
    alarms.becomes("prompt", "OK")
    aws.advance(5 * HOUR)
    messages.eventually(
        lambda: alarms.state("prompt") == "ALARM", "an alarm must follow the clock within a second", seconds=1
    )
