"""Virtual environments named after the lock file that they hold: made once, shared by every run.

Standard library only: the embedded AWS calls it from its own environment.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache" / "venvs"
UV: Final = ROOT / ".venv" / "bin" / "uv"

Run = Callable[[Sequence[str | Path]], None]
"""Runs a command and raises EnvironmentSetupError when it fails."""


class EnvironmentSetupError(Exception):
    """An environment could not be made."""


def _run(command: Sequence[str | Path]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command lines
    except FileNotFoundError as error:
        raise EnvironmentSetupError(f"{command[0]} must exist; run `make setup`") from error
    except subprocess.CalledProcessError as error:
        raise EnvironmentSetupError(f"{' '.join(map(str, command))} failed:\n{error.stderr.strip()}") from error


def ensure(*locks: Path, name: str, cache: Path = CACHE, run: Run = _run) -> Path:
    """Return the interpreter of an environment that holds exactly what hashed lock files name.

    The environment is made under another name and renamed when it is complete: an interruption leaves no half
    environment behind. Parallel callers wait for the first one.

    Parameters
    ----------
    locks
        Requirements with hashes for every package, installed one after the other.
    name
        What the environment is for, as its folder's name shows.

    Raises
    ------
    EnvironmentSetupError
        If the lock file cannot be read or installed.
    """
    place = cache / f"{name}-{_digest(locks)[:12]}"
    python = place / "bin" / "python"
    if python.exists():
        return python
    cache.mkdir(parents=True, exist_ok=True)
    with _exclusive(cache / f".{place.name}.lock"):
        if not python.exists():
            _make(place, locks, run)
    return python


def _digest(locks: Sequence[Path]) -> str:
    """Return the hash of everything that decides what the environment holds."""
    try:
        requirements = b"".join(lock.read_bytes() for lock in locks)
    except OSError as error:
        raise EnvironmentSetupError(f"lock file must be readable, got {error.filename!r}: {error.strerror}") from error
    return hashlib.sha256(sys.version.encode() + requirements).hexdigest()


def _make(place: Path, locks: Sequence[Path], run: Run) -> None:
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        # Relocatable: its scripts do not remember the name that it is made under.
        run([UV, "venv", "--quiet", "--relocatable", "--python", sys.executable, partial])
        interpreter = partial / "bin" / "python"
        # The system's certificates: a company's proxy has its own, which uv's built-in list does not know.
        install: list[str | Path] = [UV, "pip", "install", "--quiet", "--system-certs", "--compile-bytecode"]
        install += ["--python", interpreter]
        for index, lock in enumerate(locks):
            # The first may hold source archives that nothing locked builds; the others are built by what it brought.
            options = ["--no-build-isolation"] if index else []
            run([*install, *options, "--require-hashes", "--requirement", lock])
        partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock that the system frees when this process dies."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
