"""The demo's environment file, and the CDK CLI that deploys it to the embedded AWS."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Value = str | int | float | list[str]


class CdkError(Exception):
    """Raised when the CDK CLI fails; the text ends with what it printed."""


@dataclass(frozen=True)
class Cdk:
    """Runs the CDK CLI of this repository.

    `environment` is the CLI's whole environment; everything it prints goes to `log`.
    """

    root: Path
    environment: Mapping[str, str]
    log: Path

    def bootstrap(self, account: str, region: str) -> None:
        """Bootstrap the account from an empty folder, where the CLI has no app to synthesize first."""
        empty = self.log.parent / "bootstrap"
        empty.mkdir(exist_ok=True)
        self._run("bootstrap", f"aws://{account}/{region}", cwd=empty)
        empty.rmdir()

    def synthesize(self, environment_file: Path, output: Path) -> Path:
        """Synthesize the app for `environment_file` into `output` and return it."""
        self._run("synth", "--quiet", "-c", f"environment={environment_file}", "--output", str(output), cwd=self.root)
        return output

    def deploy(self, assembly: Path, stacks: Sequence[str]) -> None:
        """Deploy `stacks`, or all when there are none, from a synthesized `assembly`."""
        arguments = ["deploy", "--app", str(assembly), "--require-approval", "never", "--progress", "events"]
        self._run(*arguments, *(["--exclusively", *stacks] if stacks else ["--all"]), cwd=self.root)

    def destroy(self, assembly: Path) -> None:
        """Delete every stack of `assembly`."""
        self._run("destroy", "--app", str(assembly), "--all", "--force", cwd=self.root)

    def _run(self, *arguments: str, cwd: Path) -> None:
        command = [str(self.root / "node_modules" / ".bin" / "cdk"), *arguments]
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ cdk {' '.join(arguments)}\n")
            log.flush()
            finished = subprocess.run(  # noqa: S603 - our own CLI, fixed arguments
                command,
                cwd=cwd,
                env=dict(self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if finished.returncode:
            tail = "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-15:])
            raise CdkError(f"cdk {arguments[0]} failed with exit code {finished.returncode}; {self.log} ends:\n{tail}")


def derive(template: Path, output: Path, values: Mapping[str, Value]) -> Path:
    """Write a copy of `template` to `output` in which the named keys have other values.

    Absent ones are added, and absent sections at the end.

    Parameters
    ----------
    values
        ``section.key`` -> text or number; a key above the first section is named alone.

    Raises
    ------
    ValueError
        If the template has no such key above the first section.
    """
    left = dict(values)
    lines = [*_replaced(template.read_text(encoding="utf-8").splitlines(), left)]
    lines = [each for line in lines for each in (line, *_added(line, left))]
    while left:
        section = next(iter(left)).rpartition(".")[0]
        if not section:
            raise ValueError(f"{template} must have the keys {', '.join(left)}, got none of them")
        title = f"[{section}]"
        lines += ["", title, *_added(title, left)]
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
