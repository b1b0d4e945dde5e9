"""CloudWatch dashboard of one endpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from plumbline.contract.names import METRIC_NAMESPACE, Dimension, Metric
from plumbline.contract.retraining import RetrainingMetric
from plumbline.stacks.config.thresholds import LabelsSection
from plumbline.stacks.constructs.alarms.alarm_rules import AlarmKind, EndpointMetric, Graph
from plumbline.stacks.constructs.alarms.drift_alarms import endpoint_metric, own_metric

HALF = 12
FULL = 24
ENDPOINT_PERIOD = Duration.minutes(5)
PROJECTED = (Metric.PROJECTED_ACCURACY, Metric.PROJECTED_ACCURACY_LOWER, Metric.PROJECTED_ACCURACY_UPPER)


@dataclass(frozen=True, kw_only=True)
class DashboardOptions:
    """Optional analyses and labels: their graphs are drawn only where they are switched on."""

    multivariate: bool
    attribution: bool
    bias: bool
    labels: LabelsSection | None


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
        options: DashboardOptions,
        alarms: Mapping[AlarmKind, cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint, self._hours, self._options = endpoint_name, interval_hours, options
        self._kinds = list(alarms)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", width=FULL, alarms=list(alarms.values())))
        for row in (*self._drift(), *self._quality(), *self._retraining(), *self._operations()):
            dashboard.add_widgets(*row)

    def _drift(self) -> Iterable[list[cloudwatch.IWidget]]:
        features = (Metric.DRIFTED_FEATURES, Metric.ACCEPTED_FEATURES, Metric.DRIFT_VERDICT)
        yield [self._graph(Graph.DRIFTED_FEATURES, *features), self._scores()]
        yield [
            self._graph(Graph.OVER_TIME, Metric.OVER_TIME_VERDICT, Metric.DRIFTED_SEGMENTS),
            self._graph(Graph.SCHEMA, Metric.SCHEMA_VIOLATIONS),
        ]
        if self._options.multivariate:
            yield [self._graph("All features together: classifier's AUC", Metric.MULTIVARIATE_AUC, width=FULL)]
        if self._options.attribution:
            yield [self._graph("Order of the features' attributions: NDCG", Metric.ATTRIBUTION_NDCG, width=FULL)]

    def _quality(self) -> Iterable[list[cloudwatch.IWidget]]:
        labels = self._options.labels
        title = "Accuracy: projected, and realised in the last labelled window" if labels else "Projected accuracy"
        yield [
            self._graph("Prediction drift score (percent)", Metric.PREDICTION_DRIFT_SCORE),
            self._graph(title, *PROJECTED, *([Metric.REALISED_ACCURACY] if labels else [])),
        ]
        verdicts = [Metric.PROJECTED_ACCURACY_DROP, Metric.PROJECTIONS_NOT_JUDGED, Metric.LABEL_SHIFT_SUSPECTED]
        if self._options.bias:
            verdicts.append(Metric.BIAS_VERDICT)
        unlabelled = self._graph(Graph.UNLABELLED_VERDICTS, *verdicts, width=HALF if labels else FULL)
        if labels is None:
            yield [unlabelled]
            return
        by_labels = (Metric.REALISED_ACCURACY_DROP, Metric.CONCEPT_SHIFT_VERDICT, Metric.LABEL_SHIFT_VERDICT)
        yield [unlabelled, self._graph(Graph.LABELLED_VERDICTS, *by_labels)]
        yield [
            self._labelled_fraction(labels.minimum_labelled_fraction),
            self._graph("Labels rejected", Metric.LABELS_REJECTED),
        ]

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
                Graph.MONITORING_RUNS,
                Metric.MONITOR_RUNS,
                Metric.MONITOR_FAILURES,
                Metric.WINDOWS_WITHOUT_DATA,
                Metric.WINDOWS_NOT_JUDGED,
                statistic="Sum",
            ),
        ]
        yield [self._graph(Graph.REJECTED_FRACTION, width=FULL)]
        yield [self._of_endpoint()]

    def _graph(
        self, title: str, *names: Metric | RetrainingMetric, statistic: str = "Maximum", width: int = HALF
    ) -> cloudwatch.GraphWidget:
        """Return the graph of `names`, and of what else the alarms declare to be shown in it."""
        declared = [kind.rule.metric for kind in self._kinds if kind.rule.graph == title]
        others = [name for name in declared if isinstance(name, Metric) and name not in names]
        return cloudwatch.GraphWidget(
            title=str(title),
            width=width,
            left=[own_metric(name, self._endpoint, statistic, self._hours) for name in (*names, *others)],
        )

    def _labelled_fraction(self, minimum: float) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=Graph.LABELLED_FRACTION.value,
            width=HALF,
            left=[own_metric(Metric.LABELLED_FRACTION, self._endpoint, "Minimum", self._hours)],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=minimum, label="not judged below")],
        )

    def _scores(self) -> cloudwatch.GraphWidget:
        # A search expression, because the stacks do not know the features.
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

    def _of_endpoint(self) -> cloudwatch.GraphWidget:
        errors = (
            ("Invocation4XXErrors", "Sum"),
            (EndpointMetric.SERVER_ERRORS, "Sum"),
            (EndpointMetric.LATENCY, "p99"),
        )
        return cloudwatch.GraphWidget(
            title=Graph.ENDPOINT.value,
            width=FULL,
            left=[endpoint_metric("Invocations", self._endpoint, "Sum", ENDPOINT_PERIOD)],
            right=[endpoint_metric(name, self._endpoint, statistic, ENDPOINT_PERIOD) for name, statistic in errors],
        )
