import json

from plumbline.local.aws.cloudwatch import alarm_messages

# 2026-01-01T05:00:00Z, by `date -u -d 2026-01-01T05:00:00Z +%s`
NOW = 1767243600.25

ALARM = {
    "AlarmName": "plumbline-dev-drift",
    "AlarmArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:plumbline-dev-drift",
    "AlarmDescription": "",
    "StateValue": "ALARM",
    "StateReason": "Threshold Crossed",
    "StateUpdatedTimestamp": NOW,
    "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:t"],
    "MetricName": "DriftVerdict",
    "Namespace": "Plumbline",
    "Statistic": "Maximum",
    "Dimensions": [{"Name": "Endpoint", "Value": "e"}],
    "Period": 3600,
    "EvaluationPeriods": 2,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1.0,
    "TreatMissingData": "ignore",
}
PREVIOUS = {"StateValue": "OK", "StateReason": "fine", "StateUpdatedTimestamp": NOW - 3600}


def test_timestamp_has_milliseconds_and_a_numeric_offset() -> None:
    assert alarm_messages.timestamp(NOW) == "2026-01-01T05:00:00.250+0000"


def test_notification_spells_dimensions_in_lower_case() -> None:
    message = alarm_messages.notification(ALARM, "OK", "000000000000", "us-east-1", NOW)
    assert message["Trigger"]["Dimensions"] == [{"value": "e", "name": "Endpoint"}]


def test_notification_carries_the_change() -> None:
    message = alarm_messages.notification(ALARM, "OK", "000000000000", "us-east-1", NOW)
    assert (message["OldStateValue"], message["NewStateValue"], message["StateChangeTime"]) == (
        "OK",
        "ALARM",
        "2026-01-01T05:00:00.250+0000",
    )
    assert message["Region"] == "US East (N. Virginia)"
    assert message["AlarmDescription"] is None
    assert message["Trigger"]["Statistic"] == "MAXIMUM"
    assert message["Trigger"]["DatapointsToAlarm"] == 2


def test_event_has_dimensions_as_a_map_and_reason_data_as_text() -> None:
    detail = alarm_messages.event_detail(ALARM, PREVIOUS, NOW)
    assert detail["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"] == {"Endpoint": "e"}
    assert detail["previousState"]["value"] == "OK"
    assert json.loads(detail["state"]["reasonData"])["version"] == "1.0"
