import pytest

from local.aws.alarm_watch import AlarmWatch
from local.aws.clock import Clock
from local.aws.service_metrics import QueueMetrics


def test_failure_is_told_and_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: QueueMetrics) -> None:
        raise KeyError("visible_at")

    monkeypatch.setattr(QueueMetrics, "publish", fail)

    AlarmWatch(Clock()).publish_and_evaluate()

    assert "alarms could not be evaluated" in caplog.text
    assert "visible_at" in caplog.text
