"""CloudWatch alarms made of the declarations in `alarm_rules`."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Metric, alarm_name
from plumbline.contract.retraining import RetrainingMetric
from plumbline.stacks.constructs.alarms.alarm_rules import (
    MAX_WARM_UP_MINUTES,
    ROLLS_BACK,
    RUNBOOK,
    AlarmInputs,
    AlarmKind,
    AlarmNeed,
    EndpointMetric,
    MissingDataPolicy,
    QueueMetric,
)
from plumbline.stacks.constructs.serving.model_endpoint import VARIANT

ENDPOINT_PERIOD = Duration.seconds(60)
QUEUE_PERIOD = Duration.minutes(5)


class DriftAlarms(Construct):
    """The environment's alarms by kind: first those of every environment, then those that need a section of the file.

    Parameters
    ----------
    dead_letters
        The queue that must stay empty.
    topic
        Topic of the alarms that notify.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        inputs: AlarmInputs,
        dead_letters: sqs.IQueue,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._inputs, self._dead_letters = inputs, dead_letters
        self.alarms = {
            kind: self._alarm(kind)
            for need in AlarmNeed
            for kind in AlarmKind
            if kind.rule.needs is need and kind.rule.exists_for(inputs)
        }
        for kind, alarm in self.alarms.items():
            if kind.rule.notifies:
                alarm.add_alarm_action(actions.SnsAction(topic))

    @property
    def retraining(self) -> list[str]:
        """Names of the alarms that start retraining."""
        return [
            alarm_name(self._inputs.environment, kind)
            for kind in self.alarms
            if kind.rule.starts_retraining(self._inputs)
        ]

    @property
    def rollback(self) -> list[str]:
        """Names of the alarms that roll a promotion back."""
        return [alarm_name(self._inputs.environment, kind) for kind in ROLLS_BACK]

    def _alarm(self, kind: AlarmKind) -> cloudwatch.Alarm:
        rule, inputs = kind.rule, self._inputs
        datapoints, periods = rule.evaluation(inputs)
        alarm = cloudwatch.Alarm(
            self,
            kind.construct_id,
            alarm_name=alarm_name(inputs.environment, kind),
            alarm_description=f"{rule.description_for(inputs)} Runbook: {RUNBOOK}#{kind}",
            metric=self._metric(rule.metric, rule.statistic),
            threshold=rule.threshold_for(inputs),
            comparison_operator=cloudwatch.ComparisonOperator[rule.comparison.value],
            evaluation_periods=periods,
            datapoints_to_alarm=datapoints,
            treat_missing_data=cloudwatch.TreatMissingData[rule.missing.value],
        )
        if rule.missing is MissingDataPolicy.BREACHING:
            # Before the first run silence is normal: a deployment must not page anyone.
            _warm_up(alarm, Duration.hours(periods * inputs.interval_hours))
        return alarm

    def _metric(self, name: Metric | EndpointMetric | QueueMetric, statistic: str) -> cloudwatch.Metric:
        if isinstance(name, Metric):
            return own_metric(name, self._inputs.endpoint_name, statistic, self._inputs.interval_hours)
        if isinstance(name, EndpointMetric):
            return endpoint_metric(name, self._inputs.endpoint_name, statistic, ENDPOINT_PERIOD)
        return self._dead_letters.metric(name.value, statistic=statistic, period=QUEUE_PERIOD)


def own_metric(
    name: Metric | RetrainingMetric, endpoint_name: str, statistic: str, interval_hours: int
) -> cloudwatch.Metric:
    """Return one of our metrics of this endpoint; an alarm needs exactly the published dimensions."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name.value,
        dimensions_map={Dimension.ENDPOINT.value: endpoint_name},
        statistic=statistic,
        period=Duration.hours(interval_hours),
    )


def endpoint_metric(name: str, endpoint_name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
    """Return a metric that SageMaker publishes for the endpoint's variant."""
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=str(name),
        dimensions_map={"EndpointName": endpoint_name, "VariantName": VARIANT},
        statistic=statistic,
        period=period,
    )


def _warm_up(alarm: cloudwatch.Alarm, duration: Duration) -> None:
    # CDK's alarm class has no such argument yet.
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)  # noqa: S101 - what the class makes
    resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=min(duration.to_minutes(), MAX_WARM_UP_MINUTES)
    )
