"""The part of Dockerfile syntax that images run without Docker may use; everything else is refused by name."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class DockerfileError(Exception):
    """Raised for an instruction that the stand-in cannot honour; the text names it."""


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    keyword: str
    value: str


_PINNED: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_COPY_OPTIONS: Final = ("--chown=", "--chmod=", "--link")
_HASHED_INSTALL: Final = "RUN must be `pip install --require-hashes --requirement <file>`"


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile.

    Raises
    ------
    DockerfileError
        If a line has no instruction.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [_instruction(line.strip()) for line in joined.splitlines() if line.strip()]


def _instruction(line: str) -> Instruction:
    keyword, _, value = line.partition(" ")
    if not value.strip():
        raise DockerfileError(f"a Dockerfile line must be an instruction with a value, got {line!r}")
    return Instruction(keyword.upper(), value.strip())


def check_base(value: str) -> None:
    """Refuse a base image that is not pinned by digest, and builds in stages."""
    words = [word for word in value.split() if not word.startswith("--platform=")]
    if len(words) != 1 or not _PINNED.fullmatch(words[0]):
        raise DockerfileError(f"FROM must name one image pinned by digest (name@sha256:...), got {value!r}")


def assignments(value: str) -> dict[str, str]:
    """Return the variables of an ENV instruction, in its ``name=value`` form."""
    pairs = [word.partition("=") for word in shlex.split(value)]
    if not all(separator and ("$" not in text or name == "PATH") for name, separator, text in pairs):
        raise DockerfileError(f"ENV must be name=value pairs without variables, got {value!r}")
    return {name: text for name, _, text in pairs}


def argument(value: str) -> tuple[str, str]:
    """Return the name and the default of an ARG instruction."""
    name, separator, default = value.partition("=")
    if not separator or not name.isidentifier() or "$" in default:
        raise DockerfileError(f"ARG must be name=default without variables, got {value!r}")
    return name, default


def substituted(value: str, arguments: Mapping[str, str]) -> str:
    """Return a RUN instruction with its ``$NAME`` replaced by build arguments; other variables stay as they are."""
    return re.sub(r"\$([A-Za-z_]\w*)", lambda match: arguments.get(match[1], match[0]), value)


def exec_form(keyword: str, value: str) -> list[str]:
    """Return the words of an instruction in exec form: shell form would swallow SIGTERM."""
    try:
        words = json.loads(value)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise DockerfileError(f'{keyword} must be in exec form (["program", "argument"]), got {value!r}')
    return words


def copy_paths(value: str) -> tuple[list[str], str]:
    """Return the sources and the destination of a COPY instruction."""
    words = shlex.split(value)
    options = [word for word in words if word.startswith("--")]
    refused = [option for option in options if not option.startswith(_COPY_OPTIONS)]
    paths = [word for word in words if not word.startswith("--")]
    if refused or len(paths) < 2:
        raise DockerfileError(f"COPY must be source paths and a destination, got {value!r}")
    return paths[:-1], paths[-1]


def locked_requirements(value: str) -> str:
    """Return the lock file that a RUN instruction installs; any other RUN is refused."""
    if any(character in value for character in ";|&><$`"):
        raise DockerfileError(f"{_HASHED_INSTALL}, got {value!r}")
    words = shlex.split(value)
    if words[:2] == ["python", "-m"]:
        words = words[2:]
    files = [after for word, after in zip(words, words[1:], strict=False) if word in ("-r", "--requirement")]
    if words[:2] != ["pip", "install"] or "--require-hashes" not in words or len(files) != 1:
        raise DockerfileError(f"{_HASHED_INSTALL}, got {value!r}")
    return files[0]
