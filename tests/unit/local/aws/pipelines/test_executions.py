"""Executions of pipelines as the control plane answers for them: operations, statuses and events."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.pipelines.executions import PipelineExecutions
from tests.unit.local.aws.fakes import START, RecordingPlane

PARAMETERS = [
    {"Name": "Rounds", "Type": "Integer", "DefaultValue": 5},
    {"Name": "Fast", "Type": "Boolean", "DefaultValue": True},
]
STEP = {"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
DEFINITION = json.dumps({"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": [STEP]})
TOKEN = "t" * 32


@pytest.fixture
def plane() -> RecordingPlane:
    return RecordingPlane(Clock(START, real=lambda: 0.0))


@pytest.fixture
def executions(plane: RecordingPlane) -> PipelineExecutions:
    made = PipelineExecutions(plane)
    plane.call(
        "CreatePipeline",
        {
            "PipelineName": "p",
            "RoleArn": "arn:aws:iam::000000000000:role/pipeline",
            "PipelineDefinition": DEFINITION,
            "ClientRequestToken": TOKEN,
        },
    )
    return made


@pytest.fixture
def start(plane: RecordingPlane, executions: PipelineExecutions) -> Callable[..., str]:
    def begin(token: str = TOKEN, **members: Any) -> str:
        params = {"PipelineName": "p", "ClientRequestToken": token, **members}
        return str(plane.call("StartPipelineExecution", params)["PipelineExecutionArn"])

    return begin


def test_one_request_token_starts_one_execution(plane: RecordingPlane, start: Callable[..., str]) -> None:
    started: list[dict[str, Any]] = []
    plane.hooks["PipelineExecution.start"] = started.append
    assert start() == start()
    assert start("u" * 32) != start()
    assert len(started) == 2
    listed = plane.call("ListPipelineExecutions", {"PipelineName": "p"})["PipelineExecutionSummaries"]
    assert {row["PipelineExecutionStatus"] for row in listed} == {"Executing"}
    assert plane.call("DescribePipeline", {"PipelineName": "p"})["LastRunTime"] == START


def test_execution_is_described_with_its_parameters(plane: RecordingPlane, start: Callable[..., str]) -> None:
    arn = {"PipelineExecutionArn": start(PipelineParameters=[{"Name": "Rounds", "Value": "7"}])}
    listed = plane.call("ListPipelineParametersForExecution", arn)["PipelineParameters"]
    assert listed == [{"Name": "Fast", "Value": "true"}, {"Name": "Rounds", "Value": "7"}]
    assert plane.call("DescribePipelineExecution", arn)["PipelineExecutionStatus"] == "Executing"
    assert plane.call("DescribePipelineDefinitionForExecution", arn)["PipelineDefinition"] == DEFINITION


def test_steps_and_statuses_become_events(
    plane: RecordingPlane, executions: PipelineExecutions, start: Callable[..., str]
) -> None:
    arn = start()
    executions.change_step(arn, "A", "Starting", StepType="Fail")
    executions.change_step(arn, "A", "Failed", FailureReason="no", Metadata={"Fail": {"ErrorMessage": "no"}})
    executions.change(arn, "Failed", FailureReason="no")

    (step,) = plane.call("ListPipelineExecutionSteps", {"PipelineExecutionArn": arn})["PipelineExecutionSteps"]
    assert (step["StepName"], step["StepStatus"], step["EndTime"]) == ("A", "Failed", START)
    details = [detail for _, detail in plane.events]
    assert [detail.get("currentStepStatus") for detail in details] == [None, "Starting", "Failed", None]
    assert details[2]["metadata"] == {"fail": {"errorMessage": "no"}}
    assert details[2]["stepEndTime"] == details[3]["executionEndTime"] == "2026-11-25T10:00:00Z"
    assert details[3]["previousPipelineExecutionStatus"] == "Executing"


def test_only_an_unfinished_execution_is_stopped(
    plane: RecordingPlane, executions: PipelineExecutions, start: Callable[..., str]
) -> None:
    stopped: list[dict[str, Any]] = []
    plane.hooks["PipelineExecution.stop"] = stopped.append
    params = {"PipelineExecutionArn": start(), "ClientRequestToken": TOKEN}
    for _ in range(2):
        plane.call("StopPipelineExecution", params)
    assert len(stopped) == 1
    executions.change(params["PipelineExecutionArn"], "Stopped")
    with pytest.raises(ApiError) as caught:
        plane.call("StopPipelineExecution", params)
    assert caught.value.code == "ConflictException"


def test_unknown_execution_is_not_found(plane: RecordingPlane, start: Callable[..., str]) -> None:
    with pytest.raises(ApiError) as caught:
        plane.call("DescribePipelineExecution", {"PipelineExecutionArn": start()[:-1] + "0"})
    assert caught.value.code == "ResourceNotFound"


def test_what_is_not_emulated_is_rejected_by_name(plane: RecordingPlane, start: Callable[..., str]) -> None:
    with pytest.raises(ApiError, match="PipelineVersionId"):
        start(PipelineVersionId=1)
    with pytest.raises(ApiError, match="PipelineDefinition alone"):
        plane.call(
            "UpdatePipeline", {"PipelineName": "p", "PipelineDefinitionS3Location": {"Bucket": "abc", "ObjectKey": "k"}}
        )
