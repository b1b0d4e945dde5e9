"""The monitoring job, as both engines start it."""

from dataclasses import dataclass

from contract.names import PLATFORM_ROOT, Argument, Switch, Variable
from stacks.config import Monitor, Network, Thresholds

INPUT_PATH = f"{PLATFORM_ROOT}/processing/input/endpoint"
OUTPUT_PATH = f"{PLATFORM_ROOT}/processing/output"
UPLOAD_MODE = "EndOfJob"
"""A run that dies leaves no half of a report."""


@dataclass(frozen=True, kw_only=True)
class MonitorJob:
    """Everything of the job that does not depend on who starts it.

    `capture_uri` is the endpoint's own folder, `report_uri` the root that the engine's key layout hangs below.
    """

    image_uri: str
    role_arn: str
    key_arn: str
    endpoint_name: str
    schedule_name: str
    capture_uri: str
    report_uri: str
    baseline_uri: str
    target_label: str
    region: str
    monitor: Monitor
    thresholds: Thresholds
    network: Network | None

    @property
    def arguments(self) -> list[str]:
        """The container's arguments."""
        return [Argument.BASELINE.value, self.baseline_uri, Argument.TARGET_LABEL.value, self.target_label]

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment, beside what the engine sets."""
        switch = Switch.ENABLED if self.monitor.isolation_forest else Switch.DISABLED
        return {
            "AWS_DEFAULT_REGION": self.region,
            Variable.ALPHA.value: str(self.thresholds.alpha),
            Variable.EFFECT_THRESHOLD.value: str(self.thresholds.effect_threshold),
            Variable.MISSING_THRESHOLD.value: str(self.thresholds.missing_threshold),
            Variable.MINIMUM_ROWS.value: str(self.thresholds.minimum_rows),
            Variable.ISOLATION_FOREST.value: switch.value,
        }
