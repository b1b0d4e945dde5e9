"""One step of a pipeline's execution: the API calls that the pipeline's role makes for it."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.events import iso
from plumbline.local.aws.objects import S3Location
from plumbline.local.aws.pipelines.definition import CONDITION, FAIL, NAMES, OPERATIONS, Definition, Step
from plumbline.local.aws.pipelines.executions import EXECUTING, STOPPING, TOKEN_LENGTH, token
from plumbline.local.aws.pipelines.expressions import ExpressionError, all_hold, resolve, walk

_POLL_SECONDS: Final = 0.25
_MAX_NAME_IN_JOB: Final = 20
"""Characters of a step's name in the name of its job, when there is no custom prefix."""

Record = Mapping[str, Any]
Report = Callable[..., None]
"""Receives a step's new status, and members of its description by name."""


class StepError(Exception):
    """Raised when a step fails; the text becomes its FailureReason. `ends` is the whole execution's, if it has one."""

    def __init__(self, reason: str, *, ends: str = "") -> None:
        super().__init__(reason)
        self.ends = ends


class StepStopped(Exception):
    """Raised when a step ended because its execution is being stopped."""


@dataclass
class PipelineRun:
    """One execution while it runs.

    Parameters
    ----------
    client
        Takes a service and returns a client that acts as the pipeline's role.
    results
        Description of the job, model or package of each step that has succeeded.
    """

    record: Record
    definition: Definition
    client: Callable[[str], Any]
    clock: Callable[[], float]
    stop: threading.Event = field(default_factory=threading.Event)
    results: dict[str, Record] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return str(self.record["PipelineExecutionArn"])

    @property
    def identity(self) -> str:
        """The execution's id."""
        return self.arn.rsplit("/", 1)[-1]

    def parameter(self, name: str) -> Any:
        """Return a parameter of the execution."""
        return self.record["Values"][name]

    def variable(self, name: str) -> Any:
        """Return an execution variable."""
        return {
            "StartDateTime": iso(self.record["StartTime"]),
            "CurrentDateTime": iso(self.clock()),
            "PipelineName": self.record["PipelineName"],
            "PipelineArn": self.record["PipelineArn"],
            "PipelineExecutionId": self.identity,
            "PipelineExecutionArn": self.arn,
        }[name]

    def step(self, name: str) -> Record:
        """Return the description of a step's job, model or package."""
        return self.results[name]

    def property_file(self, step: str, name: str) -> Any:
        """Return the document of a property file, from the output of its step in S3.

        Raises
        ------
        ExpressionError
            If the pipeline's role cannot read it, or it is not JSON.
        """
        files = next(one.property_files for one in self.definition.steps if one.name == step)
        output, path = files[name]
        uri = walk(self.results[step], ("ProcessingOutputConfig", "Outputs", output, "S3Output", "S3Uri"))
        location = S3Location.parse(uri).joined(path)
        try:
            body = self.client("s3").get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
            return json.loads(body)
        except (ApiError, BotoCoreError, ClientError, ValueError) as error:
            raise ExpressionError(f"property file {name!r} of step {step!r} at {location}: {error}") from error


def perform(run: PipelineRun, step: Step, report: Report) -> Record:
    """Run one step to its end and return the description of its result; `report` receives its statuses until then.

    Raises
    ------
    StepError, StepStopped
        When it does not succeed.
    """
    try:
        arguments = resolve(step.arguments, run)
        if step.type == CONDITION:
            outcome = {"Outcome": str(all_hold(arguments["Conditions"]))}
            report(EXECUTING, Metadata={"Condition": outcome})
            return outcome
    except ExpressionError as error:
        raise StepError(f"ClientError: {error}") from error
    if step.type == FAIL:
        message = str(arguments.get("ErrorMessage", ""))
        report(EXECUTING, Metadata={"Fail": {"ErrorMessage": message}})
        raise StepError(message, ends=message)
    return _MAKERS[step.type](_Call(run, step, report), arguments)


@dataclass(frozen=True)
class _Call:
    """The API calls of one step."""

    run: PipelineRun
    step: Step
    report: Report

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make one call as the pipeline's role and return its answer as JSON."""
        try:
            answer = getattr(self.run.client("sagemaker"), xform_name(operation))(**request)
        except (ApiError, BotoCoreError, ClientError) as error:
            reason = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error}"
            raise StepError(reason) from error
        answer.pop("ResponseMetadata", None)
        document: dict[str, Any] = json.loads(json.dumps(answer, default=lambda moment: moment.isoformat()))
        return document

    def name(self, arguments: Record) -> str:
        """Return the name of what the step makes.

        Its form: SageMaker Developer Guide, "Customize access management for Pipelines jobs"; the count of failures,
        which ends it after a retry, is left out, as in the guide's example of an event.
        """
        prefix = arguments.get(NAMES[self.step.type])
        mine = token(f"{self.run.arn}:{self.step.name}", TOKEN_LENGTH)
        if prefix:
            return f"{prefix}-{self.run.identity}-{mine}"
        name = self.step.name[:_MAX_NAME_IN_JOB].replace("_", "-").strip("-")
        return "-".join(part for part in ("pipelines", self.run.identity, name, mine) if part)

    @property
    def tags(self) -> list[dict[str, str]]:
        """The tags that Pipelines gives to jobs: the role needs sagemaker:AddTags for them."""
        found = {"sagemaker:pipeline-execution-arn": self.run.arn, "sagemaker:pipeline-step-name": self.step.name}
        return [{"Key": key, "Value": value} for key, value in found.items()]


def _run_job(call: _Call, arguments: Record) -> Record:
    kind, name = f"{call.step.type}Job", call.name(arguments)
    named = {NAMES[call.step.type]: name}
    tags = [*arguments.get("Tags", []), *call.tags]
    request = {"RoleArn": call.run.record["RoleArn"], **arguments, **named, "Tags": tags}
    arn = call(OPERATIONS[call.step.type], **request)[f"{kind}Arn"]
    call.report(EXECUTING, Metadata={kind: {"Arn": arn}})
    is_stopping = False
    while True:
        described = call(f"Describe{kind}", **named)
        status = described[f"{kind}Status"]
        if status == "Completed":
            return described
        if status == "Stopped" and call.run.stop.is_set():
            raise StepStopped
        if status not in ("InProgress", "Stopping"):
            raise StepError(described.get("FailureReason") or f"ClientError: the job {name} is in status {status}.")
        if call.run.stop.is_set() and not is_stopping:
            is_stopping = True
            _stop_job(call, kind, named)
        time.sleep(_POLL_SECONDS)


def _stop_job(call: _Call, kind: str, named: Record) -> None:
    """Stop a job; that it has just ended by itself is no error."""
    call.report(STOPPING)
    try:
        call(f"Stop{kind}", **named)
    except StepError:
        if call(f"Describe{kind}", **named)[f"{kind}Status"] == "InProgress":
            raise


def _create_model(call: _Call, arguments: Record) -> Record:
    name = call.name(arguments)
    request = {**arguments, "ModelName": name, "Tags": [*arguments.get("Tags", []), *call.tags]}
    arn = call("CreateModel", **request)["ModelArn"]
    call.report(EXECUTING, Metadata={"Model": {"Arn": arn}})
    return call("DescribeModel", ModelName=name)


def _register(call: _Call, arguments: Record) -> Record:
    made = {
        "ClientToken": token(f"{call.run.arn}:{call.step.name}", TOKEN_LENGTH),
        "MetadataProperties": {"GeneratedBy": call.run.arn},
    }
    arn = call("CreateModelPackage", **{**made, **arguments})["ModelPackageArn"]
    call.report(EXECUTING, Metadata={"RegisterModel": {"Arn": arn}})
    return call("DescribeModelPackage", ModelPackageName=arn)


_MAKERS: Final[Mapping[str, Callable[[_Call, Record], Record]]] = {
    "Processing": _run_job,
    "Training": _run_job,
    "Model": _create_model,
    "RegisterModel": _register,
}
