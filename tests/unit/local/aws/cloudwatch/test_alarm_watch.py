import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.cloudwatch.alarm_watch import AlarmWatch
from plumbline.local.aws.cloudwatch.service_metrics import QueueMetrics


def test_failure_is_told_and_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: QueueMetrics) -> None:
        raise KeyError("visible_at")

    monkeypatch.setattr(QueueMetrics, "publish", fail)

    AlarmWatch(Clock()).publish_and_evaluate()

    assert "alarms could not be evaluated" in caplog.text
    assert "visible_at" in caplog.text
