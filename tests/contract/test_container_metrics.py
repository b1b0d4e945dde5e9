"""What the container publishes is what the contract names."""

from plumbline.contract.names import Dimension, Metric
from plumbline.drift.report.metrics import of_failure, of_report
from tests.unit.drift.reports import NOT_JUDGED, REPORT


def test_a_judged_window_publishes_every_metric_of_the_contract() -> None:
    assert {entry.metric for entry in of_report(REPORT)} == set(Metric)


def test_the_drift_alarms_metric_has_the_endpoint_as_its_only_dimension() -> None:
    (verdict,) = [entry for entry in of_report(REPORT) if entry.metric is Metric.DRIFT_VERDICT]
    assert [name for name, _ in verdict.dimensions] == [Dimension.ENDPOINT]


def test_only_the_features_score_has_a_second_dimension() -> None:
    wide = {entry.metric for entry in of_report(REPORT) if len(entry.dimensions) > 1}
    assert wide == {Metric.FEATURE_DRIFT_SCORE}


def test_the_heartbeat_beats_with_every_report_and_only_then() -> None:
    for report in (REPORT, NOT_JUDGED):
        beats = [entry.value for entry in of_report(report) if entry.metric is Metric.MONITOR_RUNS]
        assert beats == [1]
    assert [(entry.metric, entry.value) for entry in of_failure("e")] == [(Metric.MONITOR_FAILURES, 1)]
