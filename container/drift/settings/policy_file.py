"""A policy as a file: JSON, versioned, closed. A threshold that it does not name keeps the environment's value."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import require_flat
from plumbline.contract.enums import StrEnum
from plumbline.contract.names import POLICY_VERSION
from plumbline.contract.statistics import ColumnType
from plumbline.contract.thresholds import RENAMED_KEYS, THRESHOLDS, Threshold
from plumbline.contract.training import finite_number
from plumbline.drift.errors import ConfigError
from plumbline.drift.settings.policy import FeaturePolicy, Policy

_REMEDY = "correct the policy file"


def read_policy(path: Path, base: Policy) -> Policy:
    """Return `base` with the values of the file at `path` in place of its own.

    The file is ``{"version": 2, ...}`` with any of the thresholds and ``features``: by name, an object with any of the
    thresholds that a feature may have of its own, ``critical``, ``ignore`` and ``type``. An effect measure without a
    threshold brings the measure's default. Whether the features exist is checked later: `Policy.require_features`.

    Raises
    ------
    ConfigError
        If the file cannot be read, is of another version, or has a key or a value that is not allowed there.
    """
    document = _document(path)
    if document.get("version") != POLICY_VERSION:
        raise ConfigError(
            f"{path} must be a policy of version {POLICY_VERSION}, got {document.get('version')!r}; "
            f'write {{"version": {POLICY_VERSION}, "features": {{...}}}}{_renamed(document)}'
        )
    given = {key: value for key, value in document.items() if key != "version"}
    features = given.pop("features", {})
    changes = _checked(str(path), given, _POLICY_KEYS, besides=("version", "features"))
    if changes.get("effect_measure", base.effect_measure) is not base.effect_measure:
        changes.setdefault("effect_threshold", None)
    return replace(base, **changes, features={**base.features, **_features(path, features)})


def _renamed(document: Mapping[str, Any]) -> str:
    """Return which keys of an older version have another name now."""
    return "".join(f", and {new} for {old}" for old, new in RENAMED_KEYS.items() if old in document)


def _document(path: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(path.read_bytes(), object_pairs_hook=_without_repetition)
        require_flat(document)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"policy file {path} must be readable JSON, got {error}; {_REMEDY}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold a JSON object, got {document!r}; {_REMEDY}")
    return document


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what JSON readers resolve silently: the second of two equal keys would win."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key twice among {[key for key, _ in pairs]}")
    return found


def _features(path: Path, given: Any) -> dict[str, FeaturePolicy]:
    if not isinstance(given, dict):
        raise ConfigError(f"features in {path} must be an object by feature name, got {given!r}; {_REMEDY}")
    return {
        name: FeaturePolicy(**_checked(f"features.{name} in {path}", entry, _FEATURE_KEYS))
        for name, entry in given.items()
    }


def _checked(
    where: str, given: Any, known: Mapping[str, Callable[[Any], Any]], besides: Iterable[str] = ()
) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ConfigError(f"{where} must be an object, got {given!r}; {_REMEDY}")
    unknown = sorted(set(given) - set(known))
    if unknown:
        allowed = ", ".join([*besides, *known])
        renamed = f"it is now {RENAMED_KEYS[unknown[0]]}; " if unknown[0] in RENAMED_KEYS else ""
        raise ConfigError(f"{where} must have known keys, got {unknown[0]!r}; {renamed}allowed there: {allowed}")
    return {key: _value(f"{key} in {where}", known[key], value) for key, value in given.items()}


def _value(where: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise ConfigError(f"{where} must be {error}, got {value!r}; {_REMEDY}") from error


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    number = finite_number(value)
    if number is None:
        raise ValueError("a finite number")
    return number


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _reader(row: Threshold) -> Callable[[Any], Any]:
    if not row.choices:
        return _number if row.kind is float else _count
    return _choice(row.kind)


def _choice(kind: type[StrEnum]) -> Callable[[Any], Any]:
    choices = [*map(str, kind)]

    def choice(value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return kind(value)

    return choice


_POLICY_KEYS: Mapping[str, Callable[[Any], Any]] = {row.name: _reader(row) for row in THRESHOLDS}
_FEATURE_KEYS: Mapping[str, Callable[[Any], Any]] = {
    **{row.name: _reader(row) for row in THRESHOLDS if row.per_feature},
    "critical": _truth,
    "ignore": _truth,
    "type": _choice(ColumnType),
}
