"""One window of a stream: what the product made of it, and the truth."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from plumbline.contract.decoding import decode
from plumbline.contract.retraining import HARM, TriggerKind
from plumbline.contract.verdicts import Verdict

CLEAR_DROP, SMALL_DROP = 0.03, 0.02
"""A drop of the accuracy that somebody wants to be woken for, and the one below which nobody does."""


@dataclass(frozen=True)
class RunMode:
    """How the product is run: with the task's history or without, and how many windows late labels come, or None."""

    history: bool
    late: int | None


@dataclass(frozen=True)
class Bounded:
    """An accuracy with its interval, 0..1; None: there is none."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None

    def holds(self, realised: float) -> bool:
        """Return whether the interval holds the realised accuracy; without an interval it does not."""
        return self.lower is not None and self.upper is not None and self.lower <= realised <= self.upper

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval."""
        return None if self.lower is None or self.upper is None else (self.upper - self.lower) / 2


@dataclass(frozen=True, kw_only=True)
class StreamOutcome:
    """One window. Fractions are 0..1.

    `number` and `start` are the window's place among those of its size, and its first row's in the stream. `realised`
    and `reference` are the accuracy of the window and of the test set, known to the study alone. `figure` is the
    projected accuracy, and `parts` are the half-widths of its interval by what they are for. `refused` is the code of
    the reason without one, `why` its text, and `withheld` what the projection would have been. `quality` and `concept`
    are what labels showed when they had come, `concept_code` why. `multivariate` is the verdict on whole rows.
    """

    stream: str
    n_rows: int
    number: int
    start: int
    history: bool
    late: int | None = None
    realised: float
    reference: float
    figure: Bounded = Bounded()
    parts: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None
    why: str | None = None
    withheld: Bounded | None = None
    separability: float | None = None
    drift: Verdict = Verdict.NOT_JUDGED
    features: tuple[str, ...] = ()
    prediction: Verdict = Verdict.NOT_JUDGED
    multivariate: Verdict = Verdict.NOT_JUDGED
    projected: Verdict = Verdict.NOT_JUDGED
    quality: Verdict = Verdict.NOT_JUDGED
    concept: Verdict = Verdict.NOT_JUDGED
    concept_code: str | None = None

    @property
    def mode(self) -> RunMode:
        """How the product was run."""
        return RunMode(self.history, self.late)

    @property
    def loss(self) -> float:
        """By how much the accuracy fell below that of the test set."""
        return self.reference - self.realised

    @property
    def starts_work(self) -> bool:
        """Whether a verdict was drift that starts a retraining where the environment file lists nothing."""
        verdicts = {
            TriggerKind.QUALITY: self.quality,
            TriggerKind.PROJECTED_ACCURACY: self.projected,
            TriggerKind.CONCEPT_SHIFT: self.concept,
        }
        return Verdict.DRIFT in {verdicts[kind] for kind in HARM}


@dataclass(frozen=True, kw_only=True)
class PeerOutcome:
    """What another tool or method made of the same window; `alarms` are its alarms by name."""

    tool: str
    stream: str
    n_rows: int
    number: int
    realised: float
    reference: float
    figure: Bounded = Bounded()
    alarms: Mapping[str, bool] = field(default_factory=dict)

    @property
    def loss(self) -> float:
        """By how much the accuracy fell below that of the test set."""
        return self.reference - self.realised


def write_lines(path: Path, outcomes: Iterable[StreamOutcome]) -> None:
    """Write one JSON document per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in outcomes), encoding="utf-8")


def read_lines(path: Path) -> Iterator[StreamOutcome]:
    """Yield what `write_lines` wrote."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield decode(StreamOutcome, json.loads(line))
