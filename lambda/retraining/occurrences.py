"""Events as they reach the function, parsed to records; nothing that arrives is an exception here.

Understood: SNS messages of CloudWatch alarms, EventBridge's "CloudWatch Alarm State Change" (directly or through
SNS), an alarm's direct Lambda action, EventBridge's "SageMaker Model Building Pipeline Execution Status Change", the
hourly ``{"reevaluate": true}``, and the by-hand invocation ``{"reason": "...", "force": true}``. SNS messages of alarms
are described in the CloudWatch User Guide only by example, and test messages often lack fields: each field is checked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared import times

from contract.retraining import OWN_MESSAGE, REEVALUATE

_REASON_MAX = 1000
"""Characters of a reason that are kept: CloudWatch's have at most 1,023, a person's may be of any length."""
_EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"


class AlarmState(StrEnum):
    """CloudWatch's states of an alarm."""

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
class ManualRequest:
    """A person asked; `request_id` is the invocation's, and stays the same when Lambda retries it."""

    reason: str
    request_id: str
    force: bool = False


@dataclass(frozen=True)
class Look:
    """The hourly event: alarms fire on change only, and events can get lost."""

    request_id: str


@dataclass(frozen=True)
class ExecutionChange:
    """A pipeline execution went to a status, as EventBridge spells it."""

    execution: str
    status: str


@dataclass(frozen=True)
class Foreign:
    """A message that is none of ours, and why."""

    why: str


Occurrence = AlarmChange | ManualRequest | Look | ExecutionChange | Foreign


def parse(event: object, request_id: str) -> tuple[Occurrence, ...]:
    """Return what the event tells: one occurrence for each SNS record, or one for any other event."""
    if not isinstance(event, Mapping):
        return (Foreign(f"the event is a {type(event).__name__}, not an object"),)
    records = event.get("Records")
    if isinstance(records, list):
        return tuple(_from_record(record) for record in records) or (Foreign("the event holds no record"),)
    if event.get(REEVALUATE) is True:
        return (Look(request_id),)
    if "reason" in event:
        return (_request(event["reason"], event.get("force", False), request_id),)
    return (_from_message(event),)


def _request(reason: object, force: object, request_id: str) -> Occurrence:
    if not isinstance(reason, str) or not reason.strip():
        return Foreign(f"reason must say why to retrain, got {reason!r}")
    if not isinstance(force, bool):
        return Foreign(f"force must be true or false, got {force!r}")
    return ManualRequest(_kept(reason), request_id, force)


def _from_record(record: object) -> Occurrence:
    notification = record.get("Sns") if isinstance(record, Mapping) else None
    text = notification.get("Message") if isinstance(notification, Mapping) else None
    if not isinstance(text, str):
        return Foreign("the record carries no SNS message")
    attributes = notification.get("MessageAttributes") if isinstance(notification, Mapping) else None
    if isinstance(attributes, Mapping) and OWN_MESSAGE in attributes:
        return Foreign("the message is one of the loop's own")
    try:
        return _from_message(json.loads(text))
    except (ValueError, RecursionError):
        return Foreign("the SNS message is not JSON")


def _from_message(message: object) -> Occurrence:
    if not isinstance(message, Mapping):
        return Foreign(f"the message is a {type(message).__name__}, not an object")
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
    return Foreign(f"the message is no CloudWatch alarm{f' but {kind!r}' if isinstance(kind, str) else ''}")


def _execution(detail: object) -> Occurrence:
    detail = detail if isinstance(detail, Mapping) else {}
    execution, status = detail.get("pipelineExecutionArn"), detail.get("currentPipelineExecutionStatus")
    if not isinstance(execution, str) or not isinstance(status, str):
        return Foreign(f"the event of an execution must name it and its status, got {execution!r} and {status!r}")
    return ExecutionChange(execution, status)


def _change(name: object, state: object, changed_at: object, reason: object) -> Occurrence:
    if not isinstance(name, str) or not name:
        return Foreign("the alarm message has no alarm name")
    if state not in tuple(AlarmState):
        return Foreign(f"the message of alarm {name} has the unknown state {state!r}")
    moment = _moment(changed_at)
    if moment is None:
        return Foreign(f"the message of alarm {name} has no readable time of change, got {changed_at!r}")
    return AlarmChange(name, AlarmState(str(state)), moment, _kept(reason) if isinstance(reason, str) else "")


def _kept(reason: str) -> str:
    return " ".join(reason.split())[:_REASON_MAX]


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None
