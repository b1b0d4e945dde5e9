"""The monitoring job, as both engines start it."""

from dataclasses import dataclass

from contract.names import PLATFORM_ROOT, Argument, Switch, Variable
from stacks.config import Monitor, Network
from stacks.config_thresholds import Thresholds

INPUT_PATH = f"{PLATFORM_ROOT}/processing/input/endpoint"
OUTPUT_PATH = f"{PLATFORM_ROOT}/processing/output"
UPLOAD_MODE = "EndOfJob"
"""A run that dies leaves no half of a report."""


@dataclass(frozen=True, kw_only=True)
class MonitorJob:
    """Everything of the job that does not depend on who starts it.

    `capture_uri` is the endpoint's own folder, `report_uri` the root that the engine's key layout hangs below;
    `policy_uri` names the rules of single features, None when there are none.
    """

    image_uri: str
    role_arn: str
    key_arn: str
    endpoint_name: str
    schedule_name: str
    capture_uri: str
    report_uri: str
    baseline_uri: str
    policy_uri: str | None
    target_label: str
    region: str
    monitor: Monitor
    thresholds: Thresholds
    network: Network | None

    @property
    def arguments(self) -> list[str]:
        """The container's arguments."""
        policy = [Argument.POLICY.value, self.policy_uri] if self.policy_uri else []
        return [Argument.BASELINE.value, self.baseline_uri, Argument.TARGET_LABEL.value, self.target_label, *policy]

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment, beside what the engine sets; what the file leaves out is not set."""
        monitor, thresholds = self.monitor, self.thresholds
        values = {
            Variable.ALPHA: thresholds.alpha,
            Variable.EFFECT_MEASURE: thresholds.effect_measure.value,
            Variable.EFFECT_THRESHOLD: thresholds.effect_threshold,
            Variable.MISSING_THRESHOLD: thresholds.missing_threshold,
            Variable.MINIMUM_ROWS: thresholds.minimum_rows,
            Variable.DRIFTED_SHARE: thresholds.drifted_share,
            Variable.ISOLATION_FOREST: _switch(monitor.isolation_forest),
            Variable.MULTIVARIATE: _switch(monitor.multivariate),
            Variable.VARIANT: monitor.variant,
            Variable.RECENT_WINDOWS: monitor.recent_windows,
            Variable.REPORTS_S3_URI: self.report_uri if monitor.recent_windows else None,
            Variable.SPARK_ABOVE_GB: monitor.spark_above_gb,
            Variable.SPARK_MASTER: monitor.spark_master,
        }
        return {"AWS_DEFAULT_REGION": self.region} | {
            name.value: str(value) for name, value in values.items() if value is not None
        }


def _switch(on: bool) -> str:
    return Switch.ENABLED.value if on else Switch.DISABLED.value
