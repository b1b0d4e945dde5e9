import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoRegionError

from plumbline.contract.names import Dimension, Metric
from plumbline.contract.quality import QualityReport
from plumbline.contract.reasons import ReasonCode
from plumbline.contract.records import InternalFault, ProjectedAccuracy, RecordCounts, Verdict
from plumbline.drift.aws import Clients, cloudwatch_client
from plumbline.drift.errors import PublishError
from plumbline.drift.report.handover import report_failure, report_success
from plumbline.drift.report.metrics import MetricValue, metrics_file, of_failure, of_report, publish
from plumbline.drift.settings.platform import Platform
from tests.reports import because
from tests.unit.drift.reports import DRIFTED, NOT_JUDGED, REPORT

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
ENDPOINT = ((Dimension.ENDPOINT, "plumbline-dev"),)


class FakeCloudWatch:
    """Keeps what is put, or refuses it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.error = error

    def put_metric_data(self, **request: Any) -> None:
        if self.error:
            raise self.error
        self.requests.append(request)


def by_metric(measurements: Sequence[MetricValue]) -> Mapping[Metric, float]:
    return {entry.metric: entry.value for entry in measurements if entry.dimensions == ENDPOINT}


def test_a_broken_payload_is_no_reason_to_retrain() -> None:
    broken = replace(REPORT, reason=ReasonCode.COLUMNS_UNREADABLE.reason(names="age"))
    found = by_metric(of_report(broken))
    assert Metric.DRIFT_VERDICT not in found
    assert found[Metric.SCHEMA_VIOLATIONS] == 1
    assert found[Metric.WINDOWS_NOT_JUDGED] == 0


def test_a_drifted_window_in_numbers() -> None:
    assert by_metric(of_report(REPORT)) == {
        Metric.DRIFT_VERDICT: 1,
        Metric.DRIFTED_FEATURES: 1,
        Metric.PREDICTION_DRIFT_SCORE: 7,
        Metric.PROJECTED_ACCURACY: 0.8,
        Metric.PROJECTED_ACCURACY_LOWER: 0.75,
        Metric.PROJECTED_ACCURACY_UPPER: 0.85,
        Metric.MONITOR_RUNS: 1,
        Metric.MONITOR_FAILURES: 0,
        Metric.WINDOWS_WITHOUT_DATA: 0,
        Metric.WINDOWS_NOT_JUDGED: 0,
        Metric.INTERNAL_FAULTS: 0,
        Metric.RECORDS_READ: 300,
        Metric.RECORDS_REJECTED: 10,
        Metric.UNREADABLE_ANSWER_FRACTION: 0.1,
        Metric.REJECTED_FRACTION: 4 / 294,
        Metric.ROWS_USED: 290,
        Metric.SCHEMA_VIOLATIONS: 1,
        Metric.OVER_TIME_VERDICT: 0,
        Metric.DRIFTED_SEGMENTS: 1,
        Metric.MULTIVARIATE_AUC: 0.75,
        Metric.MULTIVARIATE_VERDICT: 1,
        Metric.ACCEPTED_FEATURES: 1,
        Metric.PROJECTIONS_NOT_JUDGED: 0,
        Metric.PROJECTED_ACCURACY_DROP: 1,
        Metric.LABEL_SHIFT_SUSPECTED: 1,
        Metric.REALISED_ACCURACY: 0.7,
        Metric.REALISED_ACCURACY_DROP: 1,
        Metric.CONCEPT_SHIFT_VERDICT: 1,
        Metric.LABEL_SHIFT_VERDICT: 0,
        Metric.LABELLED_FRACTION: 0.8,
        Metric.LABELS_REJECTED: 20,
        Metric.BIAS_VERDICT: 1,
        Metric.ATTRIBUTION_NDCG: 0.97,
    }


def test_faults_are_counted() -> None:
    faults = (InternalFault(name="age", text="ValueError: boom"), InternalFault(name="bias", text="MemoryError"))
    assert by_metric(of_report(replace(REPORT, internal_faults=faults)))[Metric.INTERNAL_FAULTS] == 2
    records = RecordCounts(5, 2, {"internal_fault": 3})
    assert by_metric(of_report(replace(REPORT, records=records)))[Metric.INTERNAL_FAULTS] == 3
    labels = replace(REPORT.quality, labels=RecordCounts(4, 0, {"internal_fault": 4}))
    assert by_metric(of_report(replace(REPORT, quality=labels)))[Metric.INTERNAL_FAULTS] == 4


@pytest.mark.parametrize(
    ("records", "fraction"),
    [
        (RecordCounts(10, 8, {"not_json": 2}), 0.2),
        (RecordCounts(20, 8, {"not_json": 2, "outside_window": 6, "other_variant": 2, "duplicate_event_id": 2}), 0.2),
        (RecordCounts(10, 0, {"not_json": 10}), 1.0),
        (RecordCounts(10, 10), 0.0),
        (RecordCounts(10, 0, {"outside_window": 10}), None),
        (RecordCounts(), None),
    ],
)
def test_the_rejected_fraction_is_that_of_the_windows_own_records(
    records: RecordCounts, fraction: float | None
) -> None:
    assert by_metric(of_report(replace(REPORT, records=records))).get(Metric.REJECTED_FRACTION) == fraction


def test_labels_that_are_not_awaited_publish_nothing() -> None:
    figures = by_metric(of_report(replace(REPORT, quality=QualityReport())))
    assert figures[Metric.BIAS_VERDICT] == 0
    assert not {
        Metric.REALISED_ACCURACY,
        Metric.REALISED_ACCURACY_DROP,
        Metric.CONCEPT_SHIFT_VERDICT,
        Metric.LABEL_SHIFT_VERDICT,
        Metric.LABELLED_FRACTION,
        Metric.LABELS_REJECTED,
    } & set(figures)


def test_awaited_labels_that_cannot_be_read_are_no_coverage() -> None:
    figures = by_metric(of_report(replace(REPORT, quality=QualityReport(reason=because("could not be read")))))
    assert figures[Metric.LABELLED_FRACTION] == 0
    assert Metric.REALISED_ACCURACY_DROP not in figures


def test_the_coverage_is_that_of_the_window_whose_time_for_labels_is_over() -> None:
    waiting = replace(REPORT.quality, windows=REPORT.quality.windows[1:])
    figures = by_metric(of_report(replace(REPORT, quality=waiting)))
    assert Metric.LABELLED_FRACTION not in figures
    assert Metric.REALISED_ACCURACY not in figures


def test_a_refused_projection_is_a_published_one() -> None:
    refused = ProjectedAccuracy(reason=because("nothing is known of the model there"))
    figures = by_metric(of_report(replace(REPORT, projected_accuracy=refused)))
    assert figures[Metric.PROJECTIONS_NOT_JUDGED] == 1
    assert not {Metric.PROJECTED_ACCURACY_DROP, Metric.PROJECTED_ACCURACY, Metric.LABEL_SHIFT_SUSPECTED} & set(figures)


def test_each_feature_has_its_score_under_its_own_dimension() -> None:
    scores = [entry for entry in of_report(REPORT) if entry.metric is Metric.FEATURE_DRIFT_SCORE]
    assert [(entry.value, dict(entry.dimensions)[Dimension.FEATURE]) for entry in scores] == [
        (1.5, "workclass"),
        (120.5, "hours"),
    ]
    assert all(entry.dimensions[0] == ENDPOINT[0] for entry in scores)


def test_a_window_that_was_not_judged_has_no_verdict_but_a_heartbeat() -> None:
    figures = by_metric(of_report(NOT_JUDGED))
    assert Metric.DRIFT_VERDICT not in figures
    assert Metric.DRIFTED_FEATURES not in figures
    assert Metric.PROJECTED_ACCURACY not in figures
    assert (figures[Metric.MONITOR_RUNS], figures[Metric.WINDOWS_NOT_JUDGED]) == (1, 1)
    unknown = {Metric.SCHEMA_VIOLATIONS, Metric.OVER_TIME_VERDICT, Metric.DRIFTED_SEGMENTS, Metric.MULTIVARIATE_AUC}
    assert not unknown & figures.keys()
    assert not [entry for entry in of_report(NOT_JUDGED) if entry.metric is Metric.FEATURE_DRIFT_SCORE]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (RecordCounts(), 1),
        (RecordCounts(6, 0, {"outside_window": 6}), 1),
        (RecordCounts(7, 0, {"outside_window": 6, "not_json": 1}), 0),
        (RecordCounts(1, 1, {}), 0),
    ],
)
def test_records_of_other_hours_are_no_data_of_this_window(records: RecordCounts, expected: float) -> None:
    figures = by_metric(of_report(replace(NOT_JUDGED, records=records)))
    assert figures[Metric.WINDOWS_WITHOUT_DATA] == expected


def test_a_payload_as_in_training_is_a_published_zero() -> None:
    assert by_metric(of_report(replace(REPORT, features=(DRIFTED,))))[Metric.SCHEMA_VIOLATIONS] == 0


def test_segments_that_were_all_not_judged_publish_no_count() -> None:
    assert Metric.DRIFTED_SEGMENTS not in by_metric(of_report(replace(REPORT, segments=REPORT.segments[2:])))


def test_no_drift_is_a_published_zero() -> None:
    assert by_metric(of_report(replace(REPORT, verdict=Verdict.NO_DRIFT)))[Metric.DRIFT_VERDICT] == 0


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_cloudwatch_refuses_is_dropped(number: float) -> None:
    report = replace(REPORT, features=(replace(DRIFTED, effects={"drift_score": number}),))
    assert not [entry for entry in of_report(report) if entry.metric is Metric.FEATURE_DRIFT_SCORE]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("länge", "l\\xe4nge"), (":a", "a"), ("a\tb", "a b"), ("x" * 2000, "x" * 1024), ("::", "_"), ("\t", "_")],
)
def test_a_feature_name_is_spelled_as_cloudwatch_accepts_it(name: str, expected: str) -> None:
    report = replace(REPORT, features=(replace(DRIFTED, name=name),))
    (score,) = [entry for entry in of_report(report) if entry.metric is Metric.FEATURE_DRIFT_SCORE]
    assert score.dimensions[1] == (Dimension.FEATURE, expected)


def test_the_metrics_file_is_one_object_per_line_with_exactly_one_value() -> None:
    lines = [json.loads(line) for line in metrics_file(of_report(REPORT), "2026-11-22T13:05:00Z").splitlines()]
    assert len(lines) == len(of_report(REPORT))
    assert lines[0] == {
        "MetricName": "DriftVerdict",
        "Timestamp": "2026-11-22T13:05:00Z",
        "Dimensions": [{"Name": "Endpoint", "Value": "plumbline-dev"}],
        "Value": 1.0,
    }
    assert not any("StatisticValues" in line for line in lines)


def test_publication_is_in_batches_without_timestamp() -> None:
    client = FakeCloudWatch()
    publish([MetricValue(Metric.ROWS_USED, float(number), ENDPOINT) for number in range(2500)], client)
    assert [len(request["MetricData"]) for request in client.requests] == [1000, 1000, 500]
    assert {request["Namespace"] for request in client.requests} == {"Plumbline"}
    assert client.requests[0]["MetricData"][7] == {
        "MetricName": "RowsUsed",
        "Dimensions": [{"Name": "Endpoint", "Value": "plumbline-dev"}],
        "Value": 7.0,
    }


def test_a_refusal_names_the_right_that_is_needed() -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutMetricData")
    with pytest.raises(PublishError, match="allow cloudwatch:PutMetricData for the namespace Plumbline"):
        publish(of_failure("e"), FakeCloudWatch(refusal))


def test_a_client_without_region_is_the_operators_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(PublishError, match="set AWS_REGION on the monitoring job"):
        cloudwatch_client(None)


def platform(root: Path, *, publishes: bool = True) -> Platform:
    return Platform(ml_root=root, endpoint="plumbline-dev", publish=publishes, region="eu-west-1")


def clients(cloudwatch: FakeCloudWatch) -> Clients:
    return Clients(s3=lambda: pytest.fail("no S3 here"), cloudwatch=lambda: cloudwatch)


def test_a_finished_run_leaves_message_file_and_metrics(tmp_path: Path) -> None:
    cloudwatch = FakeCloudWatch()
    report_success(platform(tmp_path), REPORT, now=NOW, clients=clients(cloudwatch))
    assert (tmp_path / "output" / "message").read_text().startswith("CompletedWithViolations: drift in hours")
    file = tmp_path / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl"
    assert '"Timestamp": "2026-11-22T13:05:00Z"' in file.read_text()
    assert len(cloudwatch.requests) == 1


def test_disabled_metrics_go_to_the_file_only(tmp_path: Path) -> None:
    cloudwatch = FakeCloudWatch()
    report_success(platform(tmp_path, publishes=False), REPORT, now=NOW, clients=clients(cloudwatch))
    assert cloudwatch.requests == []
    assert (tmp_path / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl").exists()


def test_a_platform_folder_that_cannot_be_written_does_not_stop_the_metrics(tmp_path: Path) -> None:
    (tmp_path / "output").touch()
    cloudwatch = FakeCloudWatch()
    report_success(platform(tmp_path), REPORT, now=NOW, clients=clients(cloudwatch))
    assert len(cloudwatch.requests) == 1


def test_metrics_that_are_not_taken_fail_the_run(tmp_path: Path) -> None:
    with pytest.raises(PublishError):
        report_success(platform(tmp_path), REPORT, now=NOW, clients=clients(FakeCloudWatch(NoRegionError())))


def test_a_failed_run_says_so_and_publishes_it(tmp_path: Path) -> None:
    cloudwatch = FakeCloudWatch()
    report_failure(platform(tmp_path), "a file\nis missing", now=NOW, clients=clients(cloudwatch))
    assert (tmp_path / "output" / "message").read_text() == "Failed: a file is missing"
    (request,) = cloudwatch.requests
    assert [(entry["MetricName"], entry["Value"]) for entry in request["MetricData"]] == [("MonitorFailures", 1.0)]


def test_a_failure_that_cannot_be_published_is_still_written(tmp_path: Path) -> None:
    report_failure(platform(tmp_path), "x", now=NOW, clients=clients(FakeCloudWatch(NoRegionError())))
    assert (tmp_path / "output" / "message").read_text() == "Failed: x"
