"""A policy as a file: JSON, versioned, closed. What it does not say stays as the environment says."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.names import POLICY_VERSION
from contract.records import EffectMeasure
from drift.errors import ConfigError
from drift.policy import DEFAULT_THRESHOLDS, FeaturePolicy, Policy

_REMEDY = "correct the policy file"


def read_policy(path: Path, base: Policy) -> Policy:
    """Return `base` with what the file at `path` says in its place.

    The file is ``{"version": 1, ...}`` with any of the policy's thresholds and ``features``: by name, an object with
    any of ``alpha``, ``effect_measure``, ``effect_threshold``, ``critical`` and ``ignore``. An effect measure without
    a threshold brings the measure's own (`drift.policy.DEFAULT_THRESHOLDS`). Whether the features exist is the
    baseline's to say: `Policy.require_features`.

    Raises
    ------
    ConfigError
        If the file cannot be read, is of another version, or says something that is not allowed there.
    """
    document = _document(path)
    if document.get("version") != POLICY_VERSION:
        raise ConfigError(
            f"{path} must be a policy of version {POLICY_VERSION}, got {document.get('version')!r}; "
            f'write {{"version": {POLICY_VERSION}, "features": {{...}}}}'
        )
    given = {key: value for key, value in document.items() if key != "version"}
    features = given.pop("features", {})
    changes = _checked(str(path), given, _POLICY_KEYS, besides=("version", "features"))
    measure = changes.get("effect_measure", base.effect_measure)
    if measure is not base.effect_measure:
        changes.setdefault("effect_threshold", DEFAULT_THRESHOLDS[measure])
    return replace(base, **changes, features=_features(path, features))


def _document(path: Path) -> dict[str, Any]:
    try:
        document: Any = json.loads(path.read_bytes(), object_pairs_hook=_without_repetition)
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
        raise ConfigError(f"{where} must have known keys, got {unknown[0]!r}; allowed there: {allowed}")
    return {key: _value(f"{key} in {where}", known[key], value) for key, value in given.items()}


def _value(where: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise ConfigError(f"{where} must be {error}, got {value!r}; {_REMEDY}") from error


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    return float(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _measure(value: Any) -> EffectMeasure:
    if not isinstance(value, str) or value not in set(EffectMeasure):
        raise ValueError(f"one of {', '.join(EffectMeasure)}")
    return EffectMeasure(value)


_EFFECT_KEYS: Mapping[str, Callable[[Any], Any]] = {
    "alpha": _number,
    "effect_measure": _measure,
    "effect_threshold": _number,
}
_POLICY_KEYS: Mapping[str, Callable[[Any], Any]] = {
    **_EFFECT_KEYS,
    "missing_threshold": _number,
    "minimum_rows": _count,
    "drifted_share": _number,
    "accuracy_tolerance": _number,
    "bias_tolerance": _number,
}
_FEATURE_KEYS: Mapping[str, Callable[[Any], Any]] = {**_EFFECT_KEYS, "critical": _truth, "ignore": _truth}
