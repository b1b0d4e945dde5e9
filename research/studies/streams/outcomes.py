"""One window of a stream: what the product made of it, and the truth."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from plumbline.contract.decoding import decode
from plumbline.contract.verdicts import Verdict

CLEAR_DROP, SMALL_DROP = 0.03, 0.02
"""A drop of the accuracy that somebody wants to be woken for, and the one below which nobody does."""


@dataclass(frozen=True)
class RunMode:
    """How the product is run: with the task's history or without, and how many windows late labels come, or None."""

    history: bool
    late: int | None


@dataclass(frozen=True, kw_only=True)
class StreamOutcome:
    """One window. Fractions are 0..1.

    `number` and `start` are the window's place among those of its size, and its first row's in the stream. `realised`
    and `reference` are the accuracy of the window and of the test set, known to the study alone. `parts` are the
    half-widths of the interval by what they are for. `refused` is the code of the reason without an estimate, and `why`
    its text. `quality` and `concept` are what labels showed when they had come, `concept_code` why. `multivariate` is
    the verdict on whole rows. `others` are other estimates of the accuracy, by name.
    """

    stream: str
    n_rows: int
    number: int
    start: int
    history: bool
    late: int | None
    realised: float
    reference: float
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None
    why: str | None = None
    separability: float | None = None
    drift: Verdict = Verdict.NOT_JUDGED
    features: tuple[str, ...] = ()
    prediction: Verdict = Verdict.NOT_JUDGED
    multivariate: Verdict = Verdict.NOT_JUDGED
    projected: Verdict = Verdict.NOT_JUDGED
    quality: Verdict = Verdict.NOT_JUDGED
    concept: Verdict = Verdict.NOT_JUDGED
    concept_code: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)

    @property
    def mode(self) -> RunMode:
        """How the product was run."""
        return RunMode(self.history, self.late)

    @property
    def loss(self) -> float:
        """By how much the accuracy fell below that of the test set."""
        return self.reference - self.realised

    @property
    def is_covered(self) -> bool | None:
        """Whether the interval holds the realised accuracy; None without one."""
        if self.lower is None or self.upper is None:
            return None
        return self.lower <= self.realised <= self.upper

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval; None without one."""
        return None if self.lower is None or self.upper is None else (self.upper - self.lower) / 2

    @property
    def starts_work(self) -> bool:
        """Whether a verdict that starts a retraining was drift: realised quality, or the projected accuracy."""
        return Verdict.DRIFT in {self.quality, self.projected}


def write_lines(path: Path, outcomes: Iterable[StreamOutcome]) -> None:
    """Write one JSON document per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in outcomes), encoding="utf-8")


def read_lines(path: Path) -> Iterator[StreamOutcome]:
    """Yield what `write_lines` wrote."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield decode(StreamOutcome, json.loads(line))
