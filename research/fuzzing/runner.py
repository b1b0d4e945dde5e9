"""Runs a target: its corpus, then mutations of it."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from research.fuzzing.mutator import mutated
from research.fuzzing.targets import Target

_KEPT = 2000
"""Mutations that are mutated again: what a document went through adds up."""


@dataclass(frozen=True)
class Escape:
    """An input that a parser failed on with an error that it does not document."""

    data: bytes
    error: Exception


@dataclass(frozen=True)
class Outcome:
    """What a run found; `seconds` is the time it took."""

    executions: int
    seconds: float
    escape: Escape | None = None


def mutations(target: Target, seed: int) -> Iterator[bytes]:
    """Yield mutations without end; equal corpora and seeds give equal ones."""
    source = random.Random(f"{target.name} {seed}")  # noqa: S311 - repeatable, no secret
    corpus = target.inputs()
    pool = [*corpus]
    while True:
        data = mutated(source.choice(pool if source.random() < 0.3 else corpus), source.choice(corpus), source)
        if source.random() < 0.05:
            pool.append(data)
            if len(pool) > _KEPT:
                del pool[source.randrange(len(corpus), len(pool))]
        yield data


def fuzz(target: Target, executions: int, seed: int = 0, seconds: float | None = None) -> Outcome:
    """Run the corpus and so many mutations; stop at the first escape, or after a time."""
    with TemporaryDirectory(prefix="plumbline-fuzz-") as folder:
        return _fuzz(target, target.make(Path(folder)), _inputs(target, executions, seed), seconds)


def _fuzz(target: Target, run: Callable[[bytes], object], inputs: Iterator[bytes], seconds: float | None) -> Outcome:
    started, done = time.monotonic(), 0
    for data in inputs:
        if escape := _escape(target, run, data):
            return Outcome(done, time.monotonic() - started, escape)
        done += target.together
        if seconds is not None and time.monotonic() - started > seconds:
            break
    return Outcome(done, time.monotonic() - started)


def _inputs(target: Target, executions: int, seed: int) -> Iterator[bytes]:
    yield from target.inputs()
    found = mutations(target, seed)
    for _ in range(0, executions, target.together):
        yield b"\n".join(islice(found, target.together))


def _escape(target: Target, run: Callable[[bytes], object], data: bytes) -> Escape | None:
    try:
        target.check(run, data)
    except Exception as error:
        return Escape(data, error)
    return None


def kept(escape: Escape, folder: Path) -> Path:
    """Write the input of an escape below `folder`, by its hash; return the file, which belongs into the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(escape.data).hexdigest()[:16]
    file.write_bytes(escape.data)
    return file
