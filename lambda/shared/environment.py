"""A function's settings from its environment variables; each value is checked once, here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.retraining import LoopVariable


class SettingsError(Exception):
    """Raised when an environment variable of the function is missing or out of its range."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """The settings that both functions have."""

    environment: str
    region: str
    endpoint: str
    topic_arn: str
    state_table: str
    artifacts_bucket: str


def loop_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `LoopSettings`.

    Raises
    ------
    SettingsError
        If a variable is missing or empty.
    """
    return {
        "endpoint": required(environ, LoopVariable.ENDPOINT_NAME),
        "environment": required(environ, LoopVariable.ENVIRONMENT),
        "region": required(environ, "AWS_REGION"),
        "topic_arn": required(environ, LoopVariable.TOPIC_ARN),
        "state_table": required(environ, LoopVariable.STATE_TABLE),
        "artifacts_bucket": required(environ, LoopVariable.ARTIFACTS_BUCKET),
    }


def required(environ: Mapping[str, str], name: str) -> str:
    """Return a variable's text without surrounding spaces.

    Raises
    ------
    SettingsError
        If it is missing or empty.
    """
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(
            f"environment variable {name} must be set, got {value!r}; deploy the monitoring stack again"
        )
    return value


def number(environ: Mapping[str, str], name: str) -> float:
    """Return a number of 0 or more.

    Raises
    ------
    SettingsError
        If it is missing or no such number.
    """
    text = required(environ, name)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SettingsError(f"environment variable {name} must be a number of 0 or more, got {text!r}")
    return value


def whole_number(environ: Mapping[str, str], name: str) -> int:
    """Return a whole number of 0 or more.

    Raises
    ------
    SettingsError
        If it is missing or no such number.
    """
    value = number(environ, name)
    if value != int(value):
        raise SettingsError(f"environment variable {name} must be a whole number, got {environ[name]!r}")
    return int(value)


def items(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return comma-separated names; none where the variable is empty.

    Raises
    ------
    SettingsError
        If the variable is missing.
    """
    if name not in environ:
        raise SettingsError(f"environment variable {name} must be set, got nothing; deploy the monitoring stack again")
    return tuple(item.strip() for item in environ[name].split(",") if item.strip())


def required_items(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return comma-separated names, at least one.

    Raises
    ------
    SettingsError
        If there is no name.
    """
    found = items(environ, name)
    if not found:
        raise SettingsError(
            f"environment variable {name} must name at least one, got {environ[name]!r}; deploy the monitoring stack "
            "again"
        )
    return found
