"""Everything one run of the study of verdicts found, as a file that the page is made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from plumbline.contract.decoding import decode
from research.studies.verdicts.arrivals import ArrivalTally
from research.studies.verdicts.courses import CourseTally
from research.studies.verdicts.features import CellTally
from research.studies.verdicts.kinds import VerdictTally


@dataclass(frozen=True)
class VerdictStudy:
    """One run. `population` names what single features were drawn from; `versions` are those of the libraries."""

    command: str
    seed: int
    population: str
    versions: Mapping[str, str]
    seconds: float
    tallies: tuple[VerdictTally, ...]
    arrivals: tuple[ArrivalTally, ...]
    cells: tuple[CellTally, ...]
    courses: tuple[CourseTally, ...]

    def save(self, path: Path) -> None:
        """Write the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "VerdictStudy":
        """Read what `save` wrote."""
        return decode(cls, json.loads(path.read_text(encoding="utf-8")))
