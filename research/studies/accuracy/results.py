"""Everything one run of the study found, as a file that the page is made from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from plumbline.contract.decoding import decode
from research.studies.accuracy.outcomes import IntervalEstimate, WindowOutcome

DIGITS = 5
"""Of every fraction: a thousandth of a percentage point."""


@dataclass(frozen=True)
class AccuracyStudy:
    """One run. `populations` names what was drawn from; `versions` are those of the libraries."""

    command: str
    seed: int
    populations: tuple[str, ...]
    versions: Mapping[str, str]
    seconds: float
    outcomes: tuple[WindowOutcome, ...]

    def save(self, path: Path) -> None:
        """Write the results as JSON, a line for each window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {
            "command": self.command,
            "seed": self.seed,
            "populations": list(self.populations),
            "versions": dict(self.versions),
            "seconds": round(self.seconds),
            "fields": [entry.name for entry in fields(WindowOutcome)],
        }
        lines = [json.dumps(_row(outcome), separators=(",", ":")) for outcome in self.outcomes]
        text = json.dumps(head, indent=1).removesuffix("\n}")
        path.write_text(f'{text},\n "windows": [\n' + ",\n".join(lines) + "\n ]\n}\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "AccuracyStudy":
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names, rows = data.pop("fields"), data.pop("windows")
        return cls(
            **{
                **data,
                "populations": tuple(data["populations"]),
                "outcomes": tuple(decode(WindowOutcome, _named(names, row)) for row in rows),
            }
        )


_INTERVAL_FIELDS = [entry.name for entry in fields(IntervalEstimate)]


def _row(outcome: WindowOutcome) -> list[Any]:
    return [_short(value) for value in asdict(outcome).values()]


def _short(value: Any) -> Any:
    """Return a value as it is written: fractions rounded, and of a bounded figure the numbers alone."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        short = {str(key): _short(one) for key, one in value.items()}
        return list(short.values()) if list(short) == _INTERVAL_FIELDS else short
    return value


def _named(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return {name: _long(value) for name, value in zip(names, row, strict=True)}


def _long(value: Any) -> Any:
    if isinstance(value, list):
        return dict(zip(_INTERVAL_FIELDS, value, strict=True))
    return {key: _long(one) for key, one in value.items()} if isinstance(value, dict) else value
