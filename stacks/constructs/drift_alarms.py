"""The alarms on what the drift container publishes, on the endpoint, and on what nobody could deliver."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.names import AlarmKind, alarm_name
from stacks.config_thresholds import Labels
from stacks.constructs.alarm_rules import AlarmRule, Watched, always, with_facet, with_labels
from stacks.constructs.endpoint_alarm_rules import ROLLBACK, Served, of_endpoint

RUNBOOK = "docs/runbook.md"
STARTS_RETRAINING = (AlarmKind.DRIFT, AlarmKind.QUALITY, AlarmKind.CONCEPT_SHIFT)
"""What fresh rows mend. A projection is an estimate, and bias, labels and schema are for people."""


class DriftAlarms(Construct):
    """The environment's alarms by kind; each tells the topic.

    Parameters
    ----------
    watched
        The endpoint, the period of its metrics, and how many windows count.
    served
        The endpoint's own metrics, and what is too slow.
    labels
        Absent: no alarm that needs ground truth.
    has_facet
        Whether bias is measured; without it no alarm watches it.
    dead_letters
        The queue that must stay empty.
    """

    def __init__(  # noqa: PLR0913 - what an alarm watches and whom it tells
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        watched: Watched,
        served: Served,
        labels: Labels | None,
        has_facet: bool,
        dead_letters: sqs.IQueue,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        rules = always(watched, dead_letters) | of_endpoint(served)
        if labels:
            rules |= with_labels(watched, labels)
        if has_facet:
            rules |= with_facet(watched)
        self.alarms = {kind: self._alarm(kind, rule) for kind, rule in rules.items()}
        for alarm in self.alarms.values():
            alarm.add_alarm_action(actions.SnsAction(topic))

    @property
    def retraining(self) -> list[str]:
        """Names of the alarms that start retraining."""
        return [alarm_name(self._environment, kind) for kind in STARTS_RETRAINING if kind in self.alarms]

    @property
    def rollback(self) -> list[str]:
        """Names of the alarms on which a new model is taken back."""
        return [alarm_name(self._environment, kind) for kind in ROLLBACK]

    def _alarm(self, kind: AlarmKind, rule: AlarmRule) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            _construct_id(kind),
            alarm_name=alarm_name(self._environment, kind),
            alarm_description=f"{rule.action} Runbook: {RUNBOOK}#{kind}",
            metric=rule.metric,
            threshold=rule.threshold,
            comparison_operator=rule.comparison,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=rule.missing,
        )
        if rule.warm_up:
            _warm_up(alarm, rule.warm_up)
        return alarm


def _warm_up(alarm: cloudwatch.Alarm, duration: Duration) -> None:
    # The alarm class of CDK has no such argument yet.
    resource = alarm.node.default_child
    assert isinstance(resource, cloudwatch.CfnAlarm)  # noqa: S101 - what the class makes
    resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=duration.to_minutes()
    )


def _construct_id(kind: AlarmKind) -> str:
    return {
        AlarmKind.DRIFT: "Drift",
        AlarmKind.MONITOR_MISSING: "MonitorMissing",
        AlarmKind.MONITOR_FAILED: "MonitorFailed",
        AlarmKind.DEAD_LETTERS: "DeadLetters",
        AlarmKind.SCHEMA: "Schema",
        AlarmKind.ACCURACY: "Accuracy",
        AlarmKind.QUALITY: "Quality",
        AlarmKind.CONCEPT_SHIFT: "ConceptShift",
        AlarmKind.LABELS_MISSING: "LabelsMissing",
        AlarmKind.BIAS: "Bias",
        AlarmKind.ENDPOINT_5XX: "Endpoint5xx",
        AlarmKind.ENDPOINT_MODEL_ERRORS: "EndpointModelErrors",
        AlarmKind.ENDPOINT_LATENCY: "EndpointLatency",
    }[kind]
