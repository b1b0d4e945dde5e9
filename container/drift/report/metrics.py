"""A report as CloudWatch metrics: figures with names and dimensions, and their publication."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.contract.accuracy import Measure, Shift
from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Metric
from plumbline.contract.quality import QualityReport, WindowQuality
from plumbline.contract.reasons import Reason, ReasonCode, has_code
from plumbline.contract.records import DriftReport, EffectMeasure, RecordCounts, Status, VariantRole, Verdict, finite
from plumbline.contract.rejection import LabelRejectionReason, RejectionReason, loss, records_in_window
from plumbline.drift.errors import PublishError

_MAX_DIMENSION_CHARACTERS = 1024


@dataclass(frozen=True)
class MetricValue:
    """One finite value of one metric."""

    metric: Metric
    value: float
    dimensions: tuple[tuple[Dimension, str], ...]

    @property
    def dimension_records(self) -> list[dict[str, str]]:
        """The dimensions in the shape that CloudWatch's API and the contract's file share."""
        return [{"Name": name, "Value": value} for name, value in self.dimensions]


def of_report(report: DriftReport) -> list[MetricValue]:
    """Return the metrics of a finished run; a figure that could not be computed is absent."""
    return [
        *_measure(report.endpoint, _figures(report)),
        *(
            measurement
            for feature in report.features
            for measurement in _measure(
                report.endpoint,
                [(Metric.FEATURE_DRIFT_SCORE, feature.effect(EffectMeasure.DRIFT_SCORE))],
                feature=feature.name,
            )
        ),
    ]


def of_failure(endpoint: str | None) -> list[MetricValue]:
    """Return the metrics of a run that ended without a report."""
    return _measure(endpoint, [(Metric.MONITOR_FAILURES, 1)])


def metrics_file(measurements: Sequence[MetricValue], timestamp: str) -> str:
    """Return the text of the contract's metrics file: one JSON object per line.

    Parameters
    ----------
    timestamp
        Time of publication, ISO 8601 in UTC with Z.
    """
    lines = [
        {
            "MetricName": measurement.metric,
            "Timestamp": timestamp,
            "Dimensions": measurement.dimension_records,
            "Value": measurement.value,
        }
        for measurement in measurements
    ]
    return "".join(json.dumps(line, allow_nan=False, sort_keys=True) + "\n" for line in lines)


def _figures(report: DriftReport) -> list[tuple[Metric, float | None]]:
    return [*_of_window(report), *_of_accuracy(report), *_of_labels(report)]


def _of_window(report: DriftReport) -> list[tuple[Metric, float | None]]:
    judged = report.verdict is not Verdict.NOT_JUDGED
    records = report.records
    return [
        (Metric.DRIFT_VERDICT, _drift(report.verdict, report.reason)),
        (Metric.DRIFTED_FEATURES, len(report.drifted_features) if judged else None),
        (Metric.PREDICTION_DRIFT_SCORE, report.prediction.effect(EffectMeasure.DRIFT_SCORE)),
        (Metric.MONITOR_RUNS, 1),
        (Metric.MONITOR_FAILURES, 0),
        (Metric.WINDOWS_WITHOUT_DATA, float(records_in_window(records) == 0)),
        (Metric.WINDOWS_NOT_JUDGED, float(not judged)),
        (Metric.INTERNAL_FAULTS, _faults(report)),
        (Metric.RECORDS_READ, records.read),
        (Metric.RECORDS_REJECTED, records.read - records.used),
        (Metric.UNREADABLE_ANSWER_FRACTION, report.answers.unreadable_fraction),
        (Metric.REJECTED_FRACTION, _rejected_fraction(records)),
        (Metric.ROWS_USED, report.n_rows),
        (Metric.SCHEMA_VIOLATIONS, _violations(report) if report.n_rows else None),
        (Metric.OVER_TIME_VERDICT, _verdict(report.over_time.verdict)),
        (Metric.DRIFTED_SEGMENTS, _drifted_segments(report)),
        (Metric.MULTIVARIATE_AUC, report.multivariate.area_under_curve),
        (Metric.MULTIVARIATE_VERDICT, _verdict(report.multivariate.verdict)),
        (Metric.ACCEPTED_FEATURES, len(report.accepted.features) if report.accepted.is_used and judged else None),
        (Metric.ATTRIBUTION_NDCG, report.attribution.ndcg),
    ]


def _of_accuracy(report: DriftReport) -> list[tuple[Metric, float | None]]:
    others = [one.projected_accuracy.verdict for one in report.variants if one.role is VariantRole.PRODUCTION]
    accuracy, label_shift = report.projected_accuracy, report.projected_accuracy.label_shift
    not_judged, suspected = accuracy.status is not Status.ESTIMATED, label_shift.status is Status.ESTIMATED
    return [
        (Metric.PROJECTED_ACCURACY, accuracy.estimate),
        (Metric.PROJECTED_ACCURACY_LOWER, accuracy.lower),
        (Metric.PROJECTED_ACCURACY_UPPER, accuracy.upper),
        (Metric.PROJECTIONS_NOT_JUDGED, float(not_judged) if report.n_rows else None),
        (Metric.PROJECTED_ACCURACY_DROP, _worst([accuracy.verdict, *others])),
        (Metric.LABEL_SHIFT_SUSPECTED, float(label_shift.selected) if suspected else None),
    ]


def _of_labels(report: DriftReport) -> list[tuple[Metric, float | None]]:
    quality = report.quality
    judged = quality.latest_judged
    bias = [report.bias.verdict, *([judged.bias.verdict] if judged else [])]
    verdicts = [verdict for one in bias if (verdict := _verdict(one)) is not None]
    found = [(Metric.BIAS_VERDICT, max(verdicts, default=None))]
    if not quality.is_switched_off:
        found += [
            (Metric.LABELLED_FRACTION, _coverage(quality)),
            (Metric.LABELS_REJECTED, quality.labels.read - quality.labels.used),
        ]
    if judged is None:
        return found
    others = _latest_of_production(report)
    return [
        *found,
        (Metric.REALISED_ACCURACY, judged.measure(Measure.ACCURACY).value),
        (Metric.REALISED_ACCURACY_DROP, _worst([judged.verdict, *(one.verdict for one in others)])),
        (Metric.CONCEPT_SHIFT_VERDICT, _worst([one.shift(Shift.CONCEPT).verdict for one in (judged, *others)])),
        (Metric.LABEL_SHIFT_VERDICT, _verdict(judged.shift(Shift.LABEL).verdict)),
    ]


def _latest_of_production(report: DriftReport) -> list[WindowQuality]:
    """Return the last judged window of each production variant, where there are several variants."""
    names = [one.variant for one in report.variants if one.role is VariantRole.PRODUCTION]
    windows = (QualityReport(windows=report.quality.variants.get(name, ())).latest_judged for name in names)
    return [window for window in windows if window is not None]


def _worst(verdicts: Sequence[Verdict]) -> float | None:
    """Return 1 if any is drift, 0 if none is and one was judged; callers of every production variant matter."""
    known = [value for verdict in verdicts if (value := _verdict(verdict)) is not None]
    return max(known, default=None)


def _coverage(quality: QualityReport) -> float | None:
    if not quality.windows:
        # Labels that are awaited and cannot be read, or not be judged, are none.
        return 0.0
    return quality.latest_final.labelled_fraction if quality.latest_final else None


def _rejected_fraction(records: RecordCounts) -> float | None:
    lost = loss(records)
    if lost is not None:
        return lost.fraction
    return 0.0 if records.used else None


def _faults(report: DriftReport) -> int:
    """Return how many parts of the report, and how many records and labels, a fault of ours cost."""
    of_labels = report.quality.labels.rejected.get(LabelRejectionReason.INTERNAL_FAULT, 0)
    of_records = report.records.rejected.get(RejectionReason.INTERNAL_FAULT, 0)
    return len(report.internal_faults) + of_records + of_labels


def _verdict(verdict: Verdict) -> float | None:
    return None if verdict is Verdict.NOT_JUDGED else float(verdict is Verdict.DRIFT)


def _drift(verdict: Verdict, reason: Reason | None) -> float | None:
    """Return a verdict of drift as a number; None where nothing but an unreadable column is behind it.

    Retraining would start on a broken payload; `Metric.SCHEMA_VIOLATIONS` counts such columns.
    """
    return None if has_code(reason, ReasonCode.COLUMNS_UNREADABLE) else _verdict(verdict)


def _violations(report: DriftReport) -> int:
    return sum(feature.violation is not None for feature in report.features)


def _drifted_segments(report: DriftReport) -> float | None:
    found = (_drift(segment.verdict, segment.reason) for segment in report.segments)
    verdicts = [verdict for verdict in found if verdict is not None]
    return sum(verdicts) if verdicts else None


def _measure(
    endpoint: str | None, figures: Iterable[tuple[Metric, float | None]], feature: str | None = None
) -> list[MetricValue]:
    named = ((Dimension.ENDPOINT, endpoint), (Dimension.FEATURE, feature))
    dimensions = tuple((name, _dimension_value(value)) for name, value in named if value)
    return [
        MetricValue(metric, float(value), dimensions)
        for metric, value in figures
        # PutMetricData refuses the whole batch for one NaN.
        if value is not None and finite(value) is not None
    ]


def _dimension_value(text: str) -> str:
    """Return `text` as CloudWatch accepts it: 1 to 1024 characters of printable ASCII, none of them a colon in front.

    One value that it refuses would cost the whole batch: a name of nothing but colons or white space becomes ``_``.
    """
    escaped = "".join(character if character.isprintable() else " " for character in text)
    accepted = escaped.encode("ascii", "backslashreplace").decode().lstrip(":")[:_MAX_DIMENSION_CHARACTERS]
    return accepted if accepted.strip() else "_"


_MAX_PER_REQUEST = 1000
"""PutMetricData's limit."""


def publish(measurements: Sequence[MetricValue], client: Any) -> None:
    """Publish the measurements, stamped by CloudWatch with the time of arrival.

    Without a time of their own: one stamped with its window would lie outside the alarm's evaluation range.

    Raises
    ------
    PublishError
        If CloudWatch refuses or cannot be reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    data = [
        {"MetricName": entry.metric.value, "Dimensions": entry.dimension_records, "Value": entry.value}
        for entry in measurements
    ]
    try:
        for first in range(0, len(data), _MAX_PER_REQUEST):
            client.put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data[first : first + _MAX_PER_REQUEST])
    except (BotoCoreError, ClientError) as error:
        raise PublishError(
            f"CloudWatch must accept the metrics, got {error}; allow cloudwatch:PutMetricData for the namespace "
            f"{METRIC_NAMESPACE} in the monitoring role"
        ) from error
