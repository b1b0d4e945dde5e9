"""Definitions of pipelines: what is refused, what expressions mean, and which steps can run."""

import json
from typing import Any

import pytest

from plumbline.local.aws import sagemaker_api
from plumbline.local.aws.clock import Clock
from plumbline.local.aws.errors import ApiError
from plumbline.local.aws.pipelines.definition import Definition, Parameter, parameter_values
from plumbline.local.aws.pipelines.executions import PipelineExecutions
from plumbline.local.aws.pipelines.expressions import ExpressionError, all_hold, parse_path, resolve, walk
from plumbline.local.aws.sagemaker.control_plane import ControlPlane

ROLE = "arn:aws:iam::000000000000:role/pipeline"
METRIC = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.F"}, "Path": "m[0].value"}}


class Values:
    """One parameter, one variable, one step with one property file."""

    def parameter(self, name: str) -> Any:
        return {"N": 3}[name]

    def variable(self, name: str) -> Any:
        return {"PipelineExecutionId": "abc"}[name]

    def step(self, name: str) -> Any:
        output = {"OutputName": "metrics", "S3Output": {"S3Uri": "s3://b/k"}}
        return {"A": {"ProcessingOutputConfig": {"Outputs": [output]}}}[name]

    def property_file(self, step: str, name: str) -> Any:
        return {("A", "F"): {"m": [{"value": 0.5}]}}[step, name]


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ({"Get": "Parameters.N"}, 3),
        ({"Get": "Steps.A.ProcessingOutputConfig.Outputs['metrics'].S3Output.S3Uri"}, "s3://b/k"),
        ({"Get": "Steps.A.ProcessingOutputConfig.Outputs[0].OutputName"}, "metrics"),
        ({"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Execution.PipelineExecutionId"}, 7]}}, "s3://abc/7"),
        (METRIC, 0.5),
        ({"a": [{"Get": "Parameters.N"}, "text"]}, {"a": [3, "text"]}),
    ],
    ids=["parameter", "named output", "index", "join", "property file", "inside"],
)
def test_expressions_mean_what_they_point_to(value: Any, meaning: Any) -> None:
    assert resolve(value, Values()) == meaning


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a['b]", "a.b "])
def test_malformed_path_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="a path must look like"):
        parse_path(text)


@pytest.mark.parametrize("text", ["Parameters", "Other.N", "Parameters.N.Value"])
def test_get_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="a Get (must begin with|of Parameters must end)"):
        resolve({"Get": text}, Values())


@pytest.mark.parametrize(
    "function", [{}, {"PropertyFile": {"Get": "Parameters.N"}, "Path": "a"}, {"PropertyFile": METRIC, "Path": "a"}]
)
def test_json_get_needs_a_property_file(function: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="must have a Path and a PropertyFile"):
        resolve({"Std:JsonGet": function}, Values())


def test_absent_value_is_no_value() -> None:
    with pytest.raises(ExpressionError, match="nothing at 'b'"):
        walk({"a": [{"OutputName": "x"}]}, ("a", "b"))


def _compared(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (_compared("Equals", "a", "a"), True),
        (_compared("GreaterThanOrEqualTo", 1, 1.0), True),
        (_compared("GreaterThan", 1, 1.0), False),
        (_compared("LessThan", "a", "b"), True),
        (_compared("LessThanOrEqualTo", 2, 1), False),
        ({"Type": "Not", "Condition": _compared("Equals", True, False)}, True),
        ({"Type": "Or", "Conditions": [_compared("Equals", 1, 2), _compared("Equals", 2, 2)]}, True),
        ({"Type": "In", "QueryValue": "a", "Values": ["b", "c"]}, False),
    ],
    ids=["equals", "at least", "above", "below", "at most", "not", "or", "in"],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    assert all_hold([condition]) is holds
    assert all_hold([condition, _compared("Equals", 1, 1)]) is holds


@pytest.mark.parametrize(("left", "right"), [("1", 1), (True, 1), (None, 0.5)], ids=["text", "truth", "none"])
def test_values_of_two_types_are_not_compared(left: Any, right: Any) -> None:
    with pytest.raises(ExpressionError, match="two values of one type"):
        all_hold([_compared("GreaterThanOrEqualTo", left, right)])


def _step(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}, **more}


def _gate(name: str, condition: Any, yes: list[Any], no: list[Any]) -> dict[str, Any]:
    arguments = {"Conditions": [condition], "IfSteps": yes, "ElseSteps": no}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def _document(*steps: Any, **more: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})


def _names(definition: Definition, statuses: dict[str, str], outcomes: dict[str, bool]) -> list[str]:
    return [step.name for step in definition.ready(statuses, outcomes)]


def test_steps_run_after_what_they_need_and_on_the_taken_branch() -> None:
    measure = {"Name": "A", "Type": "Processing", "Arguments": {}}
    files = [{"PropertyFileName": "F", "OutputName": "o", "FilePath": "f.json"}]
    gate = _gate("G", _compared("LessThan", METRIC, 1), [_step("Yes")], [_step("No")])
    definition = Definition.parse(_document(gate, _step("Last", DependsOn=["A"]), {**measure, "PropertyFiles": files}))

    assert _names(definition, {}, {}) == ["A"]
    assert _names(definition, {"A": "Executing"}, {}) == []
    assert _names(definition, {"A": "Failed"}, {}) == []
    assert _names(definition, {"A": "Succeeded"}, {}) == ["G", "Last"]
    ended = {"A": "Succeeded", "G": "Succeeded", "Last": "Succeeded"}
    assert _names(definition, ended, {"G": True}) == ["Yes"]
    assert _names(definition, ended, {"G": False}) == ["No"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "Unable to parse"),
        (json.dumps({"Version": "1", "Steps": []}), "Version must be '2020-12-01', got '1'"),
        (_document(), "be at least one"),
        (_document(_step("A"), _step("A")), "named twice: \\['A'\\]"),
        (_document(_step("A", Type="Lambda")), "got 'Lambda'"),
        (_document(_step("A", Arguments={"Message": "x"})), "must not have argument 'Message'"),
        (_document(_step("A", DependsOn=["B"])), "got 'B'"),
        (_document(_step("A", DependsOn=["B"]), _step("B", DependsOn=["A"])), "cycle"),
        (_document(_step("A", Arguments={"ErrorMessage": {"Get": "Parameters.P"}})), "'P'"),
        (_document(_step("A", Arguments={"ErrorMessage": {"Get": "Execution.X"}})), "got 'X'"),
        (_document(_step("A", Arguments={"ErrorMessage": {"Std:Upper": "x"}})), "got 'Std:Upper'"),
        (_document(_step("A"), _gate("G", _compared("Equals", METRIC, 1), [], [])), "the property file 'F'"),
        (_document(_gate("G", {"Type": "And", "Conditions": []}, [], [])), "got 'And'"),
        (_document(_gate("G", _compared("Equals", 1, 1) | {"Extra": 1}, [], [])), "Equals must have"),
        (_document(_gate("G", {"Type": "Not", "Condition": {"Type": "Xor"}}, [], [])), "got 'Xor'"),
        (_document(_gate("G", {"Type": "Or", "Conditions": [{"Type": "Xor"}]}, [], [])), "got 'Xor'"),
        (json.dumps({"Version": "2020-12-01", "Steps": {}}), "Steps must be a list"),
        (json.dumps({"Version": "2020-12-01", "Steps": [[]]}), "not of the schema"),
        (_document(_step("a b")), "got 'a b'"),
        (_document(_step("A", DependsOn=[{}])), "supports no triggers"),
        (_document(_step("A"), Parameters=[{"Name": "P", "Type": "Date"}]), "a Type of"),
        (_document(_step("A"), Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": True}]), "got True"),
        (_document(_step("A", CacheConfig={"Enabled": True})), "must not be cached"),
        (_document({"Name": "A", "Type": "Training", "Arguments": {"TrainingJobName": "x" * 39}}), "up to 38"),
    ],
    ids=[
        "json",
        "version",
        "empty",
        "twice",
        "type",
        "argument",
        "unknown-step",
        "cycle",
        "parameter",
        "variable",
        "function",
        "property-file",
        "and",
        "members",
        "not",
        "or",
        "steps",
        "schema",
        "name",
        "trigger",
        "parameter-type",
        "parameter-default",
        "cached",
        "prefix",
    ],
)
def test_unsound_definition_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ApiError, match=complaint) as caught:
        Definition.parse(text)
    assert caught.value.code == "ValidationException"


def test_parameter_with_choices_takes_no_other_value() -> None:
    parameter = Parameter.parse({"Name": "P", "Type": "String", "EnumValues": ["a", "b"]})
    assert parameter.read("a") == "a"
    with pytest.raises(ApiError, match="must be one of"):
        parameter.read("c")


def test_parameters_take_their_types_and_defaults() -> None:
    declared = [Parameter("N", "Integer"), Parameter("B", "Boolean", False), Parameter("S", "String", "x")]
    given = [{"Name": "N", "Value": "4"}, {"Name": "B", "Value": "true"}]
    assert parameter_values(declared, given) == {"N": 4, "B": True, "S": "x"}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [({}, "must be given"), ({"N": "x"}, "of type Integer"), ({"N": "1", "Z": "1"}, "not defined")],
    ids=["missing", "type", "unknown"],
)
def test_wrong_parameters_are_refused(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ApiError, match=complaint):
        parameter_values([Parameter("N", "Integer")], [{"Name": name, "Value": value} for name, value in given.items()])


def test_update_changes_what_is_described_and_refuses_what_cannot_run() -> None:
    plane = ControlPlane("000000000000", "us-east-1", Clock(start=1000.0, real=lambda: 0.0))
    PipelineExecutions(plane)
    named = {"PipelineName": "p", "RoleArn": ROLE}
    plane.call("CreatePipeline", {**named, "PipelineDefinition": _document(_step("A")), "ClientRequestToken": "t" * 32})
    plane.call("UpdatePipeline", {**named, "PipelineDefinition": _document(_step("B"))})
    with pytest.raises(ApiError):
        plane.call("UpdatePipeline", {**named, "PipelineDefinition": "{}"})
    described = plane.call("DescribePipeline", {"PipelineName": plane.arn("Pipeline", "p")})
    assert described["PipelineDefinition"] == _document(_step("B"))


@pytest.mark.parametrize(
    ("operation", "params", "resource"),
    [
        ("StartPipelineExecution", {"PipelineName": "p"}, "pipeline/p"),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        ("ListModelPackages", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
    ],
)
def test_requests_are_allowed_on_these_resources(operation: str, params: dict[str, str], resource: str) -> None:
    plane = ControlPlane("000000000000", "us-east-1", Clock())
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    found = sagemaker_api.resource_arn(plane, "/", headers, json.dumps(params).encode())
    assert found == f"arn:aws:sagemaker:us-east-1:000000000000:{resource}"
