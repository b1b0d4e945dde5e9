"""The promotion function's settings: the only place that knows its environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass

from plumbline.contract.retraining import LoopVariable, Traffic, promoted_prefix
from plumbline.functions.shared.environment import (
    LoopSettings,
    SettingsError,
    loop_settings,
    required,
    required_items,
    whole_number,
)


@dataclass(frozen=True)
class RolloutPolicy:
    """How traffic moves to a promoted model, and which alarms stop it.

    Parameters
    ----------
    canary_percent
        Percentage of the instances that serves first; None: all traffic moves at once.
    wait_seconds
        How long the alarms are watched, after the canary and again after all traffic has moved.
    alarm_names
        The alarms on which the endpoint goes back.
    """

    canary_percent: int | None
    wait_seconds: int
    alarm_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PromotionSettings(LoopSettings):
    """The promotion function's settings as the monitoring stack sets them."""

    model_package_group: str
    serving_role_arn: str
    rollout: RolloutPolicy

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "PromotionSettings":
        """Read the environment variables.

        Raises
        ------
        SettingsError
            If a variable is missing or empty, or out of its range.
        """
        return cls(
            **loop_settings(environ),
            model_package_group=required(environ, LoopVariable.MODEL_PACKAGE_GROUP),
            serving_role_arn=required(environ, LoopVariable.SERVING_ROLE_ARN),
            rollout=_rollout(environ),
        )

    @property
    def prefix(self) -> str:
        """Prefix of the Models and EndpointConfigs that the function creates."""
        return promoted_prefix(self.environment)

    @property
    def state_id(self) -> str:
        """Id of the function's document in the state table."""
        return f"{self.endpoint}/promotion"


def _rollout(environ: Mapping[str, str]) -> RolloutPolicy:
    text = required(environ, LoopVariable.TRAFFIC)
    if text not in tuple(Traffic):
        raise SettingsError(
            f"environment variable {LoopVariable.TRAFFIC} must be one of {', '.join(Traffic)}, got {text!r}; deploy "
            "the monitoring stack again"
        )
    percent = whole_number(environ, LoopVariable.CANARY_PERCENT) if text == Traffic.CANARY else None
    return RolloutPolicy(
        percent,
        whole_number(environ, LoopVariable.WAIT_SECONDS),
        required_items(environ, LoopVariable.ROLLBACK_ALARM_NAMES),
    )
