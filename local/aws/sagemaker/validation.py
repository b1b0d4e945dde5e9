"""Check requests against botocore's own model of a service: types, required members, patterns, enums and bounds."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator

from plumbline.local.aws.errors import ValidationError

MODEL: Final = botocore.session.get_session().get_service_model("sagemaker")
_BEYOND_BMP: Final = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
"""A range of characters as Java writes it, in two halves, and as Python does."""


def validate(operation: str, params: Mapping[str, Any], model: ServiceModel = MODEL) -> dict[str, Any]:
    """Return an operation's parameters in the API's types; SageMaker's, unless `model` is another service's.

    Raises
    ------
    ApiError
        ``ValidationException`` naming every member that the service model refuses.
    """
    shape = model.operation_model(operation).input_shape
    return dict(params) if shape is None else validate_shape(shape, params)


def validate_shape(shape: Shape, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a structure in the API's types.

    Raises
    ------
    ApiError
        As `validate` does.
    """
    typed: dict[str, Any] = _coerce(shape, params)
    report = ParamValidator().validate(typed, shape)
    if report.has_errors():
        raise ValidationError(report.generate_report())
    found = list(_violations(shape, typed, ""))
    if found:
        plural = "s" if len(found) > 1 else ""
        raise ValidationError(f"{len(found)} validation error{plural} detected: {'; '.join(found)}")
    return typed


def project(operation: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a stored record that the operation's output has."""
    members = output_members(operation)
    return {name: value for name, value in record.items() if name in members and value is not None}


def input_members(operation: str, model: ServiceModel = MODEL) -> Mapping[str, Shape]:
    """Return the shapes of an operation's parameters by name."""
    shape = model.operation_model(operation).input_shape
    return {} if shape is None else shape.members


def output_members(operation: str) -> Mapping[str, Shape]:
    """Return the shapes of the members of an answer of SageMaker by name."""
    shape = MODEL.operation_model(operation).output_shape
    return shape.members if isinstance(shape, StructureShape) else {}


def _coerce(shape: Shape, value: Any) -> Any:
    """Turn CloudFormation's texts into numbers and booleans, and every form of a time into seconds."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            name: _coerce(shape.members[name], item) if name in shape.members else item
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [_coerce(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {name: _coerce(shape.value, item) for name, item in value.items()}
    return _coerce_scalar(shape.type_name, value)


def _coerce_scalar(kind: str, value: Any) -> Any:
    try:
        if kind in ("integer", "long") and isinstance(value, str):
            return int(value)
        if kind in ("float", "double") and isinstance(value, str):
            return float(value)
        if kind == "timestamp":
            return parse_to_aware_datetime(value).timestamp()
    except (TypeError, ValueError):
        return value  # the validator refuses it by name
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name in value.keys() & shape.members.keys():
            yield from _violations(shape.members[name], value[name], f"{path}.{name}" if path else _lower_first(name))
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value, start=1):
            yield from _violations(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            yield from _violations(shape.value, item, f"{path}.{name}.member")
    for rule in _broken_rules(shape, value):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _broken_rules(shape: Shape, value: Any) -> Iterator[str]:
    bounds, kind = shape.metadata, shape.type_name
    if isinstance(shape, StringShape):
        pattern = bounds.get("pattern", "").replace(*_BEYOND_BMP)
        if shape.enum and value not in shape.enum:
            yield f"satisfy enum value set: [{', '.join(shape.enum)}]"
        # Java's \p classes do not exist in Python; they only occur in tags and free names.
        if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):
            yield f"satisfy regular expression pattern: {pattern}"
    if kind in ("string", "list", "map"):
        # botocore checks lower bounds only.
        if "max" in bounds and len(value) > bounds["max"]:
            yield f"have length less than or equal to {bounds['max']}"
    elif kind in ("integer", "long", "float", "double") and "max" in bounds and value > bounds["max"]:
        yield f"have value less than or equal to {bounds['max']}"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
