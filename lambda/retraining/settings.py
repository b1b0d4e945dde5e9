"""The function's environment, parsed once; the only place that knows how it is spelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.environment import number, required, required_items, whole_number

from contract.retraining import LoopVariable
from retraining.decision import Rule


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the stack told the function."""

    environment: str
    region: str
    topic_arn: str
    state_table: str
    artifacts_bucket: str
    capture_bucket: str
    pipeline_arn: str
    rule: Rule

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables.

        Raises
        ------
        SettingsError
            If a variable is missing or empty, or a number cannot be read.
        """
        rule = Rule(
            endpoint=required(environ, LoopVariable.ENDPOINT_NAME),
            alarm_names=required_items(environ, LoopVariable.TRIGGER_ALARM_NAMES),
            cooldown=timedelta(hours=number(environ, LoopVariable.COOLDOWN_HOURS)),
            runs_per_day=whole_number(environ, LoopVariable.RUNS_PER_DAY),
            fresh=timedelta(hours=whole_number(environ, LoopVariable.FRESH_HOURS)),
            minimum_fresh_rows=whole_number(environ, LoopVariable.MINIMUM_FRESH_ROWS),
        )
        return cls(
            environment=required(environ, LoopVariable.ENVIRONMENT),
            region=required(environ, "AWS_REGION"),
            topic_arn=required(environ, LoopVariable.TOPIC_ARN),
            state_table=required(environ, LoopVariable.STATE_TABLE),
            artifacts_bucket=required(environ, LoopVariable.ARTIFACTS_BUCKET),
            capture_bucket=required(environ, LoopVariable.CAPTURE_BUCKET),
            pipeline_arn=required(environ, LoopVariable.PIPELINE_ARN),
            rule=rule,
        )
