"""The monitoring job, as both engines start it."""

from dataclasses import dataclass

from contract.names import PLATFORM_ROOT, Argument, Switch, Variable
from stacks.config import MonitorSection, NetworkSection
from stacks.config_thresholds import BiasSection, LabelsSection, TableSection, ThresholdsSection

INPUT_PATH = f"{PLATFORM_ROOT}/processing/input/endpoint"
OUTPUT_PATH = f"{PLATFORM_ROOT}/processing/output"
UPLOAD_MODE = "EndOfJob"
"""A run that dies leaves no half of a report."""

Values = dict[Variable, str | float | None]


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """Labels that are awaited: where they arrive, and the root below which captures joined with them are written."""

    settings: LabelsSection
    labels_uri: str
    merged_uri: str


@dataclass(frozen=True, kw_only=True)
class MonitorJob:
    """Everything of the job that does not depend on who starts it.

    `capture_uri` is the endpoint's own folder, `report_uri` the root that the engine's key layout hangs below.
    `policy_uri` names the rules of single features, and `model_uri` the artifact whose attributions are computed.
    None: there are no such rules, no attributions, no labels, no groups. `champion_uri` names the history of the models
    that served, which says what baseline a window is judged against; `baseline_uri` is that of the first of them.
    """

    image_uri: str
    role_arn: str
    key_arn: str
    endpoint_name: str
    schedule_name: str
    capture_uri: str
    report_uri: str
    baseline_uri: str
    champion_uri: str
    policy_uri: str | None
    model_uri: str | None
    target_label: str
    region: str
    monitor: MonitorSection
    thresholds: ThresholdsSection
    ground_truth: GroundTruth | None
    bias: BiasSection | None
    network: NetworkSection | None

    @property
    def arguments(self) -> list[str]:
        """The container's arguments."""
        policy = [Argument.POLICY.value, self.policy_uri] if self.policy_uri else []
        return [Argument.BASELINE.value, self.baseline_uri, Argument.TARGET_LABEL.value, self.target_label, *policy]

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment, beside what the engine sets; what the file leaves out is not set."""
        values = _extras(self)
        sections: list[TableSection] = [self.thresholds]
        if self.ground_truth:
            values |= _labels(self.ground_truth) | {Variable.CAPTURE_S3_URI: self.capture_uri}
            sections.append(self.ground_truth.settings)
        if self.bias:
            values[Variable.FACET] = self.bias.facet
            sections.append(self.bias)
        given = {name.value: str(value) for name, value in values.items() if value is not None}
        thresholds = {name: value for section in sections for name, value in section.variables().items()}
        return {"AWS_DEFAULT_REGION": self.region} | thresholds | given


def _extras(job: MonitorJob) -> Values:
    monitor = job.monitor
    return {
        Variable.ISOLATION_FOREST: _switch(monitor.isolation_forest),
        Variable.MULTIVARIATE: _switch(monitor.multivariate),
        Variable.MODEL_S3_URI: job.model_uri,
        Variable.CHAMPION_S3_URI: job.champion_uri,
        Variable.VARIANT: monitor.variant,
        Variable.RECENT_WINDOWS: monitor.recent_windows,
        Variable.REPORTS_S3_URI: job.report_uri if monitor.recent_windows else None,
        Variable.SPARK_ABOVE_GB: monitor.spark_above_gb,
        Variable.SPARK_MASTER: monitor.spark_master,
    }


def _labels(ground_truth: GroundTruth) -> Values:
    return {
        Variable.LABELS_S3_URI: ground_truth.labels_uri,
        Variable.LABEL_LAG_HOURS: ground_truth.settings.lag_hours,
        Variable.MERGED_S3_URI: ground_truth.merged_uri,
    }


def _switch(on: bool) -> str:
    return Switch.ENABLED.value if on else Switch.DISABLED.value
