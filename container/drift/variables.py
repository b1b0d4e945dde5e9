"""Typed access to environment variables, with errors that say which one to change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contract.names import Switch
from contract.training import finite_number
from drift.errors import ConfigError


@dataclass(frozen=True)
class Variables:
    """The environment of one run; an empty variable counts as absent."""

    environment: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Return the variable without surrounding white space, or None when it says nothing."""
        return self.environment.get(name, "").strip() or None

    def error(self, name: str, rule: str, remedy: str = "set it on the monitoring job") -> ConfigError:
        """Return the error for a variable that breaks `rule`."""
        return ConfigError(f"environment variable {name} {rule}, got {self.environment.get(name)!r}; {remedy}")

    def required(self, name: str) -> str:
        """Return a variable that must say something, or raise ConfigError."""
        text = self.text(name)
        if text is None:
            raise self.error(name, "must be set")
        return text

    def switch(self, name: str) -> bool:
        """Return whether the variable says Enabled; absent is Disabled, anything else raises ConfigError."""
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

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """Return the variable as one of `choices`, or raise ConfigError."""
        text = self.text(name) or default
        if text not in (known := list(choices)):
            raise self.error(name, f"must be one of {', '.join(known)}")
        return text
