"""The demo's environment file: the development environment with the model it trained itself."""

import json
import re
from collections.abc import Mapping
from pathlib import Path


def derive(template: Path, output: Path, values: Mapping[str, str | int]) -> Path:
    """Write a copy of `template` to `output` in which the named keys have other values.

    Parameters
    ----------
    values
        ``section.key`` -> text or number; a key above the first section is named alone.

    Raises
    ------
    ValueError
        If the template has no such key.
    """
    section, lines, left = "", [], dict(values)
    for line in template.read_text(encoding="utf-8").splitlines():
        if title := re.fullmatch(r"\[([\w.]+)\]", line):
            section = title[1]
        key = re.match(r"(\w+) = ", line)
        name = f"{section}.{key[1]}".removeprefix(".") if key else ""
        # JSON's strings and numbers are TOML's: a folder may have a quote in its name.
        lines.append(f"{key[1]} = {json.dumps(left.pop(name), ensure_ascii=False)}" if key and name in left else line)
    if left:
        raise ValueError(f"{template} must have the keys {', '.join(left)}, got none of them")
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return output
