"""Typed access to environment variables, with errors that name the one to change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plumbline.contract.names import Switch
from plumbline.contract.thresholds import RENAMED_KEYS, THRESHOLDS, Range, Threshold, variable_of
from plumbline.contract.training import finite_number
from plumbline.drift.errors import ConfigError


@dataclass(frozen=True)
class Variables:
    """The environment of one run; an empty variable counts as absent."""

    environment: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Return the variable without surrounding white space, or None when it is empty."""
        return self.environment.get(name, "").strip() or None

    def error(self, name: str, rule: str, remedy: str = "set it on the monitoring job") -> ConfigError:
        """Return the error for a variable that breaks `rule`."""
        return ConfigError(f"environment variable {name} {rule}, got {self.environment.get(name)!r}; {remedy}")

    def required(self, name: str) -> str:
        """Return a variable that must be set, or raise ConfigError."""
        text = self.text(name)
        if text is None:
            raise self.error(name, "must be set")
        return text

    def switch(self, name: str) -> bool:
        """Return whether the variable is Enabled; absent is Disabled, anything else raises ConfigError."""
        text = (self.text(name) or Switch.DISABLED).capitalize()
        if text not in set(Switch):
            raise self.error(name, f"must be {' or '.join(Switch)}")
        return text == Switch.ENABLED

    def number(self, name: str, default: float) -> float:
        """Return the variable as a number, or raise ConfigError."""
        text = self.text(name)
        number = default if text is None else finite_number(text)
        if number is None:
            raise self.error(name, "must be a finite number")
        return number

    def count(self, name: str, default: int) -> int:
        """Return the variable as a whole number, or raise ConfigError."""
        number = self.number(name, default)
        if number != int(number):
            raise self.error(name, "must be a whole number")
        return int(number)

    def count_within(self, name: str, default: int, minimum: int, maximum: int | None = None) -> int:
        """Return the variable as a whole number in a range, or raise ConfigError; `maximum` None: no upper end."""
        number = self.count(name, default)
        allowed = Range(minimum=minimum, maximum=maximum)
        if not allowed.holds(number):
            raise self.error(name, f"must be {allowed}")
        return number

    def thresholds(self) -> dict[str, Any]:
        """Return the thresholds that are set, by name, or raise ConfigError; the others keep their defaults."""
        for old, new in RENAMED_KEYS.items():
            if "." not in old and self.text(variable_of(old)) is not None:
                raise self.error(variable_of(old), f"is now {variable_of(new)}", "rename it on the monitoring job")
        return {row.name: self._threshold(row) for row in THRESHOLDS if self.text(row.variable) is not None}

    def _threshold(self, row: Threshold) -> Any:
        if row.kind is int:
            return self.count(row.variable, 0)
        if row.kind is float:
            return self.number(row.variable, 0)
        text = self.text(row.variable)
        if text not in row.choices:
            raise self.error(row.variable, f"must be one of {', '.join(row.choices)}")
        return row.kind(text)
