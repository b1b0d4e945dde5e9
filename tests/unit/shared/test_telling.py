import boto3
import pytest
from botocore.stub import Stubber
from shared.telling import TEXT_MAX_BYTES, Announcer, subject_line

from contract.retraining import RetrainingMetric

TOPIC = "arn:aws:sns:eu-central-1:000000000000:plumbline-dev-alerts"
OWN = {"plumbline": {"DataType": "String", "StringValue": "plumbline-dev"}}


def stubbed(service: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Announcer, Stubber]:
    client = boto3.client(
        service, region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    monkeypatch.setattr(boto3, "client", lambda name, region_name: {service: client}[name])
    return Announcer(TOPIC, "eu-central-1", "plumbline-dev"), Stubber(client)


def test_message_is_published_as_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    announcer, stubber = stubbed("sns", monkeypatch)
    expected = {
        "TopicArn": TOPIC,
        "Subject": "Retraining started",
        "Message": "text",
        "MessageAttributes": OWN,
    }
    stubber.add_response("publish", {"MessageId": "1"}, expected)
    with stubber:
        announcer.tell("Retraining started", "text")
    stubber.assert_no_pending_responses()


def test_message_is_cut_to_what_sns_takes_between_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    announcer, stubber = stubbed("sns", monkeypatch)
    expected = {
        "TopicArn": TOPIC,
        "Subject": "s",
        "Message": "a" + "é" * ((TEXT_MAX_BYTES - 1) // 2),
        "MessageAttributes": OWN,
    }
    stubber.add_response("publish", {"MessageId": "1"}, expected)
    with stubber:
        announcer.tell("s", "a" + "é" * TEXT_MAX_BYTES)
    stubber.assert_no_pending_responses()


def test_metric_is_put_for_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    announcer, stubber = stubbed("cloudwatch", monkeypatch)
    datum = {
        "MetricName": "RetrainingsStarted",
        "Dimensions": [{"Name": "Endpoint", "Value": "plumbline-dev"}],
        "Value": 1.0,
    }
    stubber.add_response("put_metric_data", {}, {"Namespace": "Plumbline", "MetricData": [datum]})
    with stubber:
        announcer.count(RetrainingMetric.STARTED)
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Retraining started", "Retraining started"),
        ("two\nlines\tand more\x7f", "two lines and more"),
        ("café", "caf?"),
        (" \n", "Plumbline"),
        ("x" * 120, "x" * 99),
    ],
)
def test_subject_is_one_that_sns_takes(text: str, subject: str) -> None:
    assert subject_line(text) == subject
