"""What the stacks do with labels, groups and attributions, and that they leave them alone where none are wanted."""

import json
from typing import Any

import pytest

from plumbline.contract.names import Metric, alarm_name
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind
from tests.unit.stacks.synthesis import (
    ENGINES,
    Assembly,
    alarm,
    as_list,
    champion,
    config,
    environment,
    full,
    own_schedule,
    statements,
    synthesize,
    text,
)

LABEL_VARIABLES = {
    "PLUMBLINE_LABELS_S3_URI",
    "PLUMBLINE_LABEL_LAG_HOURS",
    "PLUMBLINE_MINIMUM_LABELLED_FRACTION",
    "PLUMBLINE_MERGED_S3_URI",
}
OF_LABELS = {AlarmKind.QUALITY, AlarmKind.CONCEPT_SHIFT, AlarmKind.LABELS_MISSING}


def variables(assembly: Assembly) -> dict[str, str]:
    """Return the job's environment on either engine."""
    if not assembly.resources("monitoring", "AWS::SageMaker::MonitoringSchedule"):
        found: dict[str, str] = json.loads(text(own_schedule(assembly)["Target"]["Input"]))["Environment"]
        return found
    schedule = assembly.only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    return {name: text(value) for name, value in job["Environment"].items()}


def without(section: str) -> EnvironmentConfig:
    """Return dev without one of its optional sections."""
    return config().model_copy(update={section: None})


def kinds(assembly: Assembly, name: str = "dev") -> set[AlarmKind]:
    alarms = assembly.resources("monitoring", "AWS::CloudWatch::Alarm").values()
    names = {alarm_name(name, kind): kind for kind in AlarmKind}
    return {names[entry["Properties"]["AlarmName"]] for entry in alarms}


def drawn(assembly: Assembly) -> list[dict[str, Any]]:
    """Return the dashboard's widgets."""
    body = text(assembly.only("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"])
    widgets: list[dict[str, Any]] = json.loads(body)["widgets"]
    return [widget["properties"] for widget in widgets]


def metrics_of(widget: dict[str, Any]) -> set[str]:
    return {entry[1] for entry in widget.get("metrics", []) if isinstance(entry[0], str)}


def allowed(assembly: Assembly, action: str) -> set[str]:
    """Return what the monitoring role may do `action` on, buckets' names left out."""
    return {
        text(arn).split(">", 1)[1]
        for entry in statements(assembly, "monitoring", "MonitoringRole")
        if action in as_list(entry["Action"])
        for arn in as_list(entry["Resource"])
    }


# Labels


@pytest.mark.parametrize("engine", ENGINES)
def test_job_is_told_where_labels_arrive_and_how_long_to_wait(engine: str) -> None:
    found = variables(environment("prod", engine))
    assert found["PLUMBLINE_LABELS_S3_URI"].endswith(">/ground-truth/plumbline-prod")
    assert found["PLUMBLINE_MERGED_S3_URI"].endswith(">/merged")
    assert found["PLUMBLINE_LABEL_LAG_HOURS"] == "72"
    assert variables(full(engine))["PLUMBLINE_MINIMUM_LABELLED_FRACTION"] == "0.6"
    assert found["PLUMBLINE_CAPTURE_S3_URI"].endswith(">/capture/plumbline-prod")
    buckets = {found[f"PLUMBLINE_{name}_S3_URI"].split("/")[2] for name in ("LABELS", "MERGED", "CAPTURE")}
    assert len(buckets) == 1
    assert "CaptureBucket" in buckets.pop()


@pytest.mark.parametrize("engine", ENGINES)
def test_job_without_labels_hears_nothing_of_them(engine: str) -> None:
    found = variables(environment("staging", engine))
    assert not LABEL_VARIABLES & set(found)
    assert ("PLUMBLINE_CAPTURE_S3_URI" in found) == (engine == "scheduler")


def test_monitor_reads_this_endpoints_labels_and_writes_what_it_joined_them_with() -> None:
    assert {"/ground-truth/plumbline-dev/*", "/merged/plumbline-dev/*"} <= allowed(environment(), "s3:GetObject")
    assert allowed(environment(), "s3:PutObject") == {
        "/merged/plumbline-dev/*",
        "/reports/plumbline-dev/plumbline-dev-monitor/*",
    }
    listed = [
        prefix
        for entry in statements(environment(), "monitoring", "MonitoringRole")
        if entry["Action"] == "s3:ListBucket" and "Capture" in text(entry["Resource"])
        for prefix in entry["Condition"]["StringLike"]["s3:prefix"]
    ]
    assert {"ground-truth/plumbline-dev/*", "merged/plumbline-dev/*"} <= set(listed)


def test_monitor_may_delete_nothing() -> None:
    actions = {
        action
        for entry in statements(full(), "monitoring", "MonitoringRole")
        for action in as_list(entry["Action"])
        if action.startswith("s3:")
    }
    assert actions == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}


def test_monitor_may_encrypt_what_it_writes_beside_the_captures() -> None:
    (keys,) = [
        entry
        for entry in statements(environment(), "monitoring", "MonitoringRole")
        if "kms:GenerateDataKey" in as_list(entry["Action"])
    ]
    assert "DataKey" in text(keys["Resource"])


def test_monitor_without_labels_touches_nothing_beside_captures_and_reports() -> None:
    granted = json.dumps(statements(synthesize(without("labels")), "monitoring", "MonitoringRole"))
    assert "capture/plumbline-dev" in granted
    assert "ground-truth" not in granted
    assert "merged" not in granted


def test_alarms_on_labels_exist_only_where_labels_are_awaited() -> None:
    assert kinds(synthesize(without("labels"))) == set(AlarmKind) - OF_LABELS


@pytest.mark.parametrize("kind", [AlarmKind.ACCURACY, AlarmKind.QUALITY, AlarmKind.CONCEPT_SHIFT, AlarmKind.BIAS])
def test_alarm_on_a_verdict_needs_m_of_n_windows_as_drift_does(kind: AlarmKind) -> None:
    found = alarm(kind, "prod")
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"], found["Period"]) == (2, 3, 3600)
    assert (found["Statistic"], found["ComparisonOperator"], found["Threshold"]) == (
        "Maximum",
        "GreaterThanOrEqualToThreshold",
        1,
    )


def test_missing_labels_are_a_coverage_below_the_bound() -> None:
    found = alarm(AlarmKind.LABELS_MISSING, "prod")
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"]) == (2, 3)
    assert (found["Statistic"], found["ComparisonOperator"], found["Threshold"]) == (
        "Minimum",
        "LessThanThreshold",
        0.5,
    )
    assert "within 72 hours" in found["AlarmDescription"]
    thresholds = {
        entry["Properties"]["Threshold"]
        for entry in full().resources("monitoring", "AWS::CloudWatch::Alarm").values()
        if entry["Properties"]["MetricName"] == Metric.LABELLED_FRACTION
    }
    assert thresholds == {0.6}


def test_output_says_where_labels_go_and_only_where_they_are_awaited() -> None:
    outputs = environment().templates["foundation"]["Outputs"]
    told, used = text(outputs["GroundTruthUri"]["Value"]), variables(environment())["PLUMBLINE_LABELS_S3_URI"]
    assert told.startswith("s3://<CaptureBucket")
    assert told.split("/", 3)[3] == used.split("/", 3)[3] == "ground-truth/plumbline-dev"
    assert "GroundTruthUri" not in environment("staging").templates["foundation"]["Outputs"]


def test_one_graph_holds_projected_and_realised_accuracy() -> None:
    (graph,) = [widget for widget in drawn(environment()) if Metric.REALISED_ACCURACY in metrics_of(widget)]
    assert metrics_of(graph) == {
        Metric.PROJECTED_ACCURACY,
        Metric.PROJECTED_ACCURACY_LOWER,
        Metric.PROJECTED_ACCURACY_UPPER,
        Metric.REALISED_ACCURACY,
    }


def test_graph_of_the_coverage_shows_from_where_on_quality_is_judged() -> None:
    (graph,) = [widget for widget in drawn(full()) if Metric.LABELLED_FRACTION in metrics_of(widget)]
    assert [line["value"] for line in graph["annotations"]["horizontal"]] == [0.6]


def test_dashboard_draws_what_the_monitor_measures_and_no_more() -> None:
    everything = set().union(*map(metrics_of, drawn(environment())))
    # The features' scores come by search.
    assert everything & set(Metric) == set(Metric) - {Metric.FEATURE_DRIFT_SCORE}
    plain = set().union(*map(metrics_of, drawn(environment("staging"))))
    assert everything - plain == {
        Metric.ATTRIBUTION_NDCG,
        Metric.REALISED_ACCURACY,
        Metric.REALISED_ACCURACY_DROP,
        Metric.CONCEPT_SHIFT_VERDICT,
        Metric.LABEL_SHIFT_VERDICT,
        Metric.LABELLED_FRACTION,
        Metric.LABELS_REJECTED,
        Metric.BIAS_VERDICT,
    }


# Bias


def test_job_is_told_the_facet_and_a_tolerance_that_the_file_names() -> None:
    assert variables(environment())["PLUMBLINE_FACET"] == "sex"
    assert "PLUMBLINE_BIAS_THRESHOLD" not in variables(environment())
    assert variables(full())["PLUMBLINE_BIAS_THRESHOLD"] == "0.1"
    assert not {"PLUMBLINE_FACET", "PLUMBLINE_BIAS_THRESHOLD"} & set(variables(environment("staging")))


def test_alarm_on_bias_exists_only_with_a_facet() -> None:
    assert kinds(synthesize(without("bias"))) == set(AlarmKind) - {AlarmKind.BIAS}


# Attribution


def test_job_gets_the_model_that_serves_and_may_read_it() -> None:
    uri = variables(environment())["PLUMBLINE_MODEL_S3_URI"]
    assert uri.replace("<", "").replace(">", "") == champion(environment(), "artifact").replace("<", "").replace(
        ">", ""
    )
    assert {f"/{uri.rsplit('/', 1)[1]}", "/models/*"} <= allowed(environment(), "s3:GetObject")


def test_model_in_s3_is_read_alone() -> None:
    assert variables(full())["PLUMBLINE_MODEL_S3_URI"] == "s3://models/census/model.tar.gz"
    readable = [
        text(arn)
        for entry in statements(full(), "monitoring", "MonitoringRole")
        if "s3:GetObject" in as_list(entry["Action"])
        for arn in as_list(entry["Resource"])
    ]
    assert "arn:aws:s3:::models/census/model.tar.gz" in readable


def test_monitor_without_attributions_does_not_touch_the_model() -> None:
    served = champion(environment("staging"), "artifact", "staging")
    assert "PLUMBLINE_MODEL_S3_URI" not in variables(environment("staging"))
    granted = json.dumps(statements(environment("staging"), "monitoring", "MonitoringRole"))
    assert served.rsplit("/", 1)[1] not in granted
    assert "/models/" not in granted
