"""Everything one run of the study found, as a file that the page is made from."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scipy.stats import beta

from studies.calibration.false_alarms import FeatureTally, Tally
from studies.calibration.power import Found
from studies.calibration.shifts import Measure

LEVEL = 0.95


@dataclass(frozen=True)
class Agreement:
    """How our writing of Evidently's rule compares with the package, on the same windows."""

    version: str
    n_windows: int
    n_columns: int
    n_agreeing: int
    """Columns with the same method, the same score to 1e-9, and windows with as many drifted columns."""


@dataclass(frozen=True)
class Study:
    """One run. `population` says in words what was drawn from; `versions` are those of the libraries."""

    command: str
    seed: int
    population: str
    n_population: int
    versions: Mapping[str, str]
    seconds: float
    tallies: tuple[Tally, ...]
    found: tuple[Found, ...]
    agreement: Agreement | None = None

    def save(self, path: Path) -> None:
        """Write the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Study":
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(path.read_text())
        return cls(
            **{
                **data,
                "tallies": tuple(_tally(entry) for entry in data["tallies"]),
                "found": tuple(Found(**{**entry, "measure": Measure(entry["measure"])}) for entry in data["found"]),
                "agreement": None if data["agreement"] is None else Agreement(**data["agreement"]),
            }
        )


def _tally(entry: Mapping[str, Any]) -> Tally:
    return Tally(**{**entry, "features": {name: FeatureTally(**one) for name, one in entry["features"].items()}})


def interval(n_events: int, n_trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact binomial interval of a rate, 0 to 1.

    References
    ----------
    C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial" (1934).

    Examples
    --------
    >>> tuple(round(bound, 4) for bound in interval(0, 100))
    (0.0, 0.0362)
    """
    tail = (1 - level) / 2
    lower = float(beta.ppf(tail, n_events, n_trials - n_events + 1)) if n_events else 0.0
    upper = float(beta.ppf(1 - tail, n_events + 1, n_trials - n_events)) if n_events < n_trials else 1.0
    return lower, upper
