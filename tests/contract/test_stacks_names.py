"""What the stacks set is what container and Lambda read: names, arguments, variables, metrics."""

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from drift.policy import MINIMUM_COVERAGE, FeaturePolicy, Policy
from drift.policy_file import read_policy
from retraining.alarm_event import AlarmChange, AlarmState
from retraining.decision import Action, admit
from retraining.settings import Settings

from contract.names import (
    METRIC_NAMESPACE,
    AlarmKind,
    Dimension,
    Metric,
    MonitorVariable,
    RetrainingVariable,
    Variable,
    alarm_name,
    report_prefix,
)
from contract.records import EffectMeasure
from stacks.config_labels import Labels
from stacks.config_thresholds import FeatureSettings, Thresholds
from stacks.constructs.drift_alarms import RUNBOOK
from stacks.constructs.failed_jobs_rule import RUNBOOK_ANCHOR
from stacks.constructs.policy_file import policy_text
from tests.unit.stacks.synthesis import ENVIRONMENTS, FULL, ROOT, as_list, config, environment, full, statement_of, text

CONFIGURATION = ROOT / "docs" / "configuration.md"
WATCHED = {
    AlarmKind.DRIFT: Metric.DRIFT_VERDICT,
    AlarmKind.MONITOR_MISSING: Metric.MONITOR_RUNS,
    AlarmKind.MONITOR_FAILED: Metric.MONITOR_FAILURES,
    AlarmKind.SCHEMA: Metric.SCHEMA_VIOLATIONS,
    AlarmKind.ACCURACY: Metric.ACCURACY_VERDICT,
    AlarmKind.QUALITY: Metric.QUALITY_VERDICT,
    AlarmKind.CONCEPT_SHIFT: Metric.CONCEPT_SHIFT_VERDICT,
    AlarmKind.LABELS_MISSING: Metric.LABEL_COVERAGE,
    AlarmKind.BIAS: Metric.BIAS_VERDICT,
}
STARTING = {AlarmKind.DRIFT, AlarmKind.QUALITY, AlarmKind.CONCEPT_SHIFT}


def function_variables(name: str = "dev") -> dict[str, str]:
    variables = environment(name).only("monitoring", "AWS::Lambda::Function")["Environment"]["Variables"]
    return {key: text(value) for key, value in variables.items()}


@pytest.mark.parametrize("kind", WATCHED)
def test_alarm_watches_the_metric_of_the_contract(kind: AlarmKind) -> None:
    alarms = environment().resources("monitoring", "AWS::CloudWatch::Alarm").values()
    (alarm,) = (a["Properties"] for a in alarms if a["Properties"]["AlarmName"] == alarm_name("dev", kind))
    assert (alarm["Namespace"], alarm["MetricName"]) == (METRIC_NAMESPACE, WATCHED[kind])
    assert alarm["Dimensions"] == [{"Name": Dimension.ENDPOINT, "Value": "plumbline-dev"}]


def test_every_kind_of_alarm_exists() -> None:
    assert len(environment().resources("monitoring", "AWS::CloudWatch::Alarm")) == len(AlarmKind)


def test_monitor_may_publish_to_the_namespace_that_the_alarms_watch() -> None:
    publish = statement_of(environment(), "monitoring", "MonitoringRole", "cloudwatch:PutMetricData")
    assert METRIC_NAMESPACE in publish["Condition"]["StringLike"]["cloudwatch:namespace"]


def test_function_gets_every_variable_of_the_contract_and_no_other() -> None:
    assert set(function_variables()) == set(RetrainingVariable)


@pytest.mark.parametrize("kind", AlarmKind)
def test_only_drift_quality_and_concept_shift_start_a_training_job(kind: AlarmKind) -> None:
    settings = Settings.from_environment(function_variables() | {"AWS_REGION": "us-east-1"})
    change = AlarmChange(alarm_name("dev", kind), AlarmState.ALARM, datetime(2026, 1, 1, tzinfo=UTC), "")
    decision = admit(change, settings.rule)
    assert decision.action is (Action.START if kind in STARTING else Action.SKIPPED)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_function_reads_its_settings_from_what_the_stack_sets(name: str) -> None:
    settings = Settings.from_environment(function_variables(name) | {"AWS_REGION": "us-east-1"})
    starting = {AlarmKind.DRIFT} if name == "staging" else STARTING
    assert set(settings.alarm_names) == {alarm_name(name, kind) for kind in starting}
    assert settings.cooldown.total_seconds() == 24 * 3600
    start = statement_of(environment(name), "monitoring", "RetrainingRole", "sagemaker:CreateTrainingJob")
    assert text(start["Resource"]).endswith(f"/{settings.job_prefix}-*")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_function_hears_of_alarms_that_exist(name: str) -> None:
    alarms = environment(name).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    settings = Settings.from_environment(function_variables(name) | {"AWS_REGION": "us-east-1"})
    assert set(settings.alarm_names) <= {entry["Properties"]["AlarmName"] for entry in alarms}


def test_training_role_accepts_the_functions_jobs() -> None:
    settings = Settings.from_environment(function_variables() | {"AWS_REGION": "us-east-1"})
    ((_, role),) = environment().resources("foundation", "AWS::IAM::Role").items()
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (pattern,) = (text(arn).rsplit("/", 1)[1] for arn in trust["Condition"]["ArnLike"]["aws:SourceArn"])
    assert f"{settings.job_prefix}-20260101-000000-01234567".startswith(pattern.rstrip("*"))


def test_bias_tolerance_is_the_containers_own_unless_the_file_names_one() -> None:
    (row,) = re.findall(r"^\| `bias\.tolerance` \|.*absent: ([\d.]+)", CONFIGURATION.read_text(), re.MULTILINE)
    assert float(row) == Policy().bias_tolerance


def test_label_coverage_is_the_containers_own_unless_the_file_names_one() -> None:
    assert Labels(lag_hours=1).minimum_coverage == MINIMUM_COVERAGE


def test_job_gets_the_thresholds_that_the_container_would_take_by_itself_in_dev() -> None:
    policy = Policy()
    assert {name: getattr(policy, name) for name in Thresholds.model_fields} == config().thresholds.model_dump()


def test_container_reads_the_policy_file_that_the_stack_writes(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(policy_text(config(**FULL).features))
    assert read_policy(file, Policy()).features == {
        "age": FeaturePolicy(
            alpha=0.01, effect_measure=EffectMeasure.WASSERSTEIN_DISTANCE, effect_threshold=0.5, critical=True
        ),
        "fnlwgt": FeaturePolicy(ignore=True),
    }


def test_a_feature_may_have_in_the_file_what_the_container_knows_of_one() -> None:
    assert set(FeatureSettings.model_fields) == {field.name for field in dataclasses.fields(FeaturePolicy)}


def test_both_engines_set_variables_of_the_contract_only() -> None:
    known = {*Variable, *MonitorVariable, "AWS_DEFAULT_REGION"}
    schedule = full().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    target = full("scheduler").only("monitoring", "AWS::Scheduler::Schedule")["Target"]
    named = set(re.findall(r'"((?:PLUMBLINE_|sagemaker_|dataset_|output_path|publish_)\w*)":', text(target["Input"])))
    assert set(job["Environment"]) <= known
    assert set(job["Environment"]) - {"AWS_DEFAULT_REGION"} <= named <= known
    # Never set by a stack: the window's times are the platform's, the root is the laptop's. A Spark master excludes
    # other settings.
    assert known - named == {
        MonitorVariable.START_TIME,
        MonitorVariable.END_TIME,
        Variable.ML_ROOT,
        Variable.SPARK_MASTER,
        "AWS_DEFAULT_REGION",
    }


def test_reports_of_both_layouts_are_inside_what_the_monitor_may_write() -> None:
    key = report_prefix("plumbline-dev", "plumbline-dev-monitor", "2026/01/02/03")
    write = statement_of(environment(), "monitoring", "MonitoringRole", "s3:PutObject")
    writable = [text(arn).split(">", 1)[1].rstrip("*") for arn in as_list(write["Resource"])]
    assert [prefix for prefix in writable if f"/reports/{key}/drift_report.json".startswith(prefix)]


def test_dashboard_searches_the_dimensions_of_the_feature_scores() -> None:
    body = text(environment().only("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"])
    assert f"{{{METRIC_NAMESPACE},{Dimension.ENDPOINT},{Dimension.FEATURE}}}" in body
    assert Metric.FEATURE_DRIFT_SCORE in body


def test_runbook_has_the_anchors_that_alerts_point_to() -> None:
    anchors = {f"{RUNBOOK}#{kind}" for kind in AlarmKind} | {RUNBOOK_ANCHOR}
    titles = re.findall(r"^#+ (.+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE)
    assert anchors <= {f"{RUNBOOK}#{title.lower().replace(' ', '-')}" for title in titles}


def test_vpc_reaches_the_functions_settings() -> None:
    variables = full().only("monitoring", "AWS::Lambda::Function")["Environment"]["Variables"]
    settings = Settings.from_environment({k: text(v) for k, v in variables.items()} | {"AWS_REGION": "us-east-1"})
    assert (settings.subnet_ids, settings.security_group_ids) == (
        ("subnet-0a000000", "subnet-0b000000"),
        ("sg-0c000000",),
    )
    assert Path(settings.source_s3_uri).suffixes == [".tar", ".gz"]
