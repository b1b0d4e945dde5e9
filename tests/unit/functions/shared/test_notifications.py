import boto3
import pytest
from botocore.stub import Stubber

from plumbline.contract.retraining import MessageKind, Obstacle, RetrainingMetric
from plumbline.functions.shared.aws_client import AwsClients
from plumbline.functions.shared.notifications import MAX_TEXT_BYTES, LoopMessage, Notifier, subject_line

TOPIC = "arn:aws:sns:eu-central-1:000000000000:plumbline-dev-alerts"
OWN = {"plumbline": "plumbline-dev", "plumbline_kind": "retraining_started"}


def attributes(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in (OWN | values).items()}


def message(subject: str, text: str) -> LoopMessage:
    return LoopMessage(MessageKind.RETRAINING_STARTED, subject, text)


def stubbed(service: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Notifier, Stubber]:
    client = boto3.client(
        service, region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    monkeypatch.setattr(boto3, "client", lambda name, region_name: {service: client}[name])
    return Notifier(TOPIC, "plumbline-dev", AwsClients("eu-central-1")), Stubber(client)


def test_message_is_published_as_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    notifier, stubber = stubbed("sns", monkeypatch)
    expected = {
        "TopicArn": TOPIC,
        "Subject": "Retraining started",
        "Message": "text",
        "MessageAttributes": attributes(),
    }
    stubber.add_response("publish", {"MessageId": "1"}, expected)
    with stubber:
        notifier.publish(message("Retraining started", "text"))
    stubber.assert_no_pending_responses()


def test_message_is_cut_to_what_sns_takes_between_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    notifier, stubber = stubbed("sns", monkeypatch)
    expected = {
        "TopicArn": TOPIC,
        "Subject": "s",
        "Message": "a" + "é" * ((MAX_TEXT_BYTES - 1) // 2),
        "MessageAttributes": attributes(),
    }
    stubber.add_response("publish", {"MessageId": "1"}, expected)
    with stubber:
        notifier.publish(message("s", "a" + "é" * MAX_TEXT_BYTES))
    stubber.assert_no_pending_responses()


def test_codes_of_a_message_are_its_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    notifier, stubber = stubbed("sns", monkeypatch)
    expected = {
        "TopicArn": TOPIC,
        "Subject": "s",
        "Message": "t",
        "MessageAttributes": attributes(
            plumbline_kind="retraining_skipped", plumbline_obstacle="labels_needed", plumbline_version="4"
        ),
    }
    stubber.add_response("publish", {"MessageId": "1"}, expected)
    with stubber:
        notifier.publish(LoopMessage(MessageKind.RETRAINING_SKIPPED, "s", "t", Obstacle.LABELS_NEEDED, 4))
    stubber.assert_no_pending_responses()


def test_metric_is_put_for_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    notifier, stubber = stubbed("cloudwatch", monkeypatch)
    datum = {
        "MetricName": "RetrainingsStarted",
        "Dimensions": [{"Name": "Endpoint", "Value": "plumbline-dev"}],
        "Value": 1.0,
    }
    stubber.add_response("put_metric_data", {}, {"Namespace": "Plumbline", "MetricData": [datum]})
    with stubber:
        notifier.put_metric(RetrainingMetric.STARTED)
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
