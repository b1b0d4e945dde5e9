"""Reading a function's environment variables: every text is checked once, where it comes in."""

from collections.abc import Mapping


class SettingsError(Exception):
    """Raised when a variable of the function is missing or breaks its rule."""


def required(environ: Mapping[str, str], name: str) -> str:
    """Return a text.

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
        If it is missing or none.
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
        If it is missing or none.
    """
    value = number(environ, name)
    if value != int(value):
        raise SettingsError(f"environment variable {name} must be a whole number, got {environ[name]!r}")
    return int(value)


def required_items(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return comma-separated names, at least one.

    Raises
    ------
    SettingsError
        If there is none.
    """
    items = tuple(item.strip() for item in environ.get(name, "").split(",") if item.strip())
    if not items:
        raise SettingsError(
            f"environment variable {name} must name at least one, got {environ.get(name, '')!r}; deploy the monitoring "
            "stack again"
        )
    return items
