"""One page that shows whether the model still sees the traffic it was trained for, and whether it is still right."""

from collections.abc import Iterable
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract.names import METRIC_NAMESPACE, Dimension, Metric
from contract.retraining import RetrainingMetric
from stacks.config_thresholds import Labels
from stacks.constructs.alarm_rules import metric
from stacks.constructs.model_endpoint import VARIANT

HALF = 12
FULL = 24
PROJECTED = (Metric.PROJECTED_ACCURACY, Metric.PROJECTED_ACCURACY_LOWER, Metric.PROJECTED_ACCURACY_UPPER)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the monitor does beyond the comparison of each feature: only then there is something to draw."""

    multivariate: bool
    attribution: bool
    bias: bool
    labels: Labels | None


class DriftDashboard(Construct):
    """Dashboard of one endpoint: verdicts, scores, accuracy, labels, retraining, records, monitor, endpoint."""

    def __init__(  # noqa: PLR0913 - what the page shows, by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        endpoint_name: str,
        interval_hours: int,
        shown: Shown,
        alarms: Iterable[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint, self._hours, self._shown = endpoint_name, interval_hours, shown
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", width=FULL, alarms=list(alarms)))
        for row in (*self._drift(), *self._quality(), *self._retraining(), *self._operations()):
            dashboard.add_widgets(*row)

    def _drift(self) -> Iterable[list[cloudwatch.IWidget]]:
        yield [self._graph("Drifted features", Metric.DRIFTED_FEATURES, Metric.DRIFT_VERDICT), self._scores()]
        yield [
            self._graph("Against recent windows, and by segment", Metric.RECENT_DRIFT_VERDICT, Metric.DRIFTED_SEGMENTS),
            self._graph("Schema violations", Metric.SCHEMA_VIOLATIONS),
        ]
        if self._shown.multivariate:
            yield [self._graph("All features together: classifier's AUC", Metric.MULTIVARIATE_AUC, width=FULL)]
        if self._shown.attribution:
            yield [self._graph("Order of the features' attributions: NDCG", Metric.ATTRIBUTION_NDCG, width=FULL)]

    def _quality(self) -> Iterable[list[cloudwatch.IWidget]]:
        labels = self._shown.labels
        title = "Accuracy: projected, and realised in the last labelled window" if labels else "Projected accuracy"
        yield [
            self._graph("Prediction drift score (percent)", Metric.PREDICTION_DRIFT_SCORE),
            self._graph(title, *PROJECTED, *([Metric.REALISED_ACCURACY] if labels else [])),
        ]
        verdicts = [Metric.ACCURACY_VERDICT, Metric.PROJECTIONS_REFUSED, Metric.LABEL_SHIFT_SUSPECTED]
        if self._shown.bias:
            verdicts.append(Metric.BIAS_VERDICT)
        unlabelled = self._graph("Verdicts without labels", *verdicts, width=HALF if labels else FULL)
        if labels is None:
            yield [unlabelled]
            return
        by_labels = (Metric.QUALITY_VERDICT, Metric.CONCEPT_SHIFT_VERDICT, Metric.LABEL_SHIFT_VERDICT)
        yield [unlabelled, self._graph("Verdicts of the last labelled window", *by_labels)]
        yield [self._coverage(labels.minimum_labelled_fraction), self._graph("Labels rejected", Metric.LABELS_REJECTED)]

    def _retraining(self) -> Iterable[list[cloudwatch.IWidget]]:
        yield [
            self._graph(
                "Retraining",
                RetrainingMetric.STARTED,
                RetrainingMetric.SKIPPED,
                RetrainingMetric.FAILED,
                statistic="Sum",
            ),
            self._graph(
                "Challengers and promotions",
                RetrainingMetric.CHALLENGERS_ACCEPTED,
                RetrainingMetric.CHALLENGERS_REJECTED,
                RetrainingMetric.PROMOTED,
                RetrainingMetric.ROLLED_BACK,
                statistic="Sum",
            ),
        ]

    def _operations(self) -> Iterable[list[cloudwatch.IWidget]]:
        yield [
            self._graph("Records", Metric.RECORDS_READ, Metric.RECORDS_REJECTED, Metric.ROWS_USED, statistic="Sum"),
            self._graph(
                "Monitoring runs",
                Metric.MONITOR_RUNS,
                Metric.MONITOR_FAILURES,
                Metric.WINDOWS_WITHOUT_DATA,
                Metric.WINDOWS_NOT_JUDGED,
                statistic="Sum",
            ),
        ]
        yield [cloudwatch.GraphWidget(title="Endpoint", width=FULL, left=[self._invocations()], right=self._errors())]

    def _graph(
        self, title: str, *names: Metric | RetrainingMetric, statistic: str = "Maximum", width: int = HALF
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title, width=width, left=[metric(name, self._endpoint, statistic, self._hours) for name in names]
        )

    def _coverage(self, least: float) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title="Label coverage",
            width=HALF,
            left=[metric(Metric.LABEL_COVERAGE, self._endpoint, "Minimum", self._hours)],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=least, label="not judged below")],
        )

    def _scores(self) -> cloudwatch.GraphWidget:
        # A search, because the stacks do not know the features.
        schema = f"{METRIC_NAMESPACE},{Dimension.ENDPOINT},{Dimension.FEATURE}"
        query = f'MetricName="{Metric.FEATURE_DRIFT_SCORE}" {Dimension.ENDPOINT}="{self._endpoint}"'
        period = self._hours * 3600
        return cloudwatch.GraphWidget(
            title="Drift score of each feature (percent)",
            width=HALF,
            left=[
                cloudwatch.MathExpression(
                    expression=f"SEARCH('{{{schema}}} {query}', 'Maximum', {period})",
                    using_metrics={},
                    label="",
                    period=Duration.seconds(period),
                )
            ],
        )

    def _invocations(self) -> cloudwatch.Metric:
        return self._sagemaker("Invocations", "Sum")

    def _errors(self) -> list[cloudwatch.IMetric]:
        return [
            self._sagemaker("Invocation4XXErrors", "Sum"),
            self._sagemaker("Invocation5XXErrors", "Sum"),
            self._sagemaker("ModelLatency", "p99"),
        ]

    def _sagemaker(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self._endpoint, "VariantName": VARIANT},
            statistic=statistic,
            period=Duration.minutes(5),
        )
