"""Messages of an alarm that changes state: the SNS notification and the EventBridge event."""

import json
from datetime import UTC, datetime
from typing import Any, Final

REGION_NAMES: Final = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "EU (Ireland)",
    "eu-central-1": "EU (Frankfurt)",
}
"""The notification carries the Region's display name; a Region without one here keeps its code."""

Alarm = dict[str, Any]


def timestamp(seconds: float) -> str:
    """Return a time as CloudWatch writes it, for example ``2026-01-01T05:00:00.000+0000``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def notification(alarm: Alarm, old_state: str, account: str, region: str, now: float) -> dict[str, Any]:
    """Return the message that an alarm publishes to a topic.

    Parameters
    ----------
    alarm
        The alarm in its new state.
    """
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.get("AlarmConfigurationUpdatedTimestamp", now)),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": timestamp(now),
        "Region": REGION_NAMES.get(region, region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old_state,
        "OKActions": alarm.get("OKActions", []),
        "AlarmActions": alarm.get("AlarmActions", []),
        "InsufficientDataActions": alarm.get("InsufficientDataActions", []),
        "Trigger": _trigger(alarm),
    }


def _trigger(alarm: Alarm) -> dict[str, Any]:
    return {
        "MetricName": alarm.get("MetricName"),
        "Namespace": alarm.get("Namespace"),
        "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
        "Statistic": (alarm.get("Statistic") or "").upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"value": item["Value"], "name": item["Name"]} for item in alarm.get("Dimensions") or []],
        "Period": alarm.get("Period"),
        "EvaluationPeriods": alarm.get("EvaluationPeriods"),
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods"),
        "ComparisonOperator": alarm.get("ComparisonOperator"),
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": "",
    }


def event_detail(alarm: Alarm, previous: Alarm, now: float) -> dict[str, Any]:
    """Return the detail of the event ``CloudWatch Alarm State Change``.

    Parameters
    ----------
    alarm, previous
        The alarm in its new state, and the state members that it had before.
    """
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm.get("MetricName"),
        "dimensions": {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or []},
    }
    stat = {"metric": metric, "period": alarm.get("Period"), "stat": alarm.get("Statistic")}
    return {
        "alarmName": alarm["AlarmName"],
        "state": _state(alarm, now),
        "previousState": _state(previous, previous["StateUpdatedTimestamp"]),
        "configuration": {
            "description": alarm.get("AlarmDescription") or None,
            "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}],
        },
    }


def _state(alarm: Alarm, at: float) -> dict[str, Any]:
    reason = alarm["StateReason"]
    data = json.dumps({"version": "1.0", "queryDate": timestamp(at)})
    return {"value": alarm["StateValue"], "reason": reason, "reasonData": data, "timestamp": timestamp(at)}
