"""One page that shows whether the model still sees the traffic it was trained for."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract.names import METRIC_NAMESPACE, Dimension, Metric
from stacks.constructs.drift_alarms import metric
from stacks.constructs.model_endpoint import VARIANT

HALF = 12
FULL = 24


class DriftDashboard(Construct):
    """Dashboard of one endpoint: verdicts, scores, projected accuracy, records, the monitor and the endpoint.

    Parameters
    ----------
    multivariate
        Whether the monitor judges the features together: only then there is something to draw.
    """

    def __init__(  # noqa: PLR0913 - what the page shows, by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        endpoint_name: str,
        interval_hours: int,
        multivariate: bool,
        alarms: Iterable[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint, self._hours = endpoint_name, interval_hours
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=name)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", width=FULL, alarms=list(alarms)))
        dashboard.add_widgets(
            self._graph("Drifted features", Metric.DRIFTED_FEATURES, Metric.DRIFT_VERDICT), self._scores()
        )
        dashboard.add_widgets(
            self._graph("Against recent windows, and by segment", Metric.RECENT_DRIFT_VERDICT, Metric.DRIFTED_SEGMENTS),
            self._graph("Schema violations", Metric.SCHEMA_VIOLATIONS),
        )
        if multivariate:
            dashboard.add_widgets(
                self._graph("All features together: classifier's AUC", Metric.MULTIVARIATE_AUC, width=FULL)
            )
        dashboard.add_widgets(
            self._graph("Prediction drift score (percent)", Metric.PREDICTION_DRIFT_SCORE),
            self._graph(
                "Projected accuracy",
                Metric.PROJECTED_ACCURACY,
                Metric.PROJECTED_ACCURACY_LOWER,
                Metric.PROJECTED_ACCURACY_UPPER,
            ),
        )
        dashboard.add_widgets(
            self._graph("Records", Metric.RECORDS_READ, Metric.RECORDS_REJECTED, Metric.ROWS_USED, statistic="Sum"),
            self._graph(
                "Monitoring runs",
                Metric.MONITOR_RUNS,
                Metric.MONITOR_FAILURES,
                Metric.WINDOWS_WITHOUT_DATA,
                Metric.WINDOWS_NOT_JUDGED,
                statistic="Sum",
            ),
        )
        dashboard.add_widgets(
            cloudwatch.GraphWidget(title="Endpoint", width=FULL, left=[self._invocations()], right=self._errors())
        )

    def _graph(
        self, title: str, *names: Metric, statistic: str = "Maximum", width: int = HALF
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title, width=width, left=[metric(name, self._endpoint, statistic, self._hours) for name in names]
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
