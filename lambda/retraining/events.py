"""Events as they reach the controller, parsed to records; an event that cannot be parsed becomes an `IgnoredEvent`.

Understood: SNS messages of CloudWatch alarms, EventBridge's "CloudWatch Alarm State Change" (directly or through
SNS), an alarm's direct Lambda action, EventBridge's "SageMaker Model Building Pipeline Execution Status Change", the
hourly ``{"reevaluate": true}``, and a person's ``{"reason": "...", "force": true}``. SNS messages of alarms are
described in the CloudWatch User Guide only by example, and test messages often lack fields: each field is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from plumbline.contract.decoding import read_json
from plumbline.contract.retraining import MessageAttribute
from plumbline.functions.shared.events import (
    IgnoredEvent,
    Reconcile,
    encodable,
    is_nested,
    is_reconcile,
    time_or_none,
)

_MAX_REASON_LENGTH = 1000
"""Characters of a reason that are kept: CloudWatch's have at most 1,023, a person's may be of any length."""
_EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"


class AlarmState(StrEnum):
    """States of an alarm, as CloudWatch spells them."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class AlarmChange:
    """One alarm went to one state; `changed_at` is aware and in UTC."""

    alarm_name: str
    state: AlarmState
    changed_at: datetime
    reason: str


@dataclass(frozen=True)
class RetrainingRequest:
    """A person's request; `request_id` is the invocation's, and stays the same when Lambda retries it."""

    reason: str
    request_id: str
    force: bool = False


@dataclass(frozen=True)
class ExecutionChange:
    """A pipeline execution went to a status, as EventBridge spells it."""

    execution: str
    status: str


RetrainingEvent = AlarmChange | RetrainingRequest | Reconcile | ExecutionChange | IgnoredEvent


def parse(event: object, request_id: str) -> tuple[RetrainingEvent, ...]:
    """Return one record for each SNS record of the event, or one for any other event."""
    if not isinstance(event, Mapping):
        return (IgnoredEvent(f"the event is a {type(event).__name__}, not an object"),)
    if is_nested(event):
        return (IgnoredEvent("the event is nested too deeply"),)
    records = event.get("Records")
    if isinstance(records, list):
        return tuple(_from_record(record) for record in records) or (IgnoredEvent("the event holds no record"),)
    if is_reconcile(event):
        return (Reconcile(request_id),)
    if "reason" in event:
        return (_request(event["reason"], event.get("force", False), request_id),)
    return (_from_message(event),)


def _request(reason: object, force: object, request_id: str) -> RetrainingEvent:
    if not isinstance(reason, str) or not reason.strip():
        return IgnoredEvent(f"reason must say why to retrain, got {reason!r}")
    if not isinstance(force, bool):
        return IgnoredEvent(f"force must be true or false, got {force!r}")
    return RetrainingRequest(_kept(reason), request_id, force)


def _from_record(record: object) -> RetrainingEvent:
    notification = record.get("Sns") if isinstance(record, Mapping) else None
    text = notification.get("Message") if isinstance(notification, Mapping) else None
    if not isinstance(text, str):
        return IgnoredEvent("the record carries no SNS message")
    attributes = notification.get("MessageAttributes") if isinstance(notification, Mapping) else None
    if isinstance(attributes, Mapping) and MessageAttribute.ENDPOINT in attributes:
        return IgnoredEvent("the message is one of the loop's own")
    try:
        return _from_message(read_json(text))
    except ValueError:
        return IgnoredEvent("the SNS message is not JSON")


def _from_message(message: object) -> RetrainingEvent:
    if not isinstance(message, Mapping):
        return IgnoredEvent(f"the message is a {type(message).__name__}, not an object")
    if "AlarmName" in message:
        return _change(
            message["AlarmName"],
            message.get("NewStateValue"),
            message.get("StateChangeTime"),
            message.get("NewStateReason"),
        )
    detail = message.get("alarmData", message.get("detail"))
    if isinstance(detail, Mapping) and "alarmName" in detail:
        state = detail.get("state")
        state = state if isinstance(state, Mapping) else {}
        return _change(detail["alarmName"], state.get("value"), state.get("timestamp"), state.get("reason"))
    kind = message.get("detail-type")
    if kind == _EXECUTION_CHANGE:
        return _execution(detail)
    return IgnoredEvent(f"the message is no CloudWatch alarm{f' but {kind!r}' if isinstance(kind, str) else ''}")


def _execution(detail: object) -> RetrainingEvent:
    detail = detail if isinstance(detail, Mapping) else {}
    execution, status = detail.get("pipelineExecutionArn"), detail.get("currentPipelineExecutionStatus")
    if not isinstance(execution, str) or not isinstance(status, str):
        return IgnoredEvent(f"the event of an execution must name it and its status, got {execution!r} and {status!r}")
    return ExecutionChange(encodable(execution), encodable(status))


def _change(name: object, state: object, changed_at: object, reason: object) -> RetrainingEvent:
    if not isinstance(name, str) or not name:
        return IgnoredEvent("the alarm message has no alarm name")
    if state not in tuple(AlarmState):
        return IgnoredEvent(f"the message of alarm {name} has the unknown state {state!r}")
    moment = time_or_none(changed_at)
    if moment is None:
        return IgnoredEvent(f"the message of alarm {name} has no readable time of change, got {changed_at!r}")
    return AlarmChange(
        encodable(name), AlarmState(str(state)), moment, _kept(reason) if isinstance(reason, str) else ""
    )


def _kept(reason: str) -> str:
    return encodable(" ".join(reason.split())[:_MAX_REASON_LENGTH])
