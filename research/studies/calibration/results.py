"""Everything one run of the study found, as a file that the page is made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from research.studies.calibration.false_alarms import AlarmTally, FeatureTally
from research.studies.calibration.power import PowerTally
from research.studies.calibration.shifts import ChangeMeasure


@dataclass(frozen=True)
class Agreement:
    """How our writing of Evidently's rule compares with the package, on the same windows."""

    version: str
    n_windows: int
    n_columns: int
    n_agreeing: int
    """Columns with the same method, the same score to 1e-9, and windows with as many drifted columns."""


@dataclass(frozen=True)
class CalibrationStudy:
    """One run. `population` names what was drawn from; `versions` are those of the libraries."""

    command: str
    seed: int
    population: str
    n_population: int
    versions: Mapping[str, str]
    seconds: float
    tallies: tuple[AlarmTally, ...]
    found: tuple[PowerTally, ...]
    agreement: Agreement | None = None

    def save(self, path: Path) -> None:
        """Write the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "CalibrationStudy":
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(path.read_text())
        return cls(
            **{
                **data,
                "tallies": tuple(_tally(entry) for entry in data["tallies"]),
                "found": tuple(
                    PowerTally(**{**entry, "measure": ChangeMeasure(entry["measure"])}) for entry in data["found"]
                ),
                "agreement": None if data["agreement"] is None else Agreement(**data["agreement"]),
            }
        )


def _tally(entry: Mapping[str, Any]) -> AlarmTally:
    return AlarmTally(**{**entry, "features": {name: FeatureTally(**one) for name, one in entry["features"].items()}})
