"""Coverage-guided fuzzing by atheris, where it is installed (requirements/fuzz-atheris.txt)."""

import random
import sys
from pathlib import Path
from typing import NoReturn

from research.fuzzing.mutator import mutated
from research.fuzzing.runner import Escape, kept
from research.fuzzing.targets import CORPUS, Target

_OF_OURS = 0.5
"""Fraction of mutations that are of documents; the others are of bytes, libFuzzer's own."""


def fuzz_guided(target: Target, executions: int, seed: int, found: Path) -> NoReturn:
    """Fuzz one target by the coverage of its own modules and end the process: 0, or another code at the first escape.

    Inputs that reach something new are kept below `found`, and so is what escapes.
    """
    import atheris

    folder = found / "work"
    folder.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["plumbline"]):
        run = target.make(folder)
    corpus = target.inputs()

    def one_input(data: bytes) -> None:
        try:
            target.check(run, data)
        except Exception as error:
            print(f"escape: {kept(Escape(data, error), found)}; keep it in {CORPUS / target.name}", file=sys.stderr)
            raise

    def mutate(data: bytes, max_size: int, seed_of_mutation: int) -> bytes:
        source = random.Random(seed_of_mutation)  # noqa: S311 - repeatable, no secret
        if source.random() < _OF_OURS:
            return mutated(data, source.choice(corpus), source)[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    reached = found / "reached"
    reached.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus):
        (reached / f"seed-{number}").write_bytes(data)
    options = [f"-runs={executions}", f"-seed={seed + 1}", "-max_len=20000", "-timeout=60", str(reached)]
    atheris.Setup([sys.argv[0], *options], one_input, custom_mutator=mutate)
    atheris.Fuzz()
    sys.exit(0)
