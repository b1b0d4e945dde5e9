"""Builders of events as AWS sends them, and the function's environment."""

import json
from datetime import UTC, datetime, timedelta

from plumbline.contract.retraining import LoopVariable
from plumbline.functions.retraining.events import AlarmChange, AlarmState

ALARM = "plumbline-dev-drift"
QUALITY_ALARM = "plumbline-dev-quality"
CHANGED_AT = "2026-03-01T05:20:12.345+0000"


def alarm_message(**changes: object) -> dict[str, object]:
    """Return the message CloudWatch puts into SNS, as recorded in the CloudWatch User Guide's example."""
    message: dict[str, object] = {
        "AlarmName": ALARM,
        "AlarmDescription": None,
        "AWSAccountId": "000000000000",
        "AlarmConfigurationUpdatedTimestamp": "2026-02-28T09:00:00.000+0000",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [1.0] was greater than or equal to 1.0",
        "StateChangeTime": CHANGED_AT,
        "Region": "EU (Frankfurt)",
        "AlarmArn": f"arn:aws:cloudwatch:eu-central-1:000000000000:alarm:{ALARM}",
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "DriftVerdict", "Namespace": "Plumbline", "Dimensions": []},
    }
    return message | changes


def sns_event(message: object) -> dict[str, object]:
    """Return the event Lambda gets for one SNS message."""
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification", "Message": text}}]
    }


def change(
    name: str = ALARM, *, hours: float = 0, state: AlarmState = AlarmState.ALARM, reason: str = "Threshold Crossed"
) -> AlarmChange:
    """Return an alarm's change, so many hours after the first one."""
    return AlarmChange(name, state, datetime(2026, 3, 1, 5, 20, tzinfo=UTC) + timedelta(hours=hours), reason)


def environment() -> dict[str, str]:
    """Return the function's environment as the stack sets it."""
    return {
        "AWS_REGION": "eu-central-1",
        LoopVariable.ENVIRONMENT: "dev",
        LoopVariable.ENDPOINT_NAME: "plumbline-dev",
        LoopVariable.TOPIC_ARN: "arn:aws:sns:eu-central-1:000000000000:plumbline-dev-alerts",
        LoopVariable.STATE_TABLE: "plumbline-dev-loop",
        LoopVariable.ARTIFACTS_BUCKET: "artifacts",
        LoopVariable.CAPTURE_BUCKET: "capture",
        LoopVariable.PIPELINE_ARN: "arn:aws:sagemaker:eu-central-1:000000000000:pipeline/plumbline-dev-retraining",
        LoopVariable.TRIGGER_ALARM_NAMES: f"{ALARM},{QUALITY_ALARM}",
        LoopVariable.COOLDOWN_HOURS: "6",
        LoopVariable.RUNS_PER_DAY: "3",
        LoopVariable.FRESH_HOURS: "48",
        LoopVariable.MINIMUM_FRESH_ROWS: "500",
        LoopVariable.RETRAINING_RULES: "0123456789abcdef",
    }
