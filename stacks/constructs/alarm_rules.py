"""What each alarm watches, when it is bad, what silence means and what to do."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from contract.names import METRIC_NAMESPACE, AlarmKind, Dimension, Metric
from contract.retraining import RetrainingMetric
from stacks.config import Alarms
from stacks.config_thresholds import Labels

LONGEST_WARM_UP = Duration.minutes(2880)
"""CloudWatch API reference, WarmUpConfiguration."""
QUEUE_PERIOD = Duration.minutes(5)
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """One alarm; `warm_up` is how long a new one waits for its first data, None: not at all."""

    metric: cloudwatch.Metric
    comparison: cloudwatch.ComparisonOperator = AT_LEAST
    threshold: float = 1
    missing: cloudwatch.TreatMissingData
    datapoints: int = 1
    periods: int = 1
    action: str
    warm_up: Duration | None = None


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The endpoint whose metrics are watched, how often they come, and from how many windows on they count."""

    endpoint_name: str
    interval_hours: int
    settings: Alarms


def always(watched: Watched, dead_letters: sqs.IQueue) -> dict[AlarmKind, AlarmRule]:
    """Return the rules that every environment has."""
    return {
        AlarmKind.DRIFT: _drift(watched),
        AlarmKind.MONITOR_MISSING: _monitor_missing(watched),
        AlarmKind.MONITOR_FAILED: _monitor_failed(watched),
        AlarmKind.DEAD_LETTERS: _dead_letters(dead_letters),
        AlarmKind.SCHEMA: _schema(watched),
        AlarmKind.ACCURACY: _accuracy(watched),
    }


def with_labels(watched: Watched, labels: Labels) -> dict[AlarmKind, AlarmRule]:
    """Return the rules that need ground truth."""
    return {
        AlarmKind.QUALITY: _quality(watched),
        AlarmKind.CONCEPT_SHIFT: _concept_shift(watched),
        AlarmKind.LABELS_MISSING: _labels_missing(watched, labels),
    }


def with_facet(watched: Watched) -> dict[AlarmKind, AlarmRule]:
    """Return the rule that needs groups."""
    return {AlarmKind.BIAS: _bias(watched)}


def metric(
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


def _metric(watched: Watched, name: Metric, statistic: str = "Maximum") -> cloudwatch.Metric:
    return metric(name, watched.endpoint_name, statistic, watched.interval_hours)


def _verdict(watched: Watched, name: Metric, action: str) -> AlarmRule:
    """Return the rule of a verdict on windows, M of N of which must be bad."""
    return AlarmRule(
        metric=_metric(watched, name),
        # A run that is late, or a window that was not judged, says nothing: neither alarm nor all-clear.
        missing=cloudwatch.TreatMissingData.IGNORE,
        datapoints=watched.settings.drift_datapoints,
        periods=watched.settings.drift_periods,
        action=action,
    )


def _drift(watched: Watched) -> AlarmRule:
    return _verdict(
        watched,
        Metric.DRIFT_VERDICT,
        "Traffic differs from the training data. Read the drift_report.json; retraining starts unless a run is "
        "recent or labels are missing, which a message says.",
    )


def _accuracy(watched: Watched) -> AlarmRule:
    return _verdict(
        watched,
        Metric.ACCURACY_VERDICT,
        "The projected accuracy dropped beyond the tolerance. It is an estimate: get labels for recent rows before the "
        "model is changed; no retraining starts.",
    )


def _quality(watched: Watched) -> AlarmRule:
    return _verdict(
        watched,
        Metric.QUALITY_VERDICT,
        "The accuracy that labels show dropped beyond the tolerance. Read the drift_report.json; retraining starts "
        "unless a run is recent or labels are missing, which a message says.",
    )


def _concept_shift(watched: Watched) -> AlarmRule:
    return _verdict(
        watched,
        Metric.CONCEPT_SHIFT_VERDICT,
        "Labels show that rows deserve another answer than in training. Upload labels of recent rows; retraining "
        "starts unless a run is recent or labels are missing, which a message says.",
    )


def _labels_missing(watched: Watched, labels: Labels) -> AlarmRule:
    return AlarmRule(
        metric=_metric(watched, Metric.LABEL_COVERAGE, "Minimum"),
        comparison=BELOW,
        threshold=labels.minimum_labelled_fraction,
        # Labels that stay away are a coverage of 0. No value: no window with rows was due, or no run has finished,
        # which has an alarm of its own.
        missing=cloudwatch.TreatMissingData.IGNORE,
        datapoints=watched.settings.drift_datapoints,
        periods=watched.settings.drift_periods,
        action=f"Fewer labels than needed came within {labels.lag_hours} hours. Check what uploads them; quality and "
        "concept shift are not being watched.",
    )


def _bias(watched: Watched) -> AlarmRule:
    return _verdict(
        watched,
        Metric.BIAS_VERDICT,
        "The model treats a group otherwise than on the test set. Read the drift_report.json and decide; no retraining "
        "starts.",
    )


def _monitor_missing(watched: Watched) -> AlarmRule:
    hours = watched.interval_hours
    silent_runs = watched.settings.monitor_silence_hours // hours
    return AlarmRule(
        metric=_metric(watched, Metric.MONITOR_RUNS, "Sum"),
        comparison=BELOW,
        missing=cloudwatch.TreatMissingData.BREACHING,
        datapoints=silent_runs,
        periods=silent_runs,
        action="No monitoring run has finished. Check the schedule and its last jobs; drift is not being watched.",
        # Before the first run silence is no news: a deployment must not page anyone.
        warm_up=min(Duration.hours(silent_runs * hours), LONGEST_WARM_UP, key=Duration.to_minutes),
    )


def _monitor_failed(watched: Watched) -> AlarmRule:
    return AlarmRule(
        metric=_metric(watched, Metric.MONITOR_FAILURES),
        missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        action="A monitoring run ended without a report. Read the job's exit message and log.",
    )


def _dead_letters(queue: sqs.IQueue) -> AlarmRule:
    return AlarmRule(
        metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=QUEUE_PERIOD),
        # SQS stops reporting a queue that nobody uses for six hours.
        missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        action="An event of the retraining loop could not be handled, or a monitoring job not started. Read the "
        "message in the queue; mend its cause.",
    )


def _schema(watched: Watched) -> AlarmRule:
    return AlarmRule(
        metric=_metric(watched, Metric.SCHEMA_VIOLATIONS),
        # A window without rows says nothing about the payload: a broken client is not mended by silence.
        missing=cloudwatch.TreatMissingData.IGNORE,
        action="A feature is missing from the payload or came with another type than in training. Read the "
        "drift_report.json and mend the client; no retraining starts.",
    )
