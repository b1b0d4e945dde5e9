"""The alarms on what the drift container publishes, and on what nobody could deliver."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.names import METRIC_NAMESPACE, AlarmKind, Dimension, Metric, alarm_name
from stacks.config import Alarms

RUNBOOK = "docs/runbook.md"
LONGEST_WARM_UP = Duration.minutes(2880)
"""CloudWatch API reference, WarmUpConfiguration."""
QUEUE_PERIOD = Duration.minutes(5)
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One alarm: which number, when it is bad, what silence means, what to do."""

    metric: cloudwatch.Metric
    comparison: cloudwatch.ComparisonOperator
    missing: cloudwatch.TreatMissingData
    datapoints: int
    periods: int
    action: str
    warm_up: Duration | None = None
    """How long a new alarm waits for its first data; absent: not at all."""


class DriftAlarms(Construct):
    """Drift, monitor missing, monitor failed, dead letters, schema; each tells the topic.

    Parameters
    ----------
    interval_hours
        Hours between two runs: the period of the metrics.
    dead_letters
        The queue that must stay empty.
    """

    def __init__(  # noqa: PLR0913 - what an alarm watches and whom it tells
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        endpoint_name: str,
        settings: Alarms,
        interval_hours: int,
        dead_letters: sqs.IQueue,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        rules = {
            AlarmKind.DRIFT: _drift(settings, endpoint_name, interval_hours),
            AlarmKind.MONITOR_MISSING: _monitor_missing(settings, endpoint_name, interval_hours),
            AlarmKind.MONITOR_FAILED: _monitor_failed(endpoint_name, interval_hours),
            AlarmKind.DEAD_LETTERS: _dead_letters(dead_letters),
            AlarmKind.SCHEMA: _schema(endpoint_name, interval_hours),
        }
        self.alarms = {kind: self._alarm(environment, kind, rule) for kind, rule in rules.items()}
        for alarm in self.alarms.values():
            alarm.add_alarm_action(actions.SnsAction(topic))

    def _alarm(self, environment: str, kind: AlarmKind, rule: _Rule) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            _construct_id(kind),
            alarm_name=alarm_name(environment, kind),
            alarm_description=f"{rule.action} Runbook: {RUNBOOK}#{kind}",
            metric=rule.metric,
            threshold=1,
            comparison_operator=rule.comparison,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=rule.missing,
        )
        if rule.warm_up:
            _warm_up(alarm, rule.warm_up)
        return alarm


def metric(name: Metric, endpoint_name: str, statistic: str, interval_hours: int) -> cloudwatch.Metric:
    """Return one of the container's metrics of this endpoint; an alarm needs exactly the published dimensions."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name.value,
        dimensions_map={Dimension.ENDPOINT.value: endpoint_name},
        statistic=statistic,
        period=Duration.hours(interval_hours),
    )


def _warm_up(alarm: cloudwatch.Alarm, duration: Duration) -> None:
    # The alarm class of CDK has no such argument yet.
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)  # noqa: S101 - what the class makes
    resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=duration.to_minutes()
    )


def _drift(settings: Alarms, endpoint_name: str, interval_hours: int) -> _Rule:
    return _Rule(
        metric=metric(Metric.DRIFT_VERDICT, endpoint_name, "Maximum", interval_hours),
        comparison=AT_LEAST,
        # A run that is late or not judged says nothing about drift: neither alarm nor all-clear.
        missing=cloudwatch.TreatMissingData.IGNORE,
        datapoints=settings.drift_datapoints,
        periods=settings.drift_periods,
        action="Traffic differs from the training data. Read the drift_report.json; retraining starts unless a job is "
        "running or recent.",
    )


def _monitor_missing(settings: Alarms, endpoint_name: str, interval_hours: int) -> _Rule:
    silent_runs = settings.missing_hours // interval_hours
    window = Duration.hours(silent_runs * interval_hours)
    return _Rule(
        metric=metric(Metric.MONITOR_RUNS, endpoint_name, "Sum", interval_hours),
        comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        missing=cloudwatch.TreatMissingData.BREACHING,
        datapoints=silent_runs,
        periods=silent_runs,
        action="No monitoring run has finished. Check the schedule and its last jobs; drift is not being watched.",
        # Before the first run silence is no news: a deployment must not page anyone.
        warm_up=min(window, LONGEST_WARM_UP, key=Duration.to_minutes),
    )


def _monitor_failed(endpoint_name: str, interval_hours: int) -> _Rule:
    return _Rule(
        metric=metric(Metric.MONITOR_FAILURES, endpoint_name, "Maximum", interval_hours),
        comparison=AT_LEAST,
        missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        datapoints=1,
        periods=1,
        action="A monitoring run ended without a report. Read the job's exit message and log.",
    )


def _dead_letters(queue: sqs.IQueue) -> _Rule:
    return _Rule(
        metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=QUEUE_PERIOD),
        comparison=AT_LEAST,
        # SQS stops reporting a queue that nobody uses for six hours.
        missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        datapoints=1,
        periods=1,
        action="Retraining or a monitoring job could not be started. Read the message in the queue; mend its cause.",
    )


def _schema(endpoint_name: str, interval_hours: int) -> _Rule:
    return _Rule(
        metric=metric(Metric.SCHEMA_VIOLATIONS, endpoint_name, "Maximum", interval_hours),
        comparison=AT_LEAST,
        # A window without rows says nothing about the payload: a broken client is not mended by silence.
        missing=cloudwatch.TreatMissingData.IGNORE,
        datapoints=1,
        periods=1,
        action="A feature is missing from the payload or came with another type than in training. Read the "
        "drift_report.json and mend the client; no retraining starts.",
    )


def _construct_id(kind: AlarmKind) -> str:
    return {
        AlarmKind.DRIFT: "Drift",
        AlarmKind.MONITOR_MISSING: "MonitorMissing",
        AlarmKind.MONITOR_FAILED: "MonitorFailed",
        AlarmKind.DEAD_LETTERS: "DeadLetters",
        AlarmKind.SCHEMA: "Schema",
    }[kind]
