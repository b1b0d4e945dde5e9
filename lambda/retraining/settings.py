"""The controller's settings: the only place that knows its environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from plumbline.contract.retraining import LoopVariable
from plumbline.functions.shared.environment import (
    LoopSettings,
    items,
    loop_settings,
    number,
    required,
    whole_number,
)


@dataclass(frozen=True, kw_only=True)
class RetrainingPolicy:
    """Which alarms start a retraining, how often, and on how many rows.

    Parameters
    ----------
    alarm_names
        The alarms that start retraining; all others only notify people. Empty: only people start one.
    cooldown
        Shortest time between two starts, and between a promotion and a start.
    runs_per_day
        Most starts within 24 hours.
    fresh_period
        Labelled captures of this time before a run are its fresh rows.
    min_fresh_rows
        With fewer labelled rows nothing is started.
    rules
        Digest of the settings by which challengers are trained and judged.
    """

    alarm_names: tuple[str, ...]
    cooldown: timedelta
    runs_per_day: int
    fresh_period: timedelta
    min_fresh_rows: int
    rules: str


@dataclass(frozen=True, kw_only=True)
class RetrainingSettings(LoopSettings):
    """The controller's settings as the monitoring stack sets them."""

    capture_bucket: str
    pipeline_arn: str
    policy: RetrainingPolicy

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "RetrainingSettings":
        """Read the environment variables.

        Raises
        ------
        SettingsError
            If a variable is missing or empty, or a number cannot be read.
        """
        common = loop_settings(environ)
        policy = RetrainingPolicy(
            alarm_names=items(environ, LoopVariable.TRIGGER_ALARM_NAMES),
            cooldown=timedelta(hours=number(environ, LoopVariable.COOLDOWN_HOURS)),
            runs_per_day=whole_number(environ, LoopVariable.RUNS_PER_DAY),
            fresh_period=timedelta(hours=whole_number(environ, LoopVariable.FRESH_HOURS)),
            min_fresh_rows=whole_number(environ, LoopVariable.MINIMUM_FRESH_ROWS),
            rules=required(environ, LoopVariable.RETRAINING_RULES),
        )
        return cls(
            **common,
            capture_bucket=required(environ, LoopVariable.CAPTURE_BUCKET),
            pipeline_arn=required(environ, LoopVariable.PIPELINE_ARN),
            policy=policy,
        )
