"""Conditions of a pipeline's Condition step.

Source: sagemaker.core.workflow.conditions of the SageMaker Python SDK, which has no ``And``: the step's list is one.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from local.aws.pipeline_expressions import ExpressionError

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


def check(condition: Any) -> None:
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
        check(condition["Condition"])
    if kind == "Or":
        for part in condition["Conditions"]:
            check(part)


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
