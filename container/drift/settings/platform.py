"""Where a run reports to; read apart from the settings, so that a run with broken settings reports too."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plumbline.contract.decoding import read_json
from plumbline.contract.names import PLATFORM_ROOT, MlPath, MonitorVariable, Variable
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.distribution import leads
from plumbline.drift.settings.environment import Variables

_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Paths of the exit message and metrics file, and the endpoint that the metrics are about."""

    ml_root: Path
    endpoint: str | None
    publish: bool
    region: str | None
    leads: bool = True
    """Whether this instance reports for the job."""

    @property
    def message_file(self) -> Path:
        """The exit message: its first 1024 bytes become the job's ExitMessage."""
        return self.ml_root / MlPath.MESSAGE

    @property
    def metrics_file(self) -> Path:
        """The metrics file of the bring-your-own-container contract."""
        return self.ml_root / MlPath.METRICS


def read_platform(environment: Mapping[str, str] = os.environ) -> Platform:
    """Read what even a run with broken settings needs in order to report its failure; nothing here is refused."""
    variables = Variables(environment)
    ml_root = Path(variables.text(Variable.ML_ROOT) or PLATFORM_ROOT)
    return Platform(
        ml_root=ml_root,
        endpoint=variables.text(MonitorVariable.ENDPOINT_NAME),
        publish=_publishes(variables),
        region=next(filter(None, map(variables.text, _REGION_VARIABLES)), None) or _region_of_job(ml_root),
        leads=leads(ml_root),
    )


def _publishes(variables: Variables) -> bool:
    try:
        return variables.switch(MonitorVariable.PUBLISH_CLOUDWATCH_METRICS)
    except ConfigError:
        return False


def _region_of_job(ml_root: Path) -> str | None:
    """Return the region in the job's own ARN: boto3 needs one and the platform may have set no variable for it."""
    try:
        arn = read_json((ml_root / MlPath.JOB_CONFIG).read_text())["ProcessingJobArn"]
        return str(arn).split(":")[3] or None
    except (OSError, ValueError, LookupError, TypeError):
        return None
