"""Executions of pipelines: their operations, descriptions of them and their steps, and their events."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from plumbline.local.aws.errors import ApiError, ValidationError
from plumbline.local.aws.events import iso
from plumbline.local.aws.pipelines.definition import Definition, parameter_values
from plumbline.local.aws.sagemaker import listing
from plumbline.local.aws.sagemaker.control_plane import ControlPlane
from plumbline.local.aws.sagemaker.kinds import resource_name
from plumbline.local.aws.sagemaker.listing import Record
from plumbline.local.aws.sagemaker.validation import project

ID_LENGTH: Final = 12
TOKEN_LENGTH: Final = 10
STARTING: Final = "Starting"
EXECUTING: Final = "Executing"
STOPPING: Final = "Stopping"

_EVENT: Final = "SageMaker Model Building Pipeline Execution Status Change"
_STEP_EVENT: Final = "SageMaker Model Building Pipeline Execution Step Status Change"
_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_UNFINISHED: Final = (STARTING, EXECUTING, STOPPING)
_UNSUPPORTED: Final = ("SelectiveExecutionConfig", "PipelineVersionId", "MlflowExperimentName")


class PipelineExecutions:
    """Executions by ARN; registers their operations with the control plane.

    The engine that runs them registers the hooks ``PipelineExecution.start`` and ``PipelineExecution.stop``, which get
    the execution's record, and reports with `change` and `change_step`.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._executions: dict[str, Record] = {}
        self._steps: dict[str, dict[str, Record]] = {}
        plane.hooks["Pipeline.create"] = _check
        plane.hooks["Pipeline.update"] = lambda record, _: _check(record)
        plane.operations.update(
            StartPipelineExecution=self._start,
            StopPipelineExecution=self._stop,
            ListPipelineExecutions=self._list,
            ListPipelineExecutionSteps=self._list_steps,
            ListPipelineParametersForExecution=self._list_parameters,
            **{name: self._describing(name) for name in _DESCRIPTIONS},
        )

    def change(self, arn: str, status: str, **members: Any) -> None:
        """Set an execution's status and emit its event."""
        with self._plane.lock:
            record = self._executions[arn]
            before = record.get("PipelineExecutionStatus")
            record.update(members, PipelineExecutionStatus=status, LastModifiedTime=self._plane.clock())
            times = {"executionStartTime": record["StartTime"]}
            if status not in _UNFINISHED:
                times["executionEndTime"] = record["LastModifiedTime"]
            detail = {
                "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
                "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
                "currentPipelineExecutionStatus": status,
                "previousPipelineExecutionStatus": before,
            }
            self._emit(_EVENT, record, detail, times)

    def change_step(self, arn: str, name: str, status: str, **members: Any) -> None:
        """Set a step's status and emit its event; the first call adds the step."""
        with self._plane.lock:
            now = self._plane.clock()
            row = self._steps[arn].setdefault(name, {"StepName": name, "StartTime": now, "Metadata": {}})
            before = row.get("StepStatus")
            row.update(members, StepStatus=status)
            times = {"stepStartTime": row["StartTime"]}
            if status not in _UNFINISHED:
                row["EndTime"] = times["stepEndTime"] = now
            detail = {
                "metadata": {
                    _camel(kind): {_camel(k): v for k, v in of.items()} for kind, of in row["Metadata"].items()
                },
                "stepName": name,
                "stepType": row["StepType"],
                "currentStepStatus": status,
                "previousStepStatus": before,
                "failureReason": row.get("FailureReason"),
            }
            self._emit(_STEP_EVENT, self._executions[arn], detail, times)

    def _emit(self, detail_type: str, record: Record, detail: Record, times: dict[str, float]) -> None:
        arns = {"pipelineArn": record["PipelineArn"], "pipelineExecutionArn": record["PipelineExecutionArn"]}
        known = {name: value for name, value in detail.items() if value is not None}
        moments = {name: iso(moment) for name, moment in times.items()}
        self._plane.emit_event(detail_type, {**known, **moments, **arns}, list(arns.values()))

    def _get(self, params: Record) -> Record:
        arn = params["PipelineExecutionArn"]
        if arn not in self._executions:
            raise ApiError("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
        return self._executions[arn]

    def _start(self, params: Record) -> Record:
        pipeline = self._plane.get("Pipeline", resource_name(params["PipelineName"]))
        if unsupported := sorted(set(_UNSUPPORTED) & set(params)):
            raise ValidationError(f"the embedded AWS does not implement {unsupported[0]}")
        identity = token(f"{pipeline['PipelineArn']}:{params['ClientRequestToken']}", ID_LENGTH)
        arn = f"{pipeline['PipelineArn']}/execution/{identity}"
        if arn in self._executions:
            # The same request again: it has its execution already.
            return {"PipelineExecutionArn": arn}
        declared = Definition.parse(pipeline["PipelineDefinition"]).parameters
        values = parameter_values(declared, params.get("PipelineParameters", []))
        now = self._plane.clock()
        self._executions[arn] = {
            "PipelineExecutionDisplayName": f"execution-{int(now * 1000)}",
            "ParallelismConfiguration": pipeline.get("ParallelismConfiguration"),
            **params,
            "PipelineName": pipeline["PipelineName"],
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineDefinition": pipeline["PipelineDefinition"],
            "RoleArn": pipeline["RoleArn"],
            "Values": values,
            "CreationTime": now,
            "StartTime": now,
        }
        self._steps[arn] = {}
        pipeline["LastRunTime"] = now
        self.change(arn, EXECUTING)
        self._plane.run_hook("PipelineExecution.start", self._executions[arn])
        return {"PipelineExecutionArn": arn}

    def _stop(self, params: Record) -> Record:
        record = self._get(params)
        arn, status = record["PipelineExecutionArn"], record["PipelineExecutionStatus"]
        if status not in (EXECUTING, STOPPING):
            raise ApiError(
                "ConflictException", f"Pipeline execution {arn} is in status {status} and cannot be stopped."
            )
        if status == EXECUTING:
            self.change(arn, STOPPING)
            self._plane.run_hook("PipelineExecution.stop", record)
        return {"PipelineExecutionArn": arn}

    def _describing(self, operation: str) -> Callable[[Record], Record]:
        return lambda params: project(operation, self._get(params))

    def _list(self, params: Record) -> Record:
        pipeline = self._plane.get("Pipeline", resource_name(params["PipelineName"]))
        rows = [row for row in self._executions.values() if row["PipelineArn"] == pipeline["PipelineArn"]]
        bounds = {"CreatedAfter": "CreationTimeAfter", "CreatedBefore": "CreationTimeBefore"}
        filters = {bounds.get(name, name): value for name, value in params.items()}
        return listing.page("ListPipelineExecutions", rows, filters, name_field="PipelineExecutionArn")

    def _list_steps(self, params: Record) -> Record:
        rows = self._steps[self._get(params)["PipelineExecutionArn"]].values()
        return listing.page(
            "ListPipelineExecutionSteps", rows, {"SortBy": "StartTime", **params}, name_field="StepName"
        )

    def _list_parameters(self, params: Record) -> Record:
        rows = [{"Name": name, "Value": _text(value)} for name, value in self._get(params)["Values"].items()]
        order = {"SortBy": "Name", "SortOrder": "Ascending"}
        return listing.page("ListPipelineParametersForExecution", rows, {**order, **params}, name_field="Name")


_DESCRIPTIONS: Final = ("DescribePipelineExecution", "DescribePipelineDefinitionForExecution")


def token(text: str, length: int) -> str:
    """Return letters and digits derived from a text; the service makes them at random, here runs repeat."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return "".join(_LETTERS[number // 36**place % 36] for place in range(length))


def _check(record: Record) -> None:
    """Reject a pipeline that cannot be run."""
    if "PipelineDefinition" not in record or "PipelineDefinitionS3Location" in record:
        raise ValidationError("the embedded AWS reads definitions from PipelineDefinition alone")
    Definition.parse(record["PipelineDefinition"])


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
