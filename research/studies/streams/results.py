"""Everything one run of the study of streams found, as a file that the page is made from."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import decode
from research.studies.streams.outcomes import PeerOutcome, StreamOutcome

DIGITS = 5
"""Of every fraction: a thousandth of a percentage point."""


@dataclass(frozen=True)
class StreamStudy:
    """One run; `versions` are those of the libraries, and `absent` the tools and streams that were not to be had."""

    command: str
    seed: int
    versions: Mapping[str, str]
    seconds: float
    outcomes: tuple[StreamOutcome, ...]
    others: tuple[PeerOutcome, ...]
    absent: tuple[str, ...] = ()

    def updating(self, last: "StreamStudy") -> "StreamStudy":
        """Return this run with what the last one had of modes, tools and methods that are not in this one.

        Raises
        ------
        ValueError
            If the last run had another seed or other libraries.
        """
        if (last.seed, last.versions) != (self.seed, self.versions):
            raise ValueError(
                f"the last run must have the seed {self.seed} and the versions {self.versions} to be kept in part, "
                f"got {last.seed} and {last.versions}; run all of it"
            )
        modes, tools = {one.mode for one in self.outcomes}, {one.tool for one in self.others}
        return replace(
            self,
            seconds=self.seconds + last.seconds,
            outcomes=(*(one for one in last.outcomes if one.mode not in modes), *self.outcomes),
            others=(*(one for one in last.others if one.tool not in tools), *self.others),
            absent=tuple(dict.fromkeys((*last.absent, *self.absent))),
        )

    def save(self, path: Path) -> None:
        """Write the results as JSON, a line for each window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {
            "command": self.command,
            "seed": self.seed,
            "versions": dict(self.versions),
            "seconds": round(self.seconds),
            "absent": list(self.absent),
        }
        text = json.dumps(head, indent=1).removesuffix("\n}")
        windows, others = _lines(self.outcomes), _lines(self.others)
        path.write_text(f'{text},\n "outcomes": [\n{windows}\n ],\n "others": [\n{others}\n ]\n}}\n', encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "StreamStudy":
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        outcomes = tuple(decode(StreamOutcome, one, tolerant=True) for one in data.pop("outcomes"))
        others = tuple(decode(PeerOutcome, one, tolerant=True) for one in data.pop("others"))
        return cls(**{**data, "outcomes": outcomes, "others": others, "absent": tuple(data["absent"])})


def _lines(outcomes: Iterable[StreamOutcome | PeerOutcome]) -> str:
    return ",\n".join(json.dumps(_short(asdict(one)), separators=(",", ":")) for one in outcomes)


def _short(value: Any) -> Any:
    """Return a value as it is written: fractions rounded, and without what is not known."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items() if one is not None and one not in ({}, ())}
    return value
