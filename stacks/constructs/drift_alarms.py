"""The alarms on what the drift container publishes."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from contract.names import METRIC_NAMESPACE, AlarmKind, Dimension, Metric, alarm_name
from stacks.config import Alarms

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One alarm: which number, when it is bad, what silence means, what to do."""

    metric: Metric
    statistic: str
    comparison: cloudwatch.ComparisonOperator
    missing: cloudwatch.TreatMissingData
    datapoints: int
    periods: int
    action: str


class DriftAlarms(Construct):
    """Drift, monitor missing, monitor failed; each tells the topic.

    Parameters
    ----------
    interval_hours
        Hours between two runs: the period of the metrics.
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
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarms = {
            kind: cloudwatch.Alarm(
                self,
                _construct_id(kind),
                alarm_name=alarm_name(environment, kind),
                alarm_description=f"{rule.action} Runbook: {RUNBOOK}#{kind}",
                metric=metric(rule.metric, endpoint_name, rule.statistic, interval_hours),
                threshold=1,
                comparison_operator=rule.comparison,
                evaluation_periods=rule.periods,
                datapoints_to_alarm=rule.datapoints,
                treat_missing_data=rule.missing,
            )
            for kind, rule in _rules(settings, interval_hours).items()
        }
        for alarm in self.alarms.values():
            alarm.add_alarm_action(actions.SnsAction(topic))


def metric(name: Metric, endpoint_name: str, statistic: str, interval_hours: int) -> cloudwatch.Metric:
    """Return one of the container's metrics of this endpoint; an alarm needs exactly the published dimensions."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name.value,
        dimensions_map={Dimension.ENDPOINT.value: endpoint_name},
        statistic=statistic,
        period=Duration.hours(interval_hours),
    )


def _rules(settings: Alarms, interval_hours: int) -> dict[AlarmKind, _Rule]:
    at_least = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    silent_runs = settings.missing_hours // interval_hours
    return {
        AlarmKind.DRIFT: _Rule(
            metric=Metric.DRIFT_VERDICT,
            statistic="Maximum",
            comparison=at_least,
            # A run that is late or not judged says nothing about drift: neither alarm nor all-clear.
            missing=cloudwatch.TreatMissingData.IGNORE,
            datapoints=settings.drift_datapoints,
            periods=settings.drift_periods,
            action="Traffic differs from the training data. Read the drift_report.json; retraining has started.",
        ),
        AlarmKind.MONITOR_MISSING: _Rule(
            metric=Metric.MONITOR_RUNS,
            statistic="Sum",
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.BREACHING,
            datapoints=silent_runs,
            periods=silent_runs,
            action="No monitoring run has finished. Check the schedule and its last jobs; drift is not being watched.",
        ),
        AlarmKind.MONITOR_FAILED: _Rule(
            metric=Metric.MONITOR_FAILURES,
            statistic="Maximum",
            comparison=at_least,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
            datapoints=1,
            periods=1,
            action="A monitoring run ended without a report. Read the job's exit message and log.",
        ),
    }


def _construct_id(kind: AlarmKind) -> str:
    return {
        AlarmKind.DRIFT: "Drift",
        AlarmKind.MONITOR_MISSING: "MonitorMissing",
        AlarmKind.MONITOR_FAILED: "MonitorFailed",
    }[kind]
