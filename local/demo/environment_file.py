"""The demo's environment file: the development environment with the model it trained itself."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Value = str | int | float


def derive(template: Path, output: Path, values: Mapping[str, Value]) -> Path:
    """Write a copy of `template` to `output` in which the named keys have other values; absent ones are added.

    Parameters
    ----------
    values
        ``section.key`` -> text or number; a key above the first section is named alone.

    Raises
    ------
    ValueError
        If the template has no such section, or no such key above the first one.
    """
    left = dict(values)
    lines = [*_replaced(template.read_text(encoding="utf-8").splitlines(), left)]
    lines = [each for line in lines for each in (line, *_added(line, left))]
    if left:
        raise ValueError(f"{template} must have the sections of {', '.join(left)}, got none of them")
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return output


def _replaced(lines: Sequence[str], left: dict[str, Value]) -> Iterator[str]:
    section = ""
    for line in lines:
        section = _section(line) or section
        key = re.match(r"(\w+) = ", line)
        name = f"{section}.{key[1]}".removeprefix(".") if key else ""
        yield _line(key[1], left.pop(name)) if key and name in left else line


def _added(line: str, left: dict[str, Value]) -> Iterator[str]:
    """Yield the lines that belong below a section's title."""
    section = _section(line)
    for name in [name for name in left if section and name.rpartition(".")[0] == section]:
        yield _line(name.rpartition(".")[2], left.pop(name))


def _section(line: str) -> str | None:
    title = re.fullmatch(r"\[([\w.]+)\]", line)
    return title[1] if title else None


def _line(key: str, value: Value) -> str:
    # JSON's strings and numbers are TOML's: a folder may have a quote in its name.
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
