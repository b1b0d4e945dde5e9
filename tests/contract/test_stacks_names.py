"""What the stacks set is what container and Lambda read: names, arguments, variables, metrics."""

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plumbline.contract.names import (
    METRIC_NAMESPACE,
    Dimension,
    Metric,
    MonitorVariable,
    Variable,
    alarm_name,
    report_prefix,
)
from plumbline.contract.records import EffectMeasure
from plumbline.contract.retraining import LoopVariable, PipelineStep
from plumbline.contract.statistics import ColumnType
from plumbline.contract.thresholds import THRESHOLDS, Threshold
from plumbline.drift.settings.environment import Variables
from plumbline.drift.settings.policy import FeaturePolicy, Policy
from plumbline.drift.settings.policy_file import read_policy
from plumbline.functions.promotion.settings import PromotionSettings
from plumbline.functions.retraining.events import AlarmChange, AlarmState
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.retraining.triggers import no_trigger
from plumbline.functions.shared.state_store import ID
from plumbline.stacks.config.thresholds import (
    BiasSection,
    FeatureSection,
    LabelsSection,
    TableSection,
    ThresholdsSection,
)
from plumbline.stacks.constructs.alarms.alarm_rules import RUNBOOK, AlarmKind
from plumbline.stacks.constructs.alarms.alert_topic import RUNBOOK_ANCHOR
from plumbline.stacks.constructs.monitor.monitor_job import policy_text
from tests.unit.stacks.synthesis import (
    ENVIRONMENTS,
    FULL,
    ROOT,
    as_list,
    config,
    environment,
    full,
    function,
    own_schedule,
    statement_of,
    step,
    text,
)

CONFIGURATION = ROOT / "docs" / "configuration.md"
STARTING = {AlarmKind.QUALITY, AlarmKind.ACCURACY, AlarmKind.CONCEPT_SHIFT}


def function_variables(package: str, name: str = "dev") -> dict[str, str]:
    """Return what the function finds in its environment."""
    variables = function(environment(name), package)["Environment"]["Variables"]
    return {key: text(value) for key, value in variables.items()} | {"AWS_REGION": "us-east-1"}


def test_monitor_may_publish_to_the_namespace_that_the_alarms_watch() -> None:
    publish = statement_of(environment(), "monitoring", "MonitoringRole", "cloudwatch:PutMetricData")
    assert METRIC_NAMESPACE in publish["Condition"]["StringLike"]["cloudwatch:namespace"]


def test_functions_get_every_variable_of_the_contract_and_no_other() -> None:
    given = [set(function_variables(package, "prod")) - {"AWS_REGION"} for package in ("retraining", "promotion")]
    assert given[0] | given[1] == set(LoopVariable)


@pytest.mark.parametrize("kind", AlarmKind)
def test_only_quality_projected_accuracy_and_concept_shift_start_retraining(kind: AlarmKind) -> None:
    settings = RetrainingSettings.from_environment(function_variables("retraining"))
    change = AlarmChange(alarm_name("dev", kind), AlarmState.ALARM, datetime(2026, 1, 1, tzinfo=UTC), "")
    assert (no_trigger(change, settings.policy.alarm_names) is None) == (kind in STARTING)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_controller_reads_its_settings_from_what_the_stack_sets(name: str) -> None:
    settings, written = (
        RetrainingSettings.from_environment(function_variables("retraining", name)),
        config(name).retraining,
    )
    starting = {AlarmKind.ACCURACY} if name == "staging" else STARTING
    assert set(settings.policy.alarm_names) == {alarm_name(name, kind) for kind in starting}
    assert settings.policy.cooldown.total_seconds() == written.cooldown_hours * 3600
    assert settings.policy.fresh_period.total_seconds() == written.fresh_hours * 3600
    assert settings.policy.runs_per_day == written.runs_per_day
    assert settings.policy.min_fresh_rows == written.minimum_fresh_rows
    assert settings.policy.rules == config(name).retraining_rules
    start = statement_of(environment(name), "monitoring", "RetrainingController", "sagemaker:StartPipelineExecution")
    assert text(start["Resource"]) == settings.pipeline_arn


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_promotion_reads_its_settings_from_what_the_stack_sets(name: str) -> None:
    settings, written = PromotionSettings.from_environment(function_variables("promotion", name)), config(name)
    assert settings.rollout.canary_percent == written.promotion.canary_percent
    assert settings.rollout.wait_seconds == written.promotion.bake_minutes * 60
    made = statement_of(environment(name), "monitoring", "RetrainingPromotion", "sagemaker:CreateModel")
    assert text(made["Resource"]).endswith(f":model/{settings.prefix}-*")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_functions_name_alarms_that_exist(name: str) -> None:
    alarms = environment(name).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    triggers = RetrainingSettings.from_environment(function_variables("retraining", name)).policy.alarm_names
    guards = PromotionSettings.from_environment(function_variables("promotion", name)).rollout.alarm_names
    assert {*triggers, *guards} <= {entry["Properties"]["AlarmName"] for entry in alarms}
    assert not set(triggers) & set(guards)


def test_table_has_the_key_that_the_functions_ask_by() -> None:
    (key,) = environment().only("monitoring", "AWS::DynamoDB::Table")["KeySchema"]
    assert key["AttributeName"] == ID


def test_roles_accept_the_jobs_of_the_pipeline() -> None:
    """SageMaker adds the execution and more behind the name that the definition gives."""
    for part, role, name in (
        ("foundation", "TrainingRole", step(environment(), PipelineStep.TRAIN)["TrainingJobName"]),
        ("monitoring", "RetrainingPipelineJobRole", step(environment(), PipelineStep.PREPARE)["ProcessingJobName"]),
    ):
        roles = environment().resources(part, "AWS::IAM::Role").items()
        (found,) = (entry["Properties"] for key, entry in roles if key.startswith(role))
        (trust,) = found["AssumeRolePolicyDocument"]["Statement"]
        patterns = [text(arn).rsplit("/", 1)[1] for arn in trust["Condition"]["ArnLike"]["aws:SourceArn"]]
        assert any(f"{name}-abcdefghijkl-0123456789".startswith(pattern.rstrip("*")) for pattern in patterns)


def test_every_threshold_is_a_key_of_the_environment_file_with_the_containers_default() -> None:
    sections = {
        "thresholds": ThresholdsSection(),
        "labels": LabelsSection(lag_hours=1),
        "bias": BiasSection(facet="sex"),
    }
    policy = Policy()
    for row in THRESHOLDS:
        value = getattr(sections[row.section], row.key)
        if row.name == "effect_threshold":  # by measure, which the container resolves
            assert value is None
        else:
            assert value == getattr(policy, row.name), row.name


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.name)
def test_container_reads_the_variable_that_the_stack_sets(row: Threshold) -> None:
    value = row.kind(row.choices[-1]) if row.choices else 7 if row.kind is int else 0.7
    settings = config(**{row.section: {row.key: value}})
    section: TableSection = getattr(settings, row.section)
    assert set(section.variables()) == {row.variable}
    assert Variables(section.variables()).thresholds() == {row.name: value}


def test_container_reads_the_policy_file_that_the_stack_writes(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(policy_text(config(**FULL).features))
    assert read_policy(file, Policy()).features == {
        "age": FeaturePolicy(
            alpha=0.01, effect_measure=EffectMeasure.WASSERSTEIN_DISTANCE, effect_threshold=0.5, critical=True
        ),
        "fnlwgt": FeaturePolicy(ignore=True),
        "education-num": FeaturePolicy(type=ColumnType.ID),
    }


def test_a_feature_may_have_in_the_file_what_the_container_knows_of_one() -> None:
    assert set(FeatureSection.model_fields) == {field.name for field in dataclasses.fields(FeaturePolicy)}


def test_both_engines_set_variables_of_the_contract_only() -> None:
    known = {*Variable, *MonitorVariable, "AWS_DEFAULT_REGION"}
    thresholds = {row.variable for row in THRESHOLDS}
    schedule = full().only("monitoring", "AWS::SageMaker::MonitoringSchedule")
    job = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinition"]
    target = own_schedule(full("scheduler"))["Target"]
    named = set(re.findall(r'"((?:PLUMBLINE_|sagemaker_|dataset_|output_path|publish_)\w*)":', text(target["Input"])))
    named -= thresholds
    assert set(job["Environment"]) <= known | thresholds
    assert set(job["Environment"]) - {"AWS_DEFAULT_REGION"} - thresholds <= named <= known
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
