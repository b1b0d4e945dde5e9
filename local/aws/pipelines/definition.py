"""A pipeline's definition: its parameters and steps, checked when it is stored, and the order of the steps.

Version 2020-12-01 of the definition's schema, as far as the SageMaker Python SDK writes it for the step types below.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from plumbline.contract.decoding import read_json
from plumbline.local.aws.errors import ValidationError
from plumbline.local.aws.pipelines.expressions import (
    JSON_GET,
    ExpressionError,
    check_condition,
    expressions,
    property_file,
    references,
)
from plumbline.local.aws.sagemaker.validation import input_members

VERSION: Final = "2020-12-01"
CONDITION: Final = "Condition"
FAIL: Final = "Fail"
OPERATIONS: Final = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "RegisterModel": "CreateModelPackage",
    "Model": "CreateModel",
}
"""The API operation that each type of step calls; Condition and Fail call none."""
NAMES: Final = {
    "Processing": "ProcessingJobName",
    "Training": "TrainingJobName",
    "Model": "ModelName",
}
"""The argument that holds the custom name prefix of what a step makes; the SDK writes it only on request."""
MAX_PREFIX: Final = 38
"""Source: SageMaker Developer Guide, "Customize access management for Pipelines jobs"."""
SUCCEEDED: Final = "Succeeded"

_TYPES: Final = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_ARGUMENTS: Final = {CONDITION: {"Conditions", "IfSteps", "ElseSteps"}, FAIL: {"ErrorMessage"}}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `default` is None when an execution must give a value, `choices` empty for any."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> "Parameter":
        """Read a declaration.

        Raises
        ------
        ExpressionError
            If it is not sound.
        """
        name, kind = entry.get("Name"), entry.get("Type")
        default: Any = entry.get("DefaultValue")
        if not isinstance(name, str) or not name or not isinstance(kind, str) or kind not in _TYPES:
            raise ExpressionError(f"a parameter must have a Name and a Type of {sorted(_TYPES)}, got {dict(entry)}")
        allowed = (int, float) if kind == "Float" else (_TYPES[kind],)
        if default is not None and not (
            isinstance(default, allowed) and isinstance(default, bool) == (kind == "Boolean")
        ):
            raise ExpressionError(f"DefaultValue of parameter {name!r} must be of type {kind}, got {default!r}")
        return cls(name, kind, entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ()))

    def read(self, text: str) -> str | int | float | bool:
        """Return the value that an execution's text means.

        Raises
        ------
        ApiError
            ``ValidationException`` if it means none.
        """
        if self.choices and text not in self.choices:
            raise ValidationError(f"Parameter {self.name!r} must be one of {list(self.choices)}, got {text!r}")
        try:
            if self.type == "Boolean":
                return {"true": True, "false": False}[text.lower()]
            return _TYPES[self.type](text)  # type: ignore[no-any-return]
        except (KeyError, ValueError):
            raise ValidationError(f"Parameter {self.name!r} must be of type {self.type}, got {text!r}") from None


@dataclass(frozen=True)
class Step:
    """One step of a pipeline.

    Parameters
    ----------
    arguments
        Parameters of the step's operation, with expressions; of a Condition step only its conditions.
    needs
        Names of the steps that must have succeeded before: by DependsOn, by reference, or as the branch's condition.
    property_files
        Name to output and path.
    branch
        The Condition step that the step is a branch of, and the outcome that lets it run; None outside of branches.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    needs: frozenset[str]
    property_files: Mapping[str, tuple[str, str]]
    branch: tuple[str, bool] | None
    display_name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Definition:
    """A checked definition; the steps of branches follow their Condition step."""

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> "Definition":
        """Read and check a definition.

        Raises
        ------
        ApiError
            ``ValidationException`` with the first fault.
        """
        try:
            return _parse(read_json(text))
        except (ExpressionError, CycleError, ValueError) as error:
            raise ValidationError(f"Unable to parse pipeline definition. {error}") from error
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            message = f"Unable to parse pipeline definition. It is not of the schema: {error!r}"
            raise ValidationError(message) from error

    def ready(self, statuses: Mapping[str, str], outcomes: Mapping[str, bool]) -> list[Step]:
        """Return the steps that can start now.

        Parameters
        ----------
        statuses
            Status of every step that has started.
        outcomes
            Results of the Condition steps that have ended.
        """
        return [
            step
            for step in self.steps
            if step.name not in statuses
            and all(statuses.get(name) == SUCCEEDED for name in step.needs)
            and (step.branch is None or outcomes.get(step.branch[0]) == step.branch[1])
        ]


def parameter_values(declared: Iterable[Parameter], given: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return every parameter's value in one execution.

    Raises
    ------
    ApiError
        ``ValidationException`` for a value that is not declared, not of its type, or missing.
    """
    known = {parameter.name: parameter for parameter in declared}
    texts = {entry["Name"]: entry["Value"] for entry in given}
    if unknown := sorted(set(texts) - set(known)):
        raise ValidationError(f"Parameters {unknown} are not defined in the pipeline; it has {sorted(known)}")
    missing = sorted(name for name, parameter in known.items() if parameter.default is None and name not in texts)
    if missing:
        raise ValidationError(f"Parameters {missing} have no default value and must be given")
    return {
        name: parameter.read(texts[name]) if name in texts else parameter.default for name, parameter in known.items()
    }


def _parse(document: Any) -> Definition:
    if not isinstance(document, dict) or document.get("Version") != VERSION:
        found = document.get("Version") if isinstance(document, dict) else document
        raise ExpressionError(f"Version must be {VERSION!r}, got {found!r}")
    parameters = tuple(Parameter.parse(entry) for entry in document.get("Parameters", []))
    steps = list(_steps(document.get("Steps"), None))
    names = [step.name for step in steps]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise ExpressionError(f"Steps must have names of their own, and be at least one; named twice: {twice}")
    known = {parameter.name for parameter in parameters}
    for step in steps:
        _check_references(step, {other.name: other for other in steps}, known)
    TopologicalSorter({step.name: step.needs for step in steps}).prepare()  # refuses a cycle
    return Definition(parameters, tuple(steps))


def _steps(entries: Any, branch: tuple[str, bool] | None) -> Iterator[Step]:
    """Yield the steps of a list, and after each Condition step those of its branches."""
    if not isinstance(entries, list):
        raise ExpressionError(f"Steps must be a list, got {entries!r}")
    for entry in entries:
        name, kind, arguments = _members(entry)
        own = {"Conditions": arguments["Conditions"]} if kind == CONDITION else arguments
        needs = {*_depends_on(entry), *(ref.name for ref in references(own) if ref.root == "Steps")}
        yield Step(
            name,
            kind,
            own,
            frozenset(needs | ({branch[0]} if branch else set())),
            {row["PropertyFileName"]: (row["OutputName"], row["FilePath"]) for row in entry.get("PropertyFiles", [])},
            branch,
            entry.get("DisplayName", ""),
            entry.get("Description", ""),
        )
        if kind == CONDITION:
            yield from _steps(arguments.get("IfSteps", []), (name, True))
            yield from _steps(arguments.get("ElseSteps", []), (name, False))


def _members(entry: Any) -> tuple[str, str, dict[str, Any]]:
    """Return name, type and arguments of a step, once they are sound."""
    name, kind = str(entry.get("Name", "")), entry.get("Type")
    if not _NAME.fullmatch(name):
        raise ExpressionError(f"a step's Name must be up to 64 letters, digits, - and _, got {name!r}")
    if kind not in (*OPERATIONS, CONDITION, FAIL):
        raise ExpressionError(
            f"step {name!r} must have one of the types that the embedded AWS runs, "
            f"{sorted((*OPERATIONS, CONDITION, FAIL))}, got {kind!r}"
        )
    if entry.get("CacheConfig", {}).get("Enabled"):
        raise ExpressionError(f"step {name!r} must not be cached: the embedded AWS runs every step")
    arguments = entry.get("Arguments", {})
    allowed = _ARGUMENTS.get(kind) or set(input_members(OPERATIONS[kind]))
    if unknown := sorted(set(arguments) - allowed):
        raise ExpressionError(f"step {name!r} must not have argument {unknown[0]!r}")
    if kind == CONDITION:
        for condition in arguments.setdefault("Conditions", []):
            check_condition(condition)
    prefix = arguments.get(NAMES.get(kind, ""), "")
    if not isinstance(prefix, str) or len(prefix) > MAX_PREFIX:
        raise ExpressionError(f"{NAMES[kind]} of step {name!r} must be a prefix of up to {MAX_PREFIX} characters")
    return name, kind, arguments


def _depends_on(entry: Mapping[str, Any]) -> list[str]:
    found: list[Any] = entry.get("DependsOn", [])
    if triggers := [item for item in found if not isinstance(item, str)]:
        raise ExpressionError(
            f"DependsOn must be names of steps: the embedded AWS supports no triggers, got {triggers}"
        )
    return found


def _check_references(step: Step, steps: Mapping[str, Step], parameters: set[str]) -> None:
    if unknown := sorted(step.needs - set(steps)):
        raise ExpressionError(f"step {step.name!r} must refer to steps of the pipeline, got {unknown[0]!r}")
    for reference in references(step.arguments):
        if reference.root == "Parameters" and reference.name not in parameters:
            raise ExpressionError(f"step {step.name!r} must refer to parameters of the pipeline: {reference.name!r}")
        if reference.root == "Execution" and reference.name not in VARIABLES:
            raise ExpressionError(f"Execution variable must be one of {sorted(VARIABLES)}, got {reference.name!r}")
    for kind, function in expressions(step.arguments):
        if kind == JSON_GET:
            source, name = property_file(function)
            if name not in steps[source].property_files:
                raise ExpressionError(f"step {source!r} must have the property file {name!r} that {step.name!r} reads")


VARIABLES: Final = {
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
}
"""Execution variables that expressions can get."""
