"""Parameters of a pipeline: what a definition declares, and what an execution gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.aws.errors import ValidationError
from local.aws.pipeline_expressions import ExpressionError

_TYPES: Final = {"String": str, "Integer": int, "Float": float, "Boolean": bool}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `default` is None when an execution must give a value, `choices` empty for any."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> "Parameter":
        """Read a declaration.

        Raises
        ------
        ExpressionError
            If it is not sound.
        """
        name, kind = entry.get("Name"), entry.get("Type")
        default: Any = entry.get("DefaultValue")
        if not name or kind not in _TYPES:
            raise ExpressionError(f"a parameter must have a Name and a Type of {sorted(_TYPES)}, got {dict(entry)}")
        allowed = (int, float) if kind == "Float" else (_TYPES[kind],)
        if default is not None and not (
            isinstance(default, allowed) and isinstance(default, bool) == (kind == "Boolean")
        ):
            raise ExpressionError(f"DefaultValue of parameter {name!r} must be of type {kind}, got {default!r}")
        return cls(name, kind, entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ()))

    def read(self, text: str) -> str | int | float | bool:
        """Return the value that an execution's text means.

        Raises
        ------
        ApiError
            ``ValidationException`` if it means none.
        """
        if self.choices and text not in self.choices:
            raise ValidationError(f"Parameter {self.name!r} must be one of {list(self.choices)}, got {text!r}")
        try:
            if self.type == "Boolean":
                return {"true": True, "false": False}[text.lower()]
            return _TYPES[self.type](text)  # type: ignore[no-any-return]
        except (KeyError, ValueError):
            raise ValidationError(f"Parameter {self.name!r} must be of type {self.type}, got {text!r}") from None


def values(declared: Iterable[Parameter], given: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return every parameter's value in one execution.

    Raises
    ------
    ApiError
        ``ValidationException`` for a value that is not declared, not of its type, or missing.
    """
    known = {parameter.name: parameter for parameter in declared}
    texts = {entry["Name"]: entry["Value"] for entry in given}
    if unknown := sorted(set(texts) - set(known)):
        raise ValidationError(f"Parameters {unknown} are not defined in the pipeline; it has {sorted(known)}")
    missing = sorted(name for name, parameter in known.items() if parameter.default is None and name not in texts)
    if missing:
        raise ValidationError(f"Parameters {missing} have no default value and must be given")
    return {
        name: parameter.read(texts[name]) if name in texts else parameter.default for name, parameter in known.items()
    }
