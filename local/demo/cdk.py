"""The real CDK CLI, pointed at the embedded AWS by its environment alone."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


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
