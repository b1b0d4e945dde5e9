"""Every alarm of an environment, each declared once: metric, threshold, missing-data policy, consequences and texts.

`drift_alarms` makes CloudWatch alarms of these declarations and `dashboard` draws their metrics. This module imports no
CDK, because the demo and the tests read the declarations as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from plumbline.contract.enums import StrEnum
from plumbline.contract.names import Metric
from plumbline.contract.retraining import TriggerKind
from plumbline.stacks.config.environment import AlarmsSection
from plumbline.stacks.config.thresholds import LabelsSection

RUNBOOK = "docs/runbook.md"
MAX_WARM_UP_MINUTES = 2880
"""CloudWatch API reference, WarmUpConfiguration."""
MODEL_ERRORS = 5
"""InvocationModelErrors counts every answer but 2xx: a few bad requests of one client are no reason to roll back."""
RETRAINING = "Retraining starts unless a run is recent or labels are missing; a message gives the decision."
NO_RETRAINING = "No retraining starts: retraining.triggers does not list it."
ROLLBACK = "A promotion under way is rolled back."
MICROSECONDS_PER_MILLISECOND = 1000


class EndpointMetric(StrEnum):
    """Metrics that SageMaker publishes for the endpoint's variant."""

    SERVER_ERRORS = "Invocation5XXErrors"
    MODEL_ERRORS = "InvocationModelErrors"
    LATENCY = "ModelLatency"


class QueueMetric(StrEnum):
    """Metrics that SQS publishes for the dead-letter queue."""

    MESSAGES = "ApproximateNumberOfMessagesVisible"


class MissingDataPolicy(StrEnum):
    """State of an alarm whose metric has no data: members of CDK's `TreatMissingData`."""

    BREACHING = "BREACHING"
    """Silence fires the alarm; a new one first waits for the time that it evaluates."""
    NOT_BREACHING = "NOT_BREACHING"
    IGNORE = "IGNORE"
    """The state stays: neither alarm nor all-clear."""


class AlarmComparison(StrEnum):
    """When a datapoint is bad: members of CDK's `ComparisonOperator`."""

    AT_LEAST = "GREATER_THAN_OR_EQUAL_TO_THRESHOLD"
    BELOW = "LESS_THAN_THRESHOLD"


class AlarmNeed(StrEnum):
    """Section of the environment file without which there is no such alarm."""

    NOTHING = "nothing"
    LABELS = "labels"
    BIAS = "bias"
    MULTIVARIATE = "multivariate"


class Graph(StrEnum):
    """Graphs of the dashboard that show the metric of an alarm, by title."""

    DRIFTED_FEATURES = "Drifted features"
    OVER_TIME = "Over time, and by segment"
    SCHEMA = "Schema violations"
    UNLABELLED_VERDICTS = "Verdicts without labels"
    LABELLED_VERDICTS = "Verdicts of the last labelled window"
    LABELLED_FRACTION = "Labelled fraction"
    MONITORING_RUNS = "Monitoring runs"
    REJECTED_FRACTION = "Rejected records and unreadable answers, as fractions"
    ENDPOINT = "Endpoint"


@dataclass(frozen=True, kw_only=True)
class AlarmInputs:
    """Names and settings that the alarms of one environment depend on.

    `interval_hours` is between monitoring runs, and `overlapping_runs` how many of them in a row can judge one row.
    """

    environment: str
    endpoint_name: str
    interval_hours: int
    overlapping_runs: int = 1
    settings: AlarmsSection
    labels: LabelsSection | None
    has_facet: bool
    is_multivariate: bool
    latency_milliseconds: int
    triggers: tuple[TriggerKind, ...]


class EvaluationPeriods(NamedTuple):
    """M of N: so many datapoints of the last `periods` must be bad."""

    datapoints: int
    periods: int


def once(_: AlarmInputs) -> EvaluationPeriods:
    """Fire on the first bad datapoint."""
    return EvaluationPeriods(1, 1)


def m_of_n(inputs: AlarmInputs) -> EvaluationPeriods:
    """Fire when `alarms.drift_datapoints` of the last `alarms.drift_periods` windows are bad."""
    return EvaluationPeriods(inputs.settings.drift_datapoints, inputs.settings.drift_periods)


def m_of_n_apart(inputs: AlarmInputs) -> EvaluationPeriods:
    """Fire when M of the last N windows are bad that do not overlap, M and N as of `m_of_n`.

    Windows that look back share rows, and one odd hour makes up to `overlapping_runs` of them bad. So many more
    datapoints make sure that at least M bad windows have no row in common (docs/adr/0018).
    """
    datapoints, periods = m_of_n(inputs)
    return EvaluationPeriods(
        (datapoints - 1) * inputs.overlapping_runs + 1, (periods - 1) * inputs.overlapping_runs + 1
    )


def not_judged_m_of_n(inputs: AlarmInputs) -> EvaluationPeriods:
    """Fire when `alarms.not_judged_datapoints` of the last `alarms.not_judged_periods` windows are bad."""
    return EvaluationPeriods(inputs.settings.not_judged_datapoints, inputs.settings.not_judged_periods)


def throughout_silence(inputs: AlarmInputs) -> EvaluationPeriods:
    """Fire when every run of the configured hours of silence is bad."""
    n_runs = inputs.settings.monitor_silence_hours // inputs.interval_hours
    return EvaluationPeriods(n_runs, n_runs)


def _labels(inputs: AlarmInputs) -> LabelsSection:
    if inputs.labels is None:
        raise ValueError("an alarm on labels must have a labels section, got none")
    return inputs.labels


def _minimum_labelled(inputs: AlarmInputs) -> float:
    return _labels(inputs).minimum_labelled_fraction


def _labels_missing(inputs: AlarmInputs) -> str:
    return (
        f"Fewer labels than needed arrived within {_labels(inputs).lag_hours} hours, so quality and concept shift are "
        "not being monitored."
    )


def _rejected_fraction(inputs: AlarmInputs) -> float:
    return inputs.settings.rejected_fraction


def _maximum_latency(inputs: AlarmInputs) -> float:
    return inputs.latency_milliseconds * MICROSECONDS_PER_MILLISECOND


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """Declaration of one alarm.

    `name` ends the physical name and is the anchor in the runbook. `threshold`, `evaluation` and `meaning` are
    constants or read from the settings. `missing` has no default: each alarm states what silence means. `meaning` and
    `action` make its description, which ends with the runbook's anchor. `trigger`: under which name the environment
    file may list it, so that the controller acts on it; None: it is for people. `rolls_back`: a promotion under way is
    undone. `notifies`: the alert topic gets it. `graph` shows the metric; None: the alarm is in the dashboard's list of
    alarms only.
    """

    name: str
    metric: Metric | EndpointMetric | QueueMetric
    statistic: str = "Maximum"
    comparison: AlarmComparison = AlarmComparison.AT_LEAST
    threshold: float | Callable[[AlarmInputs], float] = 1
    evaluation: Callable[[AlarmInputs], EvaluationPeriods] = once
    missing: MissingDataPolicy
    needs: AlarmNeed = AlarmNeed.NOTHING
    meaning: str | Callable[[AlarmInputs], str]
    action: str
    trigger: TriggerKind | None = None
    rolls_back: bool = False
    notifies: bool = True
    graph: Graph | None

    def threshold_for(self, inputs: AlarmInputs) -> float:
        """Return the threshold in the metric's unit."""
        return self.threshold(inputs) if callable(self.threshold) else self.threshold

    def description_for(self, inputs: AlarmInputs) -> str:
        """Return what happened and what to do."""
        meaning = self.meaning(inputs) if callable(self.meaning) else self.meaning
        if self.trigger is None:
            return f"{meaning} {self.action}"
        return f"{meaning} {self.action} {RETRAINING if self.starts_retraining(inputs) else NO_RETRAINING}"

    def starts_retraining(self, inputs: AlarmInputs) -> bool:
        """Return whether the environment has the alarm and lists it as a trigger."""
        return self.trigger in inputs.triggers and self.exists_for(inputs)

    def exists_for(self, inputs: AlarmInputs) -> bool:
        """Return whether the environment has what the alarm needs."""
        has = {
            AlarmNeed.NOTHING: True,
            AlarmNeed.LABELS: inputs.labels is not None,
            AlarmNeed.BIAS: inputs.has_facet,
            AlarmNeed.MULTIVARIATE: inputs.is_multivariate,
        }
        return has[self.needs]


class AlarmKind(StrEnum):
    """The alarms that an environment can have; each member carries its declaration."""

    rule: AlarmRule

    def __new__(cls, rule: AlarmRule) -> "AlarmKind":
        """Return the member that is the rule's name and carries the rule."""
        kind = str.__new__(cls, rule.name)
        kind._value_, kind.rule = rule.name, rule
        return kind

    @property
    def construct_id(self) -> str:
        """Id of the CDK construct, for example ``MonitorMissing``."""
        return "".join(part.capitalize() for part in self.value.split("-"))

    # Alarms on verdicts: a run that is late, or a window that was not judged, is neither alarm nor all-clear.
    DRIFT = AlarmRule(
        name="drift",
        metric=Metric.DRIFT_VERDICT,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        meaning="Traffic differs from the training data.",
        action="Read drift_report.json: what drifted, and whether accuracy suffers.",
        trigger=TriggerKind.DRIFT,
        graph=Graph.DRIFTED_FEATURES,
    )
    OVER_TIME = AlarmRule(
        name="over-time",
        metric=Metric.OVER_TIME_VERDICT,
        # Once: its false alarms are bounded by themselves, for a month.
        missing=MissingDataPolicy.IGNORE,
        meaning="A feature or the prediction changed over days, which single windows need not show.",
        action="over_time in drift_report.json says which, by how much and since when.",
        trigger=TriggerKind.OVER_TIME,
        graph=Graph.OVER_TIME,
    )
    MONITOR_MISSING = AlarmRule(
        name="monitor-missing",
        metric=Metric.MONITOR_RUNS,
        statistic="Sum",
        comparison=AlarmComparison.BELOW,
        evaluation=throughout_silence,
        missing=MissingDataPolicy.BREACHING,
        meaning="No monitoring run has finished, so drift is not being monitored.",
        action="Check the schedule and its last jobs.",
        graph=Graph.MONITORING_RUNS,
    )
    MONITOR_FAILED = AlarmRule(
        name="monitor-failed",
        metric=Metric.MONITOR_FAILURES,
        missing=MissingDataPolicy.NOT_BREACHING,
        meaning="A monitoring run ended without a report.",
        action="Read the job's exit message and log.",
        graph=Graph.MONITORING_RUNS,
    )
    # Runs that end with a report and say nothing, or not all. A run that is late is no proof that they see again.
    NOT_JUDGED = AlarmRule(
        name="not-judged",
        metric=Metric.WINDOWS_NOT_JUDGED,
        evaluation=not_judged_m_of_n,
        missing=MissingDataPolicy.IGNORE,
        meaning="Windows were not judged, so drift is not being monitored.",
        action="The job's exit message and `reason` in drift_report.json say why, which reason leads among rejected "
        "records, and what to do; no retraining starts.",
        graph=Graph.MONITORING_RUNS,
    )
    RECORDS_REJECTED = AlarmRule(
        name="records-rejected",
        metric=Metric.REJECTED_FRACTION,
        threshold=_rejected_fraction,
        evaluation=not_judged_m_of_n,
        missing=MissingDataPolicy.IGNORE,
        meaning="Captured records cannot be used, so verdicts rest on a part of the traffic.",
        action="`reason` and `warnings` in drift_report.json, and the job's log, say which reason leads and what to "
        "do; no retraining starts.",
        graph=Graph.REJECTED_FRACTION,
    )
    ANSWERS_UNREADABLE = AlarmRule(
        name="answers-unreadable",
        metric=Metric.UNREADABLE_ANSWER_FRACTION,
        threshold=_rejected_fraction,
        evaluation=not_judged_m_of_n,
        missing=MissingDataPolicy.IGNORE,
        meaning="The endpoint's answers cannot be read, so predictions and accuracy are not being monitored.",
        action="`warnings` in drift_report.json, and the job's log, say which reason leads and what to do; no "
        "retraining starts.",
        graph=Graph.REJECTED_FRACTION,
    )
    INTERNAL_FAULTS = AlarmRule(
        name="internal-faults",
        metric=Metric.INTERNAL_FAULTS,
        missing=MissingDataPolicy.IGNORE,
        meaning="A part of a window could not be computed, through a fault of Plumbline or too little memory.",
        action="`internal_faults` in drift_report.json names it, and the job's log has the traceback; no retraining "
        "starts.",
        graph=Graph.MONITORING_RUNS,
    )
    DEAD_LETTERS = AlarmRule(
        name="dead-letters",
        metric=QueueMetric.MESSAGES,
        # SQS stops publishing for a queue that was not used for six hours.
        missing=MissingDataPolicy.NOT_BREACHING,
        meaning="An event of the retraining loop could not be handled, or a monitoring job not started.",
        action="Read the message in the queue and remove its cause.",
        graph=None,
    )
    SCHEMA = AlarmRule(
        name="schema",
        metric=Metric.SCHEMA_VIOLATIONS,
        # A window without rows holds no payload, and so is no proof that the client was repaired.
        missing=MissingDataPolicy.IGNORE,
        meaning="A feature is missing from the payload or has another type than in training.",
        action="Read drift_report.json and repair the client; no retraining starts.",
        graph=Graph.SCHEMA,
    )
    ACCURACY = AlarmRule(
        name="accuracy",
        metric=Metric.PROJECTED_ACCURACY_DROP,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        meaning="The projected accuracy dropped beyond the threshold.",
        action="It is an estimate: upload labels of recent rows.",
        trigger=TriggerKind.PROJECTED_ACCURACY,
        graph=Graph.UNLABELLED_VERDICTS,
    )
    QUALITY = AlarmRule(
        name="quality",
        metric=Metric.REALISED_ACCURACY_DROP,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        needs=AlarmNeed.LABELS,
        meaning="The accuracy measured with labels dropped beyond the threshold.",
        action="Read drift_report.json.",
        trigger=TriggerKind.QUALITY,
        graph=Graph.LABELLED_VERDICTS,
    )
    CONCEPT_SHIFT = AlarmRule(
        name="concept-shift",
        metric=Metric.CONCEPT_SHIFT_VERDICT,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        needs=AlarmNeed.LABELS,
        meaning="By their labels, rows have other answers than such rows had in training.",
        action="Upload labels of recent rows.",
        trigger=TriggerKind.CONCEPT_SHIFT,
        graph=Graph.LABELLED_VERDICTS,
    )
    LABELS_MISSING = AlarmRule(
        name="labels-missing",
        metric=Metric.LABELLED_FRACTION,
        statistic="Minimum",
        comparison=AlarmComparison.BELOW,
        threshold=_minimum_labelled,
        evaluation=m_of_n,
        # Where no label arrives, the fraction is 0. No value: no window with rows was due, or no run has finished,
        # which has an alarm of its own.
        missing=MissingDataPolicy.IGNORE,
        needs=AlarmNeed.LABELS,
        meaning=_labels_missing,
        action="Check what uploads the labels.",
        graph=Graph.LABELLED_FRACTION,
    )
    BIAS = AlarmRule(
        name="bias",
        metric=Metric.BIAS_VERDICT,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        needs=AlarmNeed.BIAS,
        meaning="The model treats a group differently from the test set.",
        action="Read drift_report.json and decide; no retraining starts.",
        graph=Graph.UNLABELLED_VERDICTS,
    )
    MULTIVARIATE = AlarmRule(
        name="multivariate",
        metric=Metric.MULTIVARIATE_VERDICT,
        evaluation=m_of_n_apart,
        missing=MissingDataPolicy.IGNORE,
        needs=AlarmNeed.MULTIVARIATE,
        meaning="Whole rows differ from the training data, though each feature alone may not.",
        action="Read multivariate and the features in drift_report.json.",
        trigger=TriggerKind.MULTIVARIATE,
        graph=Graph.UNLABELLED_VERDICTS,
    )
    # Alarms on the endpoint: a minute without a request is a good one.
    ENDPOINT_5XX = AlarmRule(
        name="endpoint-5xx",
        metric=EndpointMetric.SERVER_ERRORS,
        statistic="Sum",
        missing=MissingDataPolicy.NOT_BREACHING,
        meaning="The endpoint answers with server errors.",
        action=f"Read its log. {ROLLBACK}",
        rolls_back=True,
        graph=Graph.ENDPOINT,
    )
    ENDPOINT_MODEL_ERRORS = AlarmRule(
        name="endpoint-model-errors",
        metric=EndpointMetric.MODEL_ERRORS,
        statistic="Sum",
        threshold=MODEL_ERRORS,
        missing=MissingDataPolicy.NOT_BREACHING,
        meaning="The model's container rejects or fails requests.",
        action=f"Read its log. {ROLLBACK}",
        rolls_back=True,
        graph=None,
    )
    ENDPOINT_LATENCY = AlarmRule(
        name="endpoint-latency",
        metric=EndpointMetric.LATENCY,
        statistic="Average",
        threshold=_maximum_latency,
        missing=MissingDataPolicy.NOT_BREACHING,
        meaning="The model answers slower than promotion.latency_milliseconds.",
        action=f"Check load and instance type. {ROLLBACK}",
        rolls_back=True,
        graph=Graph.ENDPOINT,
    )


MAY_START_RETRAINING = tuple(kind for kind in AlarmKind if kind.rule.trigger)
"""What an environment file may list as a trigger. Bias, labels, schema and every blindness are for people."""
ROLLS_BACK = tuple(kind for kind in AlarmKind if kind.rule.rolls_back)
"""Drift alarms are not among them: they are hours late."""
