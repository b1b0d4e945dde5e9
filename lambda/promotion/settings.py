"""The function's environment, parsed once; the only place that knows how it is spelled."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.environment import SettingsError, required, required_items, whole_number

from contract.retraining import LoopVariable, Traffic, promoted_prefix


@dataclass(frozen=True)
class Guard:
    """How carefully the endpoint is moved.

    Parameters
    ----------
    canary_percent
        Share of the instances that answers first; None: all traffic moves at once.
    wait_seconds
        How long the alarms are watched, after the canary and again after all traffic has moved.
    alarm_names
        The alarms on which the endpoint goes back.
    """

    canary_percent: int | None
    wait_seconds: int
    alarm_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack told the function."""

    environment: str
    region: str
    endpoint: str
    topic_arn: str
    state_table: str
    artifacts_bucket: str
    model_package_group: str
    serving_role_arn: str
    guard: Guard

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables.

        Raises
        ------
        SettingsError
            If a variable is missing or empty, or breaks its rule.
        """
        return cls(
            environment=required(environ, LoopVariable.ENVIRONMENT),
            region=required(environ, "AWS_REGION"),
            endpoint=required(environ, LoopVariable.ENDPOINT_NAME),
            topic_arn=required(environ, LoopVariable.TOPIC_ARN),
            state_table=required(environ, LoopVariable.STATE_TABLE),
            artifacts_bucket=required(environ, LoopVariable.ARTIFACTS_BUCKET),
            model_package_group=required(environ, LoopVariable.MODEL_PACKAGE_GROUP),
            serving_role_arn=required(environ, LoopVariable.SERVING_ROLE_ARN),
            guard=_guard(environ),
        )

    @property
    def prefix(self) -> str:
        """Prefix of the Models and EndpointConfigs that the function makes."""
        return promoted_prefix(self.environment)

    @property
    def state_id(self) -> str:
        """Id of the function's own document in the table."""
        return f"{self.endpoint}/promotion"


def _guard(environ: Mapping[str, str]) -> Guard:
    text = required(environ, LoopVariable.TRAFFIC)
    if text not in tuple(Traffic):
        raise SettingsError(
            f"environment variable {LoopVariable.TRAFFIC} must be one of {', '.join(Traffic)}, got {text!r}; deploy "
            "the monitoring stack again"
        )
    percent = whole_number(environ, LoopVariable.CANARY_PERCENT) if text == Traffic.CANARY else None
    return Guard(
        percent,
        whole_number(environ, LoopVariable.WAIT_SECONDS),
        required_items(environ, LoopVariable.ROLLBACK_ALARM_NAMES),
    )
