from datetime import UTC, datetime

import pytest

from plumbline.functions.retraining.events import AlarmChange, AlarmState, ExecutionChange, RetrainingRequest, parse
from plumbline.functions.shared.events import IgnoredEvent, Reconcile
from tests.unit.functions.retraining.builders import ALARM, alarm_message, sns_event

MOMENT = datetime(2026, 3, 1, 5, 20, 12, 345000, tzinfo=UTC)
EVENTBRIDGE = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "detail": {
        "alarmName": ALARM,
        "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-03-01T05:20:12.345+0000"},
        "previousState": {"value": "OK"},
    },
}
EXECUTION = "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/plumbline-dev-retraining/execution/abc"
ENDED = {
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
    "detail": {
        "pipelineArn": "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/plumbline-dev-retraining",
        "pipelineExecutionArn": EXECUTION,
        "currentPipelineExecutionStatus": "Succeeded",
        "previousPipelineExecutionStatus": "Executing",
    },
}
DIRECT = {
    "source": "aws.cloudwatch",
    "alarmArn": f"arn:aws:cloudwatch:eu-central-1:000000000000:alarm:{ALARM}",
    "alarmData": EVENTBRIDGE["detail"],
}


def test_sns_message_of_an_alarm_is_read() -> None:
    (change,) = parse(sns_event(alarm_message()), "request")
    assert isinstance(change, AlarmChange)
    assert (change.alarm_name, change.state, change.changed_at) == (ALARM, AlarmState.ALARM, MOMENT)
    assert change.reason.startswith("Threshold Crossed: 1 out of the last 1")


@pytest.mark.parametrize("event", [EVENTBRIDGE, DIRECT, sns_event(EVENTBRIDGE)], ids=["rule", "direct", "rule to sns"])
def test_every_route_of_an_alarm_gives_the_same_change(event: object) -> None:
    assert parse(event, "request") == (AlarmChange(ALARM, AlarmState.ALARM, MOMENT, "Threshold Crossed"),)


@pytest.mark.parametrize(
    "text", ["2026-03-01T05:20:12.345+0000", "2026-03-01T05:20:12.345Z", "2026-03-01T06:20:12.345+01:00"]
)
def test_time_of_change_is_read_in_every_spelling(text: str) -> None:
    (change,) = parse(sns_event(alarm_message(StateChangeTime=text)), "request")
    assert isinstance(change, AlarmChange)
    assert change.changed_at == MOMENT
    assert change.changed_at.tzinfo is UTC


def test_by_hand_request_carries_the_invocation_id() -> None:
    assert parse({"reason": "new labels"}, "request-1") == (RetrainingRequest("new labels", "request-1"),)


def test_person_may_ask_with_force() -> None:
    assert parse({"reason": " new\n labels ", "force": True}, "r") == (
        RetrainingRequest("new labels", "r", force=True),
    )


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"reason": " "}, "reason must say why to retrain, got ' '"),
        ({"reason": 7}, "reason must say why to retrain, got 7"),
        ({"reason": "x", "force": "yes"}, "force must be true or false, got 'yes'"),
    ],
)
def test_malformed_request_is_ignored_with_a_reason(event: object, why: str) -> None:
    assert parse(event, "r") == (IgnoredEvent(why),)


def test_hourly_event_is_a_reconciliation() -> None:
    assert parse({"reevaluate": True}, "request-1") == (Reconcile("request-1"),)


def test_execution_status_is_read() -> None:
    assert parse(ENDED, "r") == (ExecutionChange(EXECUTION, "Succeeded"),)


@pytest.mark.parametrize("detail", [None, {}, {"pipelineExecutionArn": EXECUTION}])
def test_execution_event_without_its_fields_is_ignored(detail: object) -> None:
    (foreign,) = parse(ENDED | {"detail": detail}, "r")
    assert isinstance(foreign, IgnoredEvent)
    assert foreign.reason.startswith("the event of an execution must name it and its status")


def test_message_of_the_loop_itself_is_ignored() -> None:
    (record,) = _records(alarm_message())
    assert isinstance(record, dict)
    record["Sns"]["MessageAttributes"] = {"plumbline": {"Type": "String", "Value": "plumbline-dev"}}
    assert parse({"Records": [record]}, "r") == (IgnoredEvent("the message is one of the loop's own"),)


def test_reason_of_any_length_is_cut() -> None:
    (request,) = parse({"reason": "x" * 5000}, "r")
    assert isinstance(request, RetrainingRequest)
    assert len(request.reason) == 1000


def test_every_record_of_an_event_is_read() -> None:
    event = {"Records": [*_records(alarm_message()), *_records("hello")]}
    first, second = parse(event, "request")
    assert isinstance(first, AlarmChange)
    assert second == IgnoredEvent("the SNS message is not JSON")


def _records(message: object) -> list[object]:
    records = sns_event(message)["Records"]
    assert isinstance(records, list)
    return records


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (None, "the event is a NoneType, not an object"),
        ([], "the event is a list, not an object"),
        ({}, "the message is no CloudWatch alarm"),
        ({"Records": []}, "the event holds no record"),
        ({"Records": [None]}, "the record carries no SNS message"),
        ({"Records": [{"Sns": {"Message": 7}}]}, "the record carries no SNS message"),
        (sns_event("You have chosen to subscribe to the topic"), "the SNS message is not JSON"),
        (sns_event('"text"'), "the message is a str, not an object"),
        (
            sns_event(
                {
                    "source": "aws.sagemaker",
                    "detail-type": "SageMaker Processing Job State Change",
                    "detail": {},
                }
            ),
            "the message is no CloudWatch alarm but 'SageMaker Processing Job State Change'",
        ),
        (sns_event({"AlarmName": ""}), "the alarm message has no alarm name"),
        (sns_event({"AlarmName": {"a": 1}}), "the alarm message has no alarm name"),
        (
            sns_event(alarm_message(NewStateValue="alarm")),
            f"the message of alarm {ALARM} has the unknown state 'alarm'",
        ),
        (sns_event(alarm_message(NewStateValue=[])), f"the message of alarm {ALARM} has the unknown state []"),
        (
            sns_event(alarm_message(StateChangeTime="yesterday")),
            f"the message of alarm {ALARM} has no readable time of change, got 'yesterday'",
        ),
        (
            sns_event(alarm_message(StateChangeTime=None)),
            f"the message of alarm {ALARM} has no readable time of change, got None",
        ),
        (
            {"detail": {"alarmName": ALARM, "state": "ALARM"}},
            f"the message of alarm {ALARM} has the unknown state None",
        ),
    ],
)
def test_message_of_no_alarm_is_ignored_with_a_reason(event: object, why: str) -> None:
    assert parse(event, "request") == (IgnoredEvent(why),)


def test_reason_that_is_no_text_is_left_out() -> None:
    (change,) = parse(sns_event(alarm_message(NewStateReason=None)), "request")
    assert isinstance(change, AlarmChange)
    assert change.reason == ""
