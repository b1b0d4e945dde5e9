"""What a benchmark found: measurements, what was not run and why, and the figures that follow from them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

SLOPE_FROM_RECORDS: Final = 1_000_000
"""Below this the fixed cost of starting dominates, so that a slope would describe the start."""


@dataclass(frozen=True)
class ProgramMeasurement:
    """One finished run of one program on one window."""

    program: str
    records: int
    repetition: int
    seconds: float
    """Wall clock, from starting the process to its end."""
    cpu_seconds: float
    peak_bytes: int
    first_line_seconds: float | None
    """From starting the process to its first line on standard error; None when it wrote none."""


@dataclass(frozen=True)
class NotRun:
    """A program without a measurement; `records` is None when it ran on no window at all."""

    program: str
    records: int | None
    reason: str


@dataclass(frozen=True)
class Results:
    """One benchmark, complete: everything that its page shows."""

    command: str
    machine: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    """Program to package to version."""
    measurements: Sequence[ProgramMeasurement]
    not_run: Sequence[NotRun]

    @property
    def programs(self) -> list[str]:
        """Names of the programs that were measured, in the order of their first measurement."""
        return list(dict.fromkeys(entry.program for entry in self.measurements))

    @property
    def sizes(self) -> list[int]:
        """Numbers of records that were measured, ascending."""
        return sorted({entry.records for entry in self.measurements})

    def of(self, program: str, records: int) -> list[ProgramMeasurement]:
        """Return the repetitions of one program at one size."""
        return [entry for entry in self.measurements if (entry.program, entry.records) == (program, records)]

    def seconds(self, program: str, records: int) -> float | None:
        """Return the median time; None when it was not measured."""
        return _median([entry.seconds for entry in self.of(program, records)])

    def peak_bytes(self, program: str, records: int) -> float | None:
        """Return the median of the peak memory; None when it was not measured."""
        return _median([entry.peak_bytes for entry in self.of(program, records)])

    def first_line_seconds(self, program: str) -> float | None:
        """Return the median time to the first line over all sizes; None when a run wrote none."""
        times = [entry.first_line_seconds for entry in self.measurements if entry.program == program]
        return _median([time for time in times if time is not None]) if None not in times else None

    def least_share_of_core(self, programs: Sequence[str]) -> float:
        """Return processor time over wall clock in the run that had least of its core; others had the rest."""
        runs = [entry for entry in self.measurements if entry.program in programs]
        return min((entry.cpu_seconds / entry.seconds for entry in runs), default=0.0)

    def ratio(self, peer: str, ours: str, records: int) -> float | None:
        """Return how many times as long as ours a peer takes; None when either was not measured."""
        times = self.seconds(peer, records), self.seconds(ours, records)
        return None if times[0] is None or times[1] is None else times[0] / times[1]

    def slope(self, program: str) -> float | None:
        """Return the exponent of time against records; None below two sizes from `SLOPE_FROM_RECORDS` on.

        Least squares of log median seconds on log records: 1 is proportional.
        """
        sizes = [size for size in self.sizes if size >= SLOPE_FROM_RECORDS and self.of(program, size)]
        if len(sizes) < 2:
            return None
        x = [math.log(size) for size in sizes]
        y = [math.log(self.seconds(program, size) or math.nan) for size in sizes]
        x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
        covariance = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
        return covariance / sum((a - x_mean) ** 2 for a in x)

    def to_json(self) -> str:
        """Return the results as JSON, in the order of the page."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Results":
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            command=data["command"],
            machine=data["machine"],
            versions=data["versions"],
            measurements=tuple(ProgramMeasurement(**entry) for entry in data["measurements"]),
            not_run=tuple(NotRun(**entry) for entry in data["not_run"]),
        )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
