"""Expressions of a pipeline definition, ``Get``, ``Std:Join`` and ``Std:JsonGet``, and conditions of Condition steps.

Source: the definitions that the SageMaker Python SDK makes (sagemaker.core.workflow.functions, .properties and
.conditions). It has no condition ``And``: the step's list is one.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

GET: Final = "Get"
JOIN: Final = "Std:Join"
JSON_GET: Final = "Std:JsonGet"

_FIRST: Final = re.compile(r"[A-Za-z0-9_\-]+")
_NEXT: Final = re.compile(r"\.([A-Za-z0-9_\-:/]+)|\[(\d+)\]|\[(['\"])(.*?)\3\]")

_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_MEMBERS: Final = {
    **{name: {"LeftValue", "RightValue"} for name in ("Equals", *_ORDERS)},
    "In": {"QueryValue", "Values"},
    "Not": {"Condition"},
    "Or": {"Conditions"},
}

Condition = Mapping[str, Any]
Key = str | int


class ExpressionError(Exception):
    """Raised for an expression that is not supported, or that has no value."""


class Values(Protocol):
    """The values that expressions refer to."""

    def parameter(self, name: str) -> Any:
        """Return a parameter of the execution."""

    def variable(self, name: str) -> Any:
        """Return an execution variable."""

    def step(self, name: str) -> Mapping[str, Any]:
        """Return the description of a step's job, model or package."""

    def property_file(self, step: str, name: str) -> Any:
        """Return the JSON document of a step's property file."""


@dataclass(frozen=True)
class ValueReference:
    """The text of one ``Get``: its root (Parameters, Execution, Steps), the name below it, and the path from there."""

    root: str
    name: str
    path: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str) -> "ValueReference":
        """Read ``Steps.Train.ModelArtifacts.S3ModelArtifacts`` and its like.

        Raises
        ------
        ExpressionError
            If it is none.
        """
        keys = parse_path(text)
        names = [key for key in keys[:2] if isinstance(key, str)]
        if len(names) < 2 or names[0] not in ("Parameters", "Execution", "Steps"):
            raise ExpressionError(f"a Get must begin with Parameters., Execution. or Steps. and a name, got {text!r}")
        if names[0] != "Steps" and len(keys) > 2:
            raise ExpressionError(f"a Get of {names[0]} must end with the name, got {text!r}")
        return cls(names[0], names[1], keys[2:])


def parse_path(text: str) -> tuple[Key, ...]:
    """Return the keys of ``a.b[0]['c']``.

    Raises
    ------
    ExpressionError
        If the text is no such path.
    """
    start = _FIRST.match(text)
    keys: list[Key] = [start.group(0)] if start else []
    position = start.end() if start else 0
    while start and position < len(text):
        match = _NEXT.match(text, position)
        if match is None:
            break
        name, index, _, quoted = match.groups()
        keys.append(int(index) if index is not None else name if name is not None else quoted)
        position = match.end()
    if not keys or position < len(text):
        raise ExpressionError(f"a path must look like name.name[0]['name'], got {text!r}")
    return tuple(keys)


def walk(value: Any, path: Sequence[Key]) -> Any:
    """Follow a path; a name inside a list finds the element that is named so, as ``Outputs['metrics']`` does.

    Raises
    ------
    ExpressionError
        If there is nothing.
    """
    for position, key in enumerate(path):
        try:
            value = _named(value, key) if isinstance(value, list) and isinstance(key, str) else value[key]
        except (KeyError, IndexError, TypeError, StopIteration):
            raise ExpressionError(f"nothing at {key!r} of path {list(path[: position + 1])}") from None
    return value


def _named(rows: list[Any], name: str) -> Any:
    return next(row for row in rows if any(key.endswith("Name") and row[key] == name for key in row))


def expressions(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield kind and content of every expression in a value, those inside others too.

    Raises
    ------
    ExpressionError
        For a function that is not known.
    """
    if isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, Mapping):
        kind = _kind(value)
        if kind:
            yield kind, value[kind]
        for item in value.values():
            yield from expressions(item)


def references(value: Any) -> list[ValueReference]:
    """Return every reference in a value.

    Raises
    ------
    ExpressionError
        For an expression that is not supported.
    """
    return [ValueReference.parse(content) for kind, content in expressions(value) if kind == GET]


def resolve(value: Any, values: Values) -> Any:
    """Return a value with all its expressions replaced by what they mean now.

    Raises
    ------
    ExpressionError
        For the first one that has no value.
    """
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    if not isinstance(value, Mapping):
        return value
    kind = _kind(value)
    if kind == GET:
        return _get(ValueReference.parse(value[GET]), values)
    if kind == JOIN:
        function = value[JOIN]
        parts = [_text(resolve(item, values)) for item in function["Values"]]
        return str(function.get("On", "")).join(parts)
    if kind == JSON_GET:
        return _json_get(value[JSON_GET], values)
    return {key: resolve(item, values) for key, item in value.items()}


def property_file(function: Any) -> tuple[str, str]:
    """Return step and name of the property file that a ``Std:JsonGet`` reads.

    Raises
    ------
    ExpressionError
        If it reads none, or has no path.
    """
    try:
        reference = ValueReference.parse(function["PropertyFile"][GET])
        folder, name = reference.path
        parse_path(function["Path"])
    except (KeyError, TypeError, ValueError):
        folder, name = "", ""
    if folder != "PropertyFiles" or reference.root != "Steps":
        raise ExpressionError(
            f"{JSON_GET} must have a Path and a PropertyFile that gets Steps.<step>.PropertyFiles.<name>, "
            f"got {json.dumps(function)}"
        )
    return reference.name, str(name)


def _kind(value: Mapping[str, Any]) -> str:
    """Return which function an object is; empty for an object that is only data."""
    if len(value) != 1:
        return ""
    (key,) = value
    if key == GET and isinstance(value[key], str):
        return GET
    if key in (JOIN, JSON_GET):
        return str(key)
    if str(key).startswith("Std:"):
        raise ExpressionError(f"a function must be {JOIN} or {JSON_GET}, got {key!r}")
    return ""


def _get(reference: ValueReference, values: Values) -> Any:
    if reference.root == "Parameters":
        return values.parameter(reference.name)
    if reference.root == "Execution":
        return values.variable(reference.name)
    return walk(values.step(reference.name), reference.path)


def _json_get(function: Mapping[str, Any], values: Values) -> Any:
    step, name = property_file(function)
    return walk(values.property_file(step, name), parse_path(function["Path"]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def check_condition(condition: Any) -> None:
    """Accept a condition's form.

    Raises
    ------
    ExpressionError
        For the first part that is no condition.
    """
    kind = condition.get("Type") if isinstance(condition, Mapping) else None
    if kind not in _MEMBERS:
        raise ExpressionError(f"a condition's Type must be one of {sorted(_MEMBERS)}, got {kind!r}")
    if set(condition) != _MEMBERS[kind] | {"Type"}:
        raise ExpressionError(f"a condition {kind} must have {sorted(_MEMBERS[kind])}, got {sorted(condition)}")
    if kind == "Not":
        check_condition(condition["Condition"])
    if kind == "Or":
        for part in condition["Conditions"]:
            check_condition(part)


def all_hold(conditions: Sequence[Condition]) -> bool:
    """Return whether all conditions hold; their expressions are resolved already.

    Raises
    ------
    ExpressionError
        When two values of different types are compared, which the service does not do either.
    """
    return all(_holds(condition) for condition in conditions)


def _holds(condition: Condition) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"])
    if kind == "Or":
        return any(_holds(part) for part in condition["Conditions"])
    if kind == "In":
        return any(_alike(condition["QueryValue"], value, kind) for value in condition["Values"])
    left, right = condition["LeftValue"], condition["RightValue"]
    if kind == "Equals":
        return _alike(left, right, kind)
    if _type(left) != _type(right) or _type(left) in ("bool", "none"):
        raise _incomparable(kind, left, right)
    return _ORDERS[kind](left, right)


def _alike(left: Any, right: Any, kind: str) -> bool:
    if _type(left) != _type(right):
        raise _incomparable(kind, left, right)
    return bool(left == right)


def _type(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _incomparable(kind: str, left: Any, right: Any) -> ExpressionError:
    return ExpressionError(f"{kind} must compare two values of one type, got {left!r} and {right!r}")
