"""Each alarm as deployed, against what it must be; a new alarm is a row of `EXPECTED` and a test of what is its own."""

import json
import tomllib
from collections.abc import Iterable

import pytest

from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Metric
from plumbline.contract.retraining import HARM, TriggerKind
from plumbline.stacks.config.file import parse_environment
from plumbline.stacks.constructs.alarms.alarm_rules import (
    MAY_START_RETRAINING,
    ROLLS_BACK,
    AlarmInputs,
    AlarmKind,
    m_of_n_apart,
)
from tests.unit.stacks.synthesis import ROOT, alarm, config, environment, synthesize, text

EXPECTED = {
    AlarmKind.DRIFT: (Metric.DRIFT_VERDICT, "ignore"),
    AlarmKind.OVER_TIME: (Metric.OVER_TIME_VERDICT, "ignore"),
    AlarmKind.MONITOR_MISSING: (Metric.MONITOR_RUNS, "breaching"),
    AlarmKind.MONITOR_FAILED: (Metric.MONITOR_FAILURES, "notBreaching"),
    AlarmKind.NOT_JUDGED: (Metric.WINDOWS_NOT_JUDGED, "ignore"),
    AlarmKind.RECORDS_REJECTED: (Metric.REJECTED_FRACTION, "ignore"),
    AlarmKind.ANSWERS_UNREADABLE: (Metric.UNREADABLE_ANSWER_FRACTION, "ignore"),
    AlarmKind.INTERNAL_FAULTS: (Metric.INTERNAL_FAULTS, "ignore"),
    AlarmKind.DEAD_LETTERS: ("ApproximateNumberOfMessagesVisible", "notBreaching"),
    AlarmKind.SCHEMA: (Metric.SCHEMA_VIOLATIONS, "ignore"),
    AlarmKind.ACCURACY: (Metric.PROJECTED_ACCURACY_DROP, "ignore"),
    AlarmKind.QUALITY: (Metric.REALISED_ACCURACY_DROP, "ignore"),
    AlarmKind.CONCEPT_SHIFT: (Metric.CONCEPT_SHIFT_VERDICT, "ignore"),
    AlarmKind.LABELS_MISSING: (Metric.LABELLED_FRACTION, "ignore"),
    AlarmKind.BIAS: (Metric.BIAS_VERDICT, "ignore"),
    AlarmKind.MULTIVARIATE: (Metric.MULTIVARIATE_VERDICT, "ignore"),
    AlarmKind.ENDPOINT_5XX: ("Invocation5XXErrors", "notBreaching"),
    AlarmKind.ENDPOINT_MODEL_ERRORS: ("InvocationModelErrors", "notBreaching"),
    AlarmKind.ENDPOINT_LATENCY: ("ModelLatency", "notBreaching"),
}
"""Metric and missing-data policy."""
BLIND = (AlarmKind.NOT_JUDGED, AlarmKind.RECORDS_REJECTED, AlarmKind.ANSWERS_UNREADABLE)
OURS = [kind for kind in AlarmKind if isinstance(kind.rule.metric, Metric)]


@pytest.mark.parametrize("kind", AlarmKind)
def test_alarm_has_its_metric_and_states_what_missing_data_means(kind: AlarmKind) -> None:
    found = alarm(kind)
    assert (found["MetricName"], found["TreatMissingData"]) == EXPECTED[kind]


def test_every_alarm_is_expected_and_deployed() -> None:
    assert list(EXPECTED) == list(AlarmKind)
    assert len(environment().resources("monitoring", "AWS::CloudWatch::Alarm")) == len(AlarmKind)


@pytest.mark.parametrize("kind", OURS)
def test_alarm_on_our_metric_has_the_published_namespace_and_dimension(kind: AlarmKind) -> None:
    found = alarm(kind)
    assert found["Namespace"] == METRIC_NAMESPACE
    assert found["Dimensions"] == [{"Name": Dimension.ENDPOINT, "Value": "plumbline-dev"}]


@pytest.mark.parametrize("kind", [kind for kind in AlarmKind if kind.rule.graph])
def test_dashboard_shows_the_metric_in_the_graph_that_the_alarm_declares(kind: AlarmKind) -> None:
    body = json.loads(text(environment().only("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"]))
    (graph,) = (w["properties"] for w in body["widgets"] if w["properties"]["title"] == kind.rule.graph)
    assert kind.rule.metric in {name for entry in graph["metrics"] for name in entry[:2]}


@pytest.mark.parametrize("kind", AlarmKind)
def test_description_names_the_action_and_links_the_runbook(kind: str) -> None:
    description = alarm(kind)["AlarmDescription"]
    assert description.endswith(f"Runbook: docs/runbook.md#{kind}")
    assert len(description.split(". ")) >= 2


@pytest.mark.parametrize("kind", AlarmKind)
def test_alarm_notifies_the_topic(kind: str) -> None:
    (action,) = alarm(kind)["AlarmActions"]
    assert text(action).startswith("<AlertsTopic")


def test_drift_alarm_needs_m_of_n_windows() -> None:
    drift = alarm("drift", "prod")
    assert (drift["DatapointsToAlarm"], drift["EvaluationPeriods"], drift["Period"]) == (2, 3, 3600)
    assert (drift["Statistic"], drift["ComparisonOperator"], drift["Threshold"]) == (
        "Maximum",
        "GreaterThanOrEqualToThreshold",
        1,
    )


LOOKING_BACK = {"monitor": {"look_back_hours": 5}, "labels": {"lag_hours": 3}, "bias": {"facet": "sex"}}
"""Six runs in a row can judge one row."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("drift", (7, 13)), ("accuracy", (7, 13)), ("bias", (7, 13)), ("quality", (7, 13)), ("labels-missing", (2, 3))],
)
def test_alarms_on_windows_that_overlap_need_m_of_n_without_a_common_row(kind: str, expected: tuple[int, int]) -> None:
    alarms = synthesize(config("prod", **LOOKING_BACK)).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    (found,) = (one["Properties"] for one in alarms if one["Properties"]["AlarmName"] == f"plumbline-prod-{kind}")
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"]) == expected


@pytest.mark.parametrize("overlapping", [1, 2, 5])
@pytest.mark.parametrize(("datapoints", "periods"), [(1, 1), (1, 3), (2, 3), (3, 3)])
def test_so_many_bad_datapoints_hold_m_windows_apart_and_one_fewer_may_not(
    overlapping: int, datapoints: int, periods: int
) -> None:
    settings = config(alarms={"drift_datapoints": datapoints, "drift_periods": periods}).alarms
    inputs = AlarmInputs(
        environment="dev",
        endpoint_name="plumbline-dev",
        interval_hours=1,
        overlapping_runs=overlapping,
        settings=settings,
        labels=None,
        is_multivariate=True,
        has_facet=False,
        latency_milliseconds=1,
        triggers=HARM,
    )
    needed, last = m_of_n_apart(inputs)

    def windows_apart(runs: Iterable[int]) -> int:
        chosen: list[int] = []
        for run in runs:
            if not chosen or run - chosen[-1] >= overlapping:
                chosen.append(run)
        return len(chosen)

    # Bad runs in a row share most rows; any others are further apart.
    assert windows_apart(range(needed)) == datapoints
    assert windows_apart(range(needed - 1)) == datapoints - 1
    assert windows_apart(range(last)) == periods


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
@pytest.mark.parametrize("kind", BLIND)
def test_blindness_of_every_second_window_is_an_alarm(kind: AlarmKind, name: str) -> None:
    found = alarm(kind, name)
    m, n = (2, 4) if name == "dev" else (3, 6)
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"], found["Statistic"]) == (m, n, "Maximum")
    threshold = 1 if kind is AlarmKind.NOT_JUDGED else 0.1
    assert (found["ComparisonOperator"], found["Threshold"]) == ("GreaterThanOrEqualToThreshold", threshold)


def test_blindness_is_an_alarm_also_where_the_file_does_not_name_it() -> None:
    document = tomllib.loads((ROOT / "environments" / "dev.toml").read_text())
    for key in ("not_judged_datapoints", "not_judged_periods", "rejected_fraction"):
        del document["alarms"][key]
    found = synthesize(parse_environment(document, "dev")).resources("monitoring", "AWS::CloudWatch::Alarm").values()
    rules = {entry["Properties"]["AlarmName"].removeprefix("plumbline-dev-"): entry["Properties"] for entry in found}
    for kind in BLIND:
        assert (rules[kind]["DatapointsToAlarm"], rules[kind]["EvaluationPeriods"]) == (3, 6)
    assert rules[AlarmKind.RECORDS_REJECTED]["Threshold"] == 0.1


def test_fault_alarm_fires_on_the_first_fault() -> None:
    found = alarm("internal-faults")
    assert (found["Statistic"], found["ComparisonOperator"]) == ("Maximum", "GreaterThanOrEqualToThreshold")
    assert (found["Threshold"], found["DatapointsToAlarm"], found["EvaluationPeriods"]) == (1, 1, 1)


def test_no_alarm_on_what_was_not_judged_starts_a_retraining_or_a_rollback() -> None:
    kinds = {*BLIND, AlarmKind.INTERNAL_FAULTS}
    assert not kinds & {*MAY_START_RETRAINING, *ROLLS_BACK}


def test_each_trigger_that_a_file_may_list_is_one_alarm() -> None:
    assert sorted(kind.rule.trigger for kind in MAY_START_RETRAINING if kind.rule.trigger) == sorted(TriggerKind)


@pytest.mark.parametrize("kind", MAY_START_RETRAINING)
def test_alarm_says_whether_it_starts_a_retraining(kind: AlarmKind) -> None:
    def described(*listed: TriggerKind | None) -> str:
        made = synthesize(config(retraining={"triggers": list(listed)})).resources(
            "monitoring", "AWS::CloudWatch::Alarm"
        )
        found = (entry["Properties"] for entry in made.values())
        return str(next(one["AlarmDescription"] for one in found if one["AlarmName"] == f"plumbline-dev-{kind}"))

    assert "Retraining starts unless a run is recent" in described(kind.rule.trigger)
    assert "No retraining starts: retraining.triggers does not list it." in described()


def test_missing_alarm_waits_for_the_configured_hours() -> None:
    missing = alarm("monitor-missing")
    assert (missing["EvaluationPeriods"], missing["Period"]) == (3, 3600)
    assert (missing["Statistic"], missing["ComparisonOperator"]) == ("Sum", "LessThanThreshold")


def test_missing_alarm_warms_up_for_its_own_window() -> None:
    assert alarm("monitor-missing")["WarmUpConfiguration"] == {"WarmUpPeriodDurationInMinutes": 3 * 60}


def test_warm_up_is_at_most_two_days() -> None:
    patient = synthesize(config(alarms={"monitor_silence_hours": 72})).resources("monitoring", "AWS::CloudWatch::Alarm")
    periods = [entry["Properties"].get("WarmUpConfiguration") for entry in patient.values()]
    assert [period for period in periods if period] == [{"WarmUpPeriodDurationInMinutes": 2 * 24 * 60}]


@pytest.mark.parametrize("kind", [kind for kind in AlarmKind if kind is not AlarmKind.MONITOR_MISSING])
def test_alarm_that_silence_does_not_trip_needs_no_warm_up(kind: str) -> None:
    assert "WarmUpConfiguration" not in alarm(kind)


def test_dead_letter_alarm_fires_on_the_first_message() -> None:
    dead_letters = alarm("dead-letters")
    (dimension,) = dead_letters["Dimensions"]
    assert (dimension["Name"], text(dimension["Value"])) == ("QueueName", "<DeadLettersQueue631681B1.QueueName>")
    assert (dead_letters["Namespace"], dead_letters["MetricName"], dead_letters["Statistic"]) == (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
    )
    assert (dead_letters["ComparisonOperator"], dead_letters["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (dead_letters["EvaluationPeriods"], dead_letters["Period"]) == (1, 300)


def test_schema_alarm_fires_on_the_first_feature() -> None:
    schema = alarm("schema")
    assert (schema["MetricName"], schema["Statistic"]) == ("SchemaViolations", "Maximum")
    assert (schema["ComparisonOperator"], schema["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert (schema["DatapointsToAlarm"], schema["EvaluationPeriods"]) == (1, 1)


def test_alarm_periods_follow_the_schedule() -> None:
    every_six_hours = synthesize(
        config(
            monitor={"schedule": "cron(0 0/6 ? * * *)"}, alarms={"monitor_silence_hours": 12}, labels={"lag_hours": 6}
        )
    ).resources("monitoring", "AWS::CloudWatch::Alarm")
    ours = [
        entry["Properties"] for entry in every_six_hours.values() if entry["Properties"]["Namespace"] == "Plumbline"
    ]
    assert {entry["Period"] for entry in ours} == {6 * 3600}
    n_of = {entry["AlarmName"].removeprefix("plumbline-dev-"): entry["EvaluationPeriods"] for entry in ours}
    longer = {AlarmKind.MONITOR_MISSING: 2, **dict.fromkeys(BLIND, 4)}
    assert n_of == {kind: longer.get(kind, 1) for kind in OURS}


@pytest.mark.parametrize(
    ("kind", "metric", "statistic", "threshold"),
    [
        ("endpoint-5xx", "Invocation5XXErrors", "Sum", 1),
        ("endpoint-model-errors", "InvocationModelErrors", "Sum", 5),
        ("endpoint-latency", "ModelLatency", "Average", 1_000_000),
    ],
)
def test_endpoint_alarms_fire_within_a_minute(kind: str, metric: str, statistic: str, threshold: int) -> None:
    found = alarm(kind)
    assert (found["Namespace"], found["MetricName"], found["Statistic"]) == ("AWS/SageMaker", metric, statistic)
    assert found["Dimensions"] == [
        {"Name": "EndpointName", "Value": "plumbline-dev"},
        {"Name": "VariantName", "Value": "AllTraffic"},
    ]
    assert (found["Threshold"], found["Period"], found["EvaluationPeriods"]) == (threshold, 60, 1)
