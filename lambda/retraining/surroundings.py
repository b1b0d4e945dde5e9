"""What the controller looks up in AWS and the one thing that it starts: the only boto3 calls beside `shared`."""

from datetime import UTC, datetime
from typing import Any

from contract.champion import CHAMPION_HISTORY, ChampionHistory
from contract.names import Prefix
from contract.retraining import (
    PipelineParameter,
    SwitchPosition,
    champion_artifact,
    metadata_text,
    retraining_switch,
)
from retraining.decision import Facts
from retraining.fresh_rows import FreshRows
from retraining.occurrences import AlarmChange, AlarmState
from retraining.settings import Settings
from retraining.state import Run

GONE = "Gone"
"""Our own word for an execution that SageMaker no longer knows."""


class NotStartedError(Exception):
    """Raised when SageMaker refuses to start the execution; the text is SageMaker's."""


class Surroundings:
    """AWS around one endpoint's controller; clients are made on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, Any] = {}

    def facts(self, now: datetime) -> Facts:
        """Return the switch's position and what serves: the history says it, or the parameter until there is one."""
        switch, artifact = self._parameters()
        history = self._history()
        if history is None:
            return Facts(now, switch, artifact)
        live_from = history.live.live_from
        return Facts(
            now,
            switch,
            history.live.artifact,
            live_from=datetime.fromisoformat(live_from) if live_from else None,
            changing_from=history.changing_from,
        )

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        """Return the alarms of the rule that are in ALARM now."""
        names = list(self._settings.rule.alarm_names)
        pages = self._client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=names)
        return tuple(
            AlarmChange(
                alarm["AlarmName"],
                AlarmState.ALARM,
                alarm["StateUpdatedTimestamp"].astimezone(UTC),
                alarm.get("StateReason", ""),
            )
            for page in pages
            for alarm in page["MetricAlarms"]
            if alarm["StateValue"] == AlarmState.ALARM
        )

    def fresh_rows(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of labelled rows of the hours, `enough` at most."""
        bucket, endpoint = self._settings.capture_bucket, self._settings.rule.endpoint
        return FreshRows(self._client("s3"), bucket, endpoint).count(fresh_from, fresh_until, enough)

    def start(self, run: Run) -> str:
        """Start the run's execution, or find the one that its token started before, and return the ARN.

        Raises
        ------
        NotStartedError
            If SageMaker refuses.
        """
        from botocore.exceptions import ClientError

        try:
            answer = self._client("sagemaker").start_pipeline_execution(**start_request(self._settings, run))
        except ClientError as error:
            raise NotStartedError(str(error)) from error
        return str(answer["PipelineExecutionArn"])

    def status(self, execution: str) -> tuple[str, str]:
        """Return the status of an execution and, if it failed, why; `GONE` if there is none of that ARN."""
        client = self._client("sagemaker")
        try:
            answer = client.describe_pipeline_execution(PipelineExecutionArn=execution)
        except client.exceptions.ResourceNotFound:
            return GONE, "SageMaker no longer knows the execution"
        return answer["PipelineExecutionStatus"], answer.get("FailureReason", "")

    def _parameters(self) -> tuple[SwitchPosition | None, str | None]:
        """Return the switch and the live model's artifact; None for what cannot be read."""
        from botocore.exceptions import BotoCoreError, ClientError

        names = [retraining_switch(self._settings.environment), champion_artifact(self._settings.environment)]
        try:
            answer = self._client("ssm").get_parameters(Names=names)
        except (BotoCoreError, ClientError) as error:
            print(f"the parameters {' and '.join(names)} could not be read: {error}", flush=True)
            return None, None
        values = {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        position = str(values.get(names[0], "")).strip()
        switch = SwitchPosition(position) if position in tuple(SwitchPosition) else None
        return switch, values.get(names[1])

    def _history(self) -> ChampionHistory | None:
        """Return the history of champions; None: the promotion function has written none yet.

        Raises
        ------
        ValueError
            If there is one that cannot be read.
        """
        client = self._client("s3")
        key = f"{Prefix.CHAMPION}/{CHAMPION_HISTORY}"
        try:
            answer = client.get_object(Bucket=self._settings.artifacts_bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return None
        return ChampionHistory.from_json(answer["Body"].read().decode())

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            import boto3

            self._clients[service] = boto3.client(service, region_name=self._settings.region)
        return self._clients[service]


def start_request(settings: Settings, run: Run) -> dict[str, Any]:
    """Return the StartPipelineExecution request of a reserved run: the same run, the same request."""
    parameters = {
        PipelineParameter.CHAMPION_ARTIFACT: run.champion,
        PipelineParameter.FRESH_FROM: run.fresh_from,
        PipelineParameter.FRESH_UNTIL: run.fresh_until,
        PipelineParameter.CAUSE: metadata_text(run.cause),
    }
    return {
        "PipelineName": settings.pipeline_arn,
        "PipelineExecutionDisplayName": run.display_name,
        "ClientRequestToken": run.token,
        "PipelineParameters": [{"Name": name.value, "Value": value} for name, value in parameters.items()],
    }
