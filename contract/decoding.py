"""JSON documents -> the frozen dataclasses they were written from."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from plumbline.contract.training import finite_number

_T = TypeVar("_T")
SCHEMA_ERRORS = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What taking a document apart raises where it is of another shape than expected."""
MAX_DEPTH = 64
"""Lists and objects within each other: no document of ours comes near, and Python's own functions fail from 300 on."""


def read_json(text: str | bytes) -> Any:
    """Return a JSON document that others may have written or damaged.

    Raises
    ------
    ValueError
        If it is no JSON, or nested deeper than `MAX_DEPTH`.

    Examples
    --------
    >>> read_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    require_flat(document)
    return document


def require_flat(document: Any) -> None:
    """Raise ValueError for lists and mappings nested deeper than `MAX_DEPTH`."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def _parts(whole: Any) -> list[Any]:
    members = whole.values() if isinstance(whole, Mapping) else whole if isinstance(whole, list) else ()
    return [part for part in members if isinstance(part, list | Mapping)]


def decode(kind: type[_T], document: Any, *, tolerant: bool = False) -> _T:
    """Return the dataclass `kind` of `document`, JSON that `dataclasses.asdict` of one was written as.

    Fields are dataclasses, enumerations, plain JSON values, tuples, mappings from text, and any of these or None.

    Parameters
    ----------
    tolerant
        Leave out unknown keys, and give absent fields their default: a document of an earlier or later revision stays
        readable.

    Raises
    ------
    ValueError
        If a key is missing (with `tolerant`: one without a default) or unknown, or a value is not of its field's type.
    """
    return _Decoder(tolerant).decoded(kind, document, kind.__name__)  # type: ignore[no-any-return]


@cache
def _types(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _required(kind: type) -> frozenset[str]:
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


@dataclass(frozen=True)
class _Decoder:
    tolerant: bool

    def decoded(self, kind: Any, value: Any, place: str) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if is_dataclass(kind):
            return self._dataclass(kind, value, place)
        if origin in (Union, types.UnionType):
            return self._optional(arguments, value, place)
        if origin is tuple:
            _require(isinstance(value, list), "a list", value, place)
            return tuple(self.decoded(arguments[0], entry, f"{place}[{n}]") for n, entry in enumerate(value))
        if origin is not None and issubclass(origin, Mapping):
            _require(isinstance(value, dict), "an object", value, place)
            return {name: self.decoded(arguments[1], entry, f"{place}.{name}") for name, entry in value.items()}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(value)
        return _plain(kind, value, place)

    def _dataclass(self, kind: Any, value: Any, place: str) -> Any:
        _require(isinstance(value, dict), "an object", value, place)
        expected = _types(kind)
        wrong = _required(kind) - value.keys() if self.tolerant else value.keys() ^ expected.keys()
        if wrong:
            what = "lacks" if self.tolerant else "differs in"
            raise ValueError(f"{place} must have the keys of this version, {what} {', '.join(sorted(wrong))}")
        known = {name: entry for name, entry in value.items() if name in expected}
        return kind(**{name: self.decoded(expected[name], entry, f"{place}.{name}") for name, entry in known.items()})

    def _optional(self, kinds: tuple[Any, ...], value: Any, place: str) -> Any:
        if value is None and type(None) in kinds:
            return None
        (kind,) = (kind for kind in kinds if kind is not type(None))
        return self.decoded(kind, value, place)


def _plain(kind: Any, value: Any, place: str) -> Any:
    if kind is float:
        fits = isinstance(value, float) or finite_number(None if isinstance(value, str) else value) is not None
    else:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _require(fits, kind.__name__, value, place)
    return value


def _require(fits: bool, what: str, value: Any, place: str) -> None:
    if not fits:
        raise ValueError(f"{place} must be {what}, got {type(value).__name__}")
