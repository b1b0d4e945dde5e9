"""Reading of an environment file, with one error line for each mistake."""

import re
import tomllib
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plumbline.contract.decoding import require_flat
from plumbline.contract.thresholds import REMOVED_KEYS, RENAMED_KEYS
from plumbline.stacks.config.environment import EnvironmentConfig
from plumbline.stacks.config.errors import EnvironmentFileError
from plumbline.stacks.config.inputs import check_inputs
from plumbline.stacks.config.schedule import Engine, moved_to
from plumbline.stacks.config.xgboost_image import xgboost_image

FOLDER = "environments"
DEFAULT_ENVIRONMENT = "dev"

_RULES = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number without quotes",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false without quotes",
    "tuple_type": "must be a list in brackets",
    "dict_type": "must be a section of keys",
    "model_type": "must be a section of keys",
    "too_short": "must have at least one entry",
}
"""pydantic's error types in terms of a TOML file; the messages of other types are used as they are."""


def load_environment(choice: str | None, root: Path, engine: str | None = None) -> EnvironmentConfig:
    """Return the environment that `choice` names: a file's stem below environments/, or a path ending in .toml.

    Parameters
    ----------
    engine
        The engine in place of the file's; None: the file's.

    Raises
    ------
    EnvironmentFileError
        If there is no such file, it breaks a rule, its region has no image, or a local input does not fit; or if
        there is no such engine.
    """
    path = _locate(choice or DEFAULT_ENVIRONMENT, root)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(
            f"{path.name} must be a readable file in UTF-8, got {error}; save it again"
        ) from error
    try:
        data = tomllib.loads(text)
        require_flat(data)
    except (ValueError, RecursionError) as error:  # integers of thousands of digits too, and tables within tables
        raise EnvironmentFileError(f"{path.name} must be TOML, got {error}; correct that line") from error
    config = parse_environment(data if engine is None else on_engine(data, engine), path.name)
    xgboost_image(config.region)
    try:
        check_inputs(config, root)
    except (OSError, ValueError) as error:  # a path that no file system takes
        raise EnvironmentFileError(
            f"{path.name} must name paths that can be read, got {str(error)[:200]}; correct the path"
        ) from error
    return config


def parse_environment(data: Mapping[str, Any], source: str) -> EnvironmentConfig:
    """Validate `data`; `source` is the file's name, for messages.

    Raises
    ------
    EnvironmentFileError
        If a key is unknown or missing, or a value breaks its rule: one line each.
    """
    try:
        return EnvironmentConfig.model_validate(data)
    except ValidationError as error:
        raise EnvironmentFileError("\n".join(_sentence(detail, source) for detail in _first_faults(error))) from error


def on_engine(data: Mapping[str, Any], engine: str) -> dict[str, Any]:
    """Return a file's content with another engine; a schedule keeps its hours, and gets that engine's minute.

    Raises
    ------
    EnvironmentFileError
        If there is no such engine.
    """
    if engine not in set(Engine):
        raise EnvironmentFileError(
            f"engine must be {' or '.join(Engine)}, got {engine!r}; pass it as -c engine={Engine.SCHEDULER.value}"
        )
    monitor = data.get("monitor")
    if not isinstance(monitor, Mapping):
        return dict(data)
    changed = {**monitor, "engine": engine}
    if isinstance(monitor.get("schedule"), str):
        changed["schedule"] = moved_to(Engine(engine), monitor["schedule"])
    return {**data, "monitor": changed}


def _locate(choice: str, root: Path) -> Path:
    folder = root / FOLDER
    path = Path(choice) if choice.endswith(".toml") else folder / f"{choice}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise EnvironmentFileError(
            f"environment must name one of {known}, or an existing .toml file, got {choice!r}; "
            "pass it as -c environment=NAME"
        )
    return path


def _first_faults(error: ValidationError) -> Iterator[ErrorDetails]:
    """Yield the faults; a list that is too short only because its entries are wrong is not one more."""
    for detail in error.errors():
        if detail["type"] != "too_short" or len(detail["input"]) < detail["ctx"]["min_length"]:
            yield detail


def _sentence(detail: ErrorDetails, source: str) -> str:
    location = [str(part) for part in detail["loc"]]
    name = ".".join(location) or source
    if detail["type"] == "extra_forbidden":
        if name in RENAMED_KEYS:
            return f"{name} must have its new name {RENAMED_KEYS[name]} (docs/upgrading.md); rename it in {source}"
        if name in REMOVED_KEYS:
            return f"{name} must not be set any more: {REMOVED_KEYS[name]} (docs/upgrading.md); remove it from {source}"
        allowed = ", ".join(_keys(location[:-1]))
        return f"{name} must be a known key, got {location[-1]!r}; allowed there: {allowed}; correct it in {source}"
    if detail["type"] == "missing":
        return f"{name} must be set, got nothing; add it to {source}"
    rule = _RULES.get(detail["type"]) or re.sub(r"^\w+ should ", "must ", detail["msg"].removeprefix("Value error, "))
    # Rules between keys name the values themselves: pydantic's input is then a whole section.
    shown = "" if ", got " in rule else f", got {detail['input']!r}"
    return f"{name} {rule}{shown}; set it in {source}"


def _keys(location: Sequence[str]) -> list[str]:
    model: type[BaseModel] = EnvironmentConfig
    parts = iter(location)
    for part in parts:
        annotation = model.model_fields[part].annotation
        choices = (annotation, *typing.get_args(annotation))
        model = next(choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel))
        if typing.get_origin(annotation) is dict:
            next(parts, None)  # a name of the operator's own
    return list(model.model_fields)
