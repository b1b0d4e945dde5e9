"""What the controller reads from AWS, and the pipeline that it starts: its only boto3 calls apart from `shared`."""

from datetime import UTC, datetime
from typing import Any, Protocol

from plumbline.contract.evaluation import Evaluation
from plumbline.contract.names import Prefix
from plumbline.contract.prepared import Prepared
from plumbline.contract.retraining import (
    PipelineParameter,
    RetrainingFile,
    SwitchPosition,
    champion_artifact,
    metadata_text,
    retraining_switch,
)
from plumbline.contract.retraining_jobs import JobOutput
from plumbline.functions.retraining.decision import RetrainingFacts
from plumbline.functions.retraining.events import AlarmChange, AlarmState
from plumbline.functions.retraining.fresh_rows import FreshRowCounter
from plumbline.functions.retraining.settings import RetrainingSettings
from plumbline.functions.retraining.state import ReservedRun
from plumbline.functions.shared.aws_client import AwsClients, read_history

GONE = "Gone"
"""Status of an execution that SageMaker no longer knows; not one of SageMaker's own."""


class NotStartedError(Exception):
    """Raised when SageMaker refuses to start the execution; the text is SageMaker's."""


class AwsGatewayPort(Protocol):
    """What the controller reads and starts; `AwsGateway` in AWS, a fake in tests."""

    def facts(self, now: datetime) -> RetrainingFacts:
        """Return the switch's position and the champion."""

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        """Return the trigger alarms that are in ALARM."""

    def fresh_rows(self, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of fresh labelled rows, `enough` at most."""

    def new_rows(self, execution: str, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of fresh labelled rows that an execution did not read, `enough` at most."""

    def evaluation(self, execution: str) -> Evaluation | None:
        """Return the gate's evaluation of an execution's challenger; None: it could not be read."""

    def start(self, run: ReservedRun) -> str:
        """Start the run or find its execution, or raise `NotStartedError`."""

    def status(self, execution: str) -> tuple[str, str | None]:
        """Return an execution's status, and why it failed."""


class AwsGateway:
    """The AWS services around one endpoint's controller."""

    def __init__(self, settings: RetrainingSettings, clients: AwsClients) -> None:
        self._settings = settings
        self._clients = clients

    def facts(self, now: datetime) -> RetrainingFacts:
        """Return the switch's position and the champion: from its history, or from the parameter until there is one."""
        switch, artifact = self._parameters()
        history = read_history(self._clients, self._settings.artifacts_bucket)
        if history is None:
            return RetrainingFacts(now, switch, artifact)
        live_from = history.live.live_from
        return RetrainingFacts(
            now,
            switch,
            history.live.artifact,
            live_from=datetime.fromisoformat(live_from) if live_from else None,
            changing_from=history.changing_from,
        )

    def alarms_on(self) -> tuple[AlarmChange, ...]:
        """Return the trigger alarms that are in ALARM now."""
        names = list(self._settings.policy.alarm_names)
        if not names:
            # DescribeAlarms without a name returns every alarm of the account.
            return ()
        pages = self._clients["cloudwatch"].get_paginator("describe_alarms").paginate(AlarmNames=names)
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
        """Return the number of labelled rows captured from `fresh_from` until `fresh_until`, `enough` at most."""
        return self._counter.count(fresh_from, fresh_until, enough)

    def new_rows(self, execution: str, fresh_from: str, fresh_until: str, enough: int) -> int:
        """Return the number of labelled rows of these hours that an execution did not read, `enough` at most.

        Where its account cannot be read, every row is new: a run too many does less harm than none for ever.
        """
        text = self._text(execution, JobOutput.PREPARED, RetrainingFile.PREPARED)
        try:
            seen = Prepared.from_json(text).hours if text is not None else {}
        except ValueError as error:
            print(f"the account of {execution} could not be read: {error}", flush=True)
            seen = {}
        return self._counter.count_new(fresh_from, fresh_until, enough, seen)

    def evaluation(self, execution: str) -> Evaluation | None:
        """Return the gate's evaluation of an execution's challenger; None: it could not be read."""
        text = self._text(execution, JobOutput.EVALUATION, RetrainingFile.EVALUATION)
        try:
            return None if text is None else Evaluation.from_json(text)
        except ValueError as error:
            print(f"the evaluation of {execution} could not be read: {error}", flush=True)
            return None

    @property
    def _counter(self) -> FreshRowCounter:
        return FreshRowCounter(self._clients["s3"], self._settings.capture_bucket, self._settings.endpoint)

    def _text(self, execution: str, folder: JobOutput, file: RetrainingFile) -> str | None:
        """Return a file that an execution left; None: it could not be read."""
        from botocore.exceptions import BotoCoreError, ClientError

        key = f"{Prefix.RETRAINING}/{execution.rpartition('/')[2]}/{folder}/{file}"
        try:
            answer = self._clients["s3"].get_object(Bucket=self._settings.artifacts_bucket, Key=key)
            text: str = answer["Body"].read().decode()
        except (BotoCoreError, ClientError, UnicodeDecodeError) as error:
            print(f"{key} could not be read: {error}", flush=True)
            return None
        return text

    def start(self, run: ReservedRun) -> str:
        """Start the run's execution, or find the one that its token started before, and return the ARN.

        Raises
        ------
        NotStartedError
            If SageMaker refuses.
        """
        from botocore.exceptions import ClientError

        try:
            answer = self._clients["sagemaker"].start_pipeline_execution(**start_request(self._settings, run))
        except ClientError as error:
            raise NotStartedError(str(error)) from error
        return str(answer["PipelineExecutionArn"])

    def status(self, execution: str) -> tuple[str, str | None]:
        """Return the status of an execution and, if it failed, why; `GONE` if there is none of that ARN."""
        client = self._clients["sagemaker"]
        try:
            answer = client.describe_pipeline_execution(PipelineExecutionArn=execution)
        except client.exceptions.ResourceNotFound:
            return GONE, "SageMaker no longer knows the execution"
        return answer["PipelineExecutionStatus"], answer.get("FailureReason")

    def _parameters(self) -> tuple[SwitchPosition | None, str | None]:
        """Return the switch and the champion's artifact; None for what cannot be read."""
        from botocore.exceptions import BotoCoreError, ClientError

        names = [retraining_switch(self._settings.environment), champion_artifact(self._settings.environment)]
        try:
            answer = self._clients["ssm"].get_parameters(Names=names)
        except (BotoCoreError, ClientError) as error:
            print(f"the parameters {' and '.join(names)} could not be read: {error}", flush=True)
            return None, None
        values = {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}
        position = str(values.get(names[0], "")).strip()
        switch = SwitchPosition(position) if position in tuple(SwitchPosition) else None
        return switch, values.get(names[1])


def start_request(settings: RetrainingSettings, run: ReservedRun) -> dict[str, Any]:
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
