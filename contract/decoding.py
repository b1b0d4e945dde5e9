"""JSON documents -> the frozen dataclasses they were written from."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def decode(kind: type[_T], document: Any) -> _T:
    """Return the dataclass `kind` of `document`, JSON that `dataclasses.asdict` of one was written as.

    Fields are dataclasses, enumerations, plain JSON values, tuples, mappings from text, and any of these or None.
    Unknown keys are ignored and absent fields take their default, so that a document of an earlier or later revision
    stays readable.

    Raises
    ------
    ValueError
        If a field without a default is absent, or a value is not of its field's type.
    """
    return _decoded(kind, document, kind.__name__)  # type: ignore[no-any-return]


@cache
def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _required(kind: type) -> frozenset[str]:
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


def _decoded(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    if origin in (Union, types.UnionType):
        return _optional(arguments, value, place)
    if origin is tuple:
        _require(isinstance(value, list), "a list", value, place)
        return tuple(_decoded(arguments[0], entry, f"{place}[{number}]") for number, entry in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        _require(isinstance(value, dict), "an object", value, place)
        return {name: _decoded(arguments[1], entry, f"{place}.{name}") for name, entry in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return _plain(kind, value, place)


def _dataclass(kind: Any, value: Any, place: str) -> Any:
    _require(isinstance(value, dict), "an object", value, place)
    absent = sorted(_required(kind) - value.keys())
    if absent:
        raise ValueError(f"{place} must have the keys {', '.join(absent)}, got none of that name")
    known = {name: expected for name, expected in _types(kind).items() if name in value}
    return kind(**{name: _decoded(expected, value[name], f"{place}.{name}") for name, expected in known.items()})


def _optional(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    (kind,) = (kind for kind in kinds if kind is not type(None))
    return _decoded(kind, value, place)


def _plain(kind: Any, value: Any, place: str) -> Any:
    accepted = (int, float) if kind is float else kind
    fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    _require(fits, kind.__name__, value, place)
    return value


def _require(fits: bool, what: str, value: Any, place: str) -> None:
    if not fits:
        raise ValueError(f"{place} must be {what}, got {type(value).__name__}")
